"""What must hold of every shape written as JSON Schema."""

from __future__ import annotations

import decimal
from typing import Any

import jsonschema_rs
import msgspec
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from entrepot.model import shape as s
from entrepot.model.fault import Fault
from entrepot.shapes.document import Tree
from entrepot.shapes.schema_in import Reader
from entrepot.shapes.schema_out import schema, schemas
from entrepot.shapes.values import Values
from support.strategies import Contract, contracts, nearly, values_of

law = settings(
    max_examples=200,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
write = msgspec.json.Encoder(decimal_format="number").encode
as_floats = msgspec.json.Decoder().decode


def document_of(contract: Contract) -> dict[str, Any]:
    """The contract as a JSON Schema that was sent over a wire, its numbers exact."""
    root = schema(contract.shape, contract.types, "#/$defs/")
    written = write(root | {"$defs": schemas(contract.types, "#/$defs/")})
    read: dict[str, Any] = msgspec.json.Decoder(float_hook=decimal.Decimal).decode(written)
    return read


@given(contracts())
@law
def test_a_schema_is_read_back_as_the_same_shape(contract: Contract) -> None:
    note(f"{contract}")
    document = document_of(contract)
    reader = Reader(Tree(document))
    root = {key: value for key, value in document.items() if key != "$defs"}
    reading = reader.read(root)
    assert reading.refusals == ()
    assert not reader.loosened
    assert reading.shape == contract.shape
    assert all(shape == contract.types[name] for name, shape in reader.types.items())


@given(contracts())
@law
def test_a_schema_is_valid_under_its_own_dialect(contract: Contract) -> None:
    jsonschema_rs.Draft202012Validator(as_floats(write(document_of(contract))))


@given(st.data(), contracts())
@law
def test_what_is_accepted_is_valid_under_the_published_schema(data: st.DataObject, contract: Contract) -> None:
    note(f"{contract}")
    fitting = data.draw(values_of(contract.shape, contract.types))
    plain = data.draw(st.just(fitting) | nearly(fitting))
    written = write(plain)
    try:
        Values(contract.types).codec(contract.shape).decode(written)
        value = as_floats(written)
    except (Fault, msgspec.ValidationError):
        return
    validator = jsonschema_rs.Draft202012Validator(as_floats(write(document_of(contract))))
    errors = [f"{error.instance_path} {error.message}" for error in validator.iter_errors(value)]
    assert not errors


def test_a_schema_without_a_typed_shape_stays_what_it_is() -> None:
    given_schema = {"not": {"$ref": "#/$defs/no"}, "$defs": {"no": {"type": "null"}}}
    for shape in (s.Json(schema=given_schema), s.Json(schema=True), s.Json(schema=False), s.Json(schema={"if": {}})):
        assert Reader(Tree({})).read(schema(shape, {})).shape == shape


def test_what_is_said_of_a_field_is_no_part_of_its_schema() -> None:
    judged = s.Json(schema={"not": {"type": "string"}, "description": "No text."})
    fields = (
        s.Field(name="class", python="class_", shape=judged, role="version", docs="Its class.", deprecated=True),
        s.Field(name="own", shape=s.Json(schema={"if": {"type": "string"}, "then": {"minLength": 1}}), access="read"),
        s.Field(name="maybe", shape=s.Nullable(shape=judged), required=False, documented_default=None, docs="Or null."),
        s.Field(name="told", shape=s.Json(schema={"contains": {"const": 1}}), examples=([1],), read_scopes=("a",)),
    )
    record = s.Record(fields=fields)
    again = Reader(Tree({})).read(document_of(Contract(record, {}))).shape
    assert isinstance(again, s.Record)
    assert again.fields == fields
