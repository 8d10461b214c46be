"""What must hold of any schema that an author may write: its shape decides as a validator does, and loses nothing."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import msgspec
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from entrepot.model.fault import Fault
from entrepot.shapes.document import Tree
from entrepot.shapes.explain import explain
from entrepot.shapes.schema_in import Reader
from entrepot.shapes.schema_out import schema as schema_of
from entrepot.shapes.schema_out import schemas
from entrepot.shapes.values import Codec, Values

law = settings(
    max_examples=300,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
Schema = dict[str, Any]
NAMES = ("a", "b", "c")
SCALARS: tuple[Schema, ...] = (
    {"type": "string"},
    {"type": "string", "minLength": 2},
    {"type": "string", "pattern": "^[xy]+$"},
    {"type": "integer"},
    {"type": "integer", "minimum": 1, "multipleOf": 1.5},
    {"type": "number", "exclusiveMaximum": 2},
    {"type": "boolean"},
    {"type": "null"},
    {"type": ["string", "null"]},
    {"type": ["integer", "string", "null"], "maximum": 2, "maxLength": 1},
    {"enum": ["x", "", 1, None]},
    {"enum": ["x", "yy"]},
    {"enum": [True, 0]},
    {"enum": ["x", None], "type": ["string", "null"]},
    {"const": "x"},
    {"const": 1.5},
)
scalars = st.sampled_from(SCALARS)
references = st.sampled_from([{"$ref": f"#/$defs/{name}"} for name in ("One", "Two")])
no_logic = {"not": {"type": "null"}}


def inner(schemas: st.SearchStrategy[Any]) -> st.SearchStrategy[Schema]:
    lists = st.builds(
        lambda item, more: {"type": "array", "items": item} | more,
        schemas,
        st.sampled_from([{}, {"maxItems": 1}, {"uniqueItems": True}]),
    )
    pairs = st.builds(
        lambda one, two: {"type": "array", "prefixItems": [one, two], "items": False, "minItems": 2}, schemas, schemas
    )
    maps = st.builds(lambda value: {"type": "object", "additionalProperties": value}, schemas)
    alternatives = st.builds(
        lambda arms, base: {"anyOf": arms} | base,
        st.lists(schemas, min_size=1, max_size=3),
        st.sampled_from([{}, {}, {"type": "object", "properties": {"a": {"type": "integer"}}}]),
    )
    merged = st.builds(lambda parts: {"allOf": parts}, st.lists(open_records(schemas), min_size=1, max_size=2))
    return st.one_of(lists, pairs, maps, alternatives, merged, records(schemas), records(schemas), st.just(no_logic))


@st.composite
def open_records(draw: Any, schemas: st.SearchStrategy[Any]) -> Schema:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    properties = {name: draw(schemas) for name in names}
    required = draw(st.lists(st.sampled_from(NAMES), max_size=2, unique=True))
    return {"type": "object", "properties": properties} | ({"required": required} if required else {})


@st.composite
def records(draw: Any, schemas: st.SearchStrategy[Any]) -> Schema:
    extras = draw(st.sampled_from([{}, {}, {"additionalProperties": False}, {"additionalProperties": True}, None]))
    if extras is None:
        extras = {"additionalProperties": draw(schemas)}
    record: Schema = draw(open_records(schemas))
    if extras.get("additionalProperties") is False and "required" in record:
        record["required"] = [name for name in record["required"] if name in record["properties"]]
    return record | extras


any_schema = st.recursive(scalars | references, inner, max_leaves=6)


@st.composite
def documents(draw: Any) -> Schema:
    """A schema with definitions that may lead back to themselves, through a member or an item."""
    definitions = {"One": draw(records(any_schema) | any_schema), "Two": draw(records(any_schema) | any_schema)}
    root: Schema = draw(any_schema)
    return root | {"$defs": definitions}


leaves = st.sampled_from(["", "x", "yy", "xyz", "ä", 0, 1, 3, 1.5, -2, True, False, None])
data = st.recursive(
    leaves,
    lambda parts: (
        st.lists(parts, max_size=2) | st.dictionaries(st.sampled_from([*NAMES, "d"]), parts, max_size=4)
    ),
    max_leaves=5,
)  # fmt: skip


def codec_of(document: Schema) -> tuple[Codec, Reader] | None:
    """None where the schema is refused: its parts may contradict each other, or lead to nothing but themselves."""
    reader = Reader(Tree(document))
    reading = reader.read({key: value for key, value in document.items() if key != "$defs"})
    if reading.refusals:
        note(f"{document} {reading.refusals}")
        assert {gap.construct for gap in reading.refusals} <= {"allOf", "anyOf", "oneOf", "$ref"}
        return None
    assert not reader.loosened
    return Values(reader.types).codec(reading.shape), reader


def accepted(codec: Codec, plain: Any) -> tuple[Any] | None:
    """The value, which may itself be None, or nothing where it is refused."""
    try:
        return (codec.decode(msgspec.json.encode(plain)),)
    except Fault:
        return None


@given(documents(), st.lists(data, min_size=1, max_size=8))
@law
def test_a_shape_decides_as_its_schema_does(document: Schema, values: list[Any]) -> None:
    made = codec_of(document)
    if made is None:
        return
    codec, reader = made
    validator = jsonschema_rs.Draft202012Validator(document)
    note(f"{codec.shape} {reader.types}")
    for plain in values:
        issues = explain(codec.shape, plain, reader.types)
        value = accepted(codec, plain)
        assert (value is None) == bool(issues), plain
        assert (value is not None) == validator.is_valid(plain), (plain, issues)
        assert value is None or validator.is_valid(msgspec.json.decode(codec.encode(value[0]))), plain


@given(documents())
@law
def test_a_foreign_schema_is_written_as_one_that_is_read_as_the_same_shape(document: Schema) -> None:
    made = codec_of(document)
    if made is None:
        return
    codec, reader = made
    note(f"{codec.shape} {reader.types}")
    written = schema_of(codec.shape, reader.types, "#/$defs/") | {"$defs": schemas(reader.types, "#/$defs/")}
    again = Reader(Tree(msgspec.json.decode(msgspec.json.encode(written))))
    root = {key: value for key, value in again.tree.content.items() if key != "$defs"}
    assert again.read(root).shape == codec.shape
    assert all(shape == reader.types[name] for name, shape in again.types.items())
