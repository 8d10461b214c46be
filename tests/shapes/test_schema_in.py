"""Foreign JSON Schemas, as they are really written."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from entrepot.kit.pointers import escape
from entrepot.model import shape as s
from entrepot.model.faults import Invalid
from entrepot.shapes.document import Tree
from entrepot.shapes.schema_in import Reader, Reading
from entrepot.shapes.schema_out import schemas
from entrepot.shapes.values import Values
from support.needs import require_corpus

INTEGER = {"type": "integer"}
CAT = {
    "type": "object",
    "required": ["kind", "lives"],
    "properties": {"kind": {"const": "cat"}, "lives": {"type": "integer"}},
}
DOG = {
    "type": "object",
    "required": ["kind", "name"],
    "properties": {"kind": {"const": "dog"}, "name": {"type": "string"}},
}
PET = "#/components/schemas/"
PETS = [{"$ref": PET + "Cat"}, {"$ref": PET + "Dog"}]
MAPPING = {"c": PET + "Cat", "k": "Cat", "d": "Dog"}
ONLY_A = s.Enum(values=(s.EnumValue("a"),))


def read_at(reader: Reader, pointer: str) -> Reading:
    return reader.read({"$ref": "#" + pointer}, pointer)


def read(schema: Any, **components: Any) -> s.Shape:
    reading = Reader(Tree({"openapi": "3.1.0", "components": {"schemas": components}})).read(schema)
    assert reading.refusals == ()
    return reading.shape


def record(*fields: s.Field, **rest: Any) -> s.Record:
    return s.Record(fields=fields, **rest)


@pytest.mark.parametrize(
    ("schema", "shape"),
    [
        ({}, s.Anything()),
        (True, s.Anything()),
        (False, s.Json(schema=False)),
        ({"type": "number"}, s.Decimal(wire="number")),
        ({"type": "number", "format": "double"}, s.Float()),
        ({"type": "number", "minimum": 0.5}, s.Decimal(wire="number", minimum="0.5")),
        ({"type": "integer", "format": "int32"}, s.Int(bits=32)),
        ({"type": "integer", "minimum": 0, "exclusiveMinimum": True}, s.Int(minimum=1)),
        ({"type": "integer", "exclusiveMaximum": 5}, s.Int(maximum=4)),
        ({"type": "integer", "format": "unix-time"}, s.DateTime(wire="unix")),
        ({"type": "string", "format": "decimal"}, s.Decimal()),
        ({"type": "string", "format": "int64"}, s.Int(bits=64, wire="text")),
        ({"type": "string", "format": "date-time"}, s.DateTime(precision="any")),
        ({"type": "string", "format": "email"}, s.Text(format="email")),
        ({"type": "string", "format": "binary"}, s.File()),
        ({"type": "string", "contentEncoding": "base64"}, s.Bytes()),
        ({"pattern": "^a"}, s.Text(pattern="^a")),
        ({"type": "string", "nullable": True}, s.Nullable(shape=s.Text())),
        ({"type": ["string", "null"]}, s.Nullable(shape=s.Text())),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, s.Nullable(shape=s.Text())),
        ({"type": ["string", "integer"]}, s.Union(arms=(s.Text(), s.Int()))),
        ({"enum": ["a", "b"]}, s.Enum(values=(s.EnumValue("a"), s.EnumValue("b")))),
        ({"const": 3}, s.Enum(values=(s.EnumValue(3),))),
        ({"type": "string", "enum": ["a", None], "nullable": True}, s.Nullable(shape=ONLY_A)),
        ({"type": "string", "enum": ["a"], "nullable": True}, s.Nullable(shape=ONLY_A)),
        ({"type": "string", "enum": ["a", 1]}, s.Enum(values=(s.EnumValue("a"),))),
        ({"enum": [1.5]}, s.Json(schema={"enum": [1.5]})),
        ({"oneOf": [{"const": "a"}, {"const": "b"}]}, s.Enum(values=(s.EnumValue("a"), s.EnumValue("b")))),
        ({"anyOf": [{"type": "string"}, {"enum": ["a"]}]}, s.Enum(values=(s.EnumValue("a"),), open=True)),
        (
            {"anyOf": [{"type": "string"}, {"enum": ["a", 1]}]},
            s.Union(arms=(s.Text(), s.Enum(values=(s.EnumValue("a"), s.EnumValue(1)))), choose="trial"),
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "string", "format": "date"}, {"format": "unix-time", **INTEGER}]},
            s.Union(arms=(s.Text(), s.Date(), s.DateTime(wire="unix")), choose="trial"),
        ),
        ({"type": "object"}, s.Map(value=s.Anything())),
        ({"additionalProperties": {"type": "integer"}}, s.Map(value=s.Int())),
        ({"properties": {"a": {}}, "additionalProperties": False},
         record(s.Field(name="a", shape=s.Anything(), required=False), extras="forbid")),
        ({"required": ["a"]}, record(s.Field(name="a", shape=s.Anything()))),
        ({"type": "array"}, s.List(item=s.Anything())),
        ({"items": {"type": "string"}, "uniqueItems": True}, s.List(item=s.Text(), unique=True)),
        ({"not": {"type": "null"}}, s.Json(schema={"not": {"type": "null"}})),
        ({"oneOf": [{"type": "string"}, {"items": {"type": "string"}}]},
         s.Union(arms=(s.Text(), s.List(item=s.Text())))),
        ({"type": "object", "properties": {"class": {"type": "string", "readOnly": True}}},
         record(s.Field(name="class", python="class_", shape=s.Text(), required=False, access="read"))),
    ],
)  # fmt: skip
def test_a_schema_is_a_shape(schema: Any, shape: s.Shape) -> None:
    assert read(schema) == shape


def test_a_foreign_default_is_told_but_not_filled_in() -> None:
    shape = read({"type": "object", "properties": {"size": {"type": "integer", "default": 5}}})
    assert Values({}).codec(shape).to_plain(Values({}).codec(shape).decode(b"{}")) == {}


def test_parts_of_all_of_are_merged() -> None:
    base = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
    more = {"properties": {"id": {"minimum": 1}, "name": {"type": "string"}}, "required": ["name"]}
    assert read({"allOf": [{"$ref": "#/components/schemas/Base"}, more]}, Base=base) == record(
        s.Field(name="id", shape=s.Int(minimum=1)), s.Field(name="name", shape=s.Text())
    )


def test_one_reference_in_all_of_is_that_reference() -> None:
    shape = read(
        {"allOf": [{"$ref": "#/components/schemas/A"}], "description": "said", "nullable": True}, A={"type": "string"}
    )
    assert shape == s.Nullable(shape=s.Ref(name="A"))


@pytest.mark.parametrize(
    ("union", "choose", "tags"),
    [
        ({"oneOf": [CAT, DOG]}, "tag", ("cat", "dog")),
        ({"oneOf": PETS, "discriminator": {"propertyName": "kind", "mapping": MAPPING}}, "tag", ("c", "k", "d")),
        ({"oneOf": PETS, "discriminator": {"propertyName": "petType"}}, "tag", ("Cat", "Dog")),
        ({"anyOf": [{"required": [name], "properties": {name: {}}} for name in "ab"]}, "keys", ()),
        ({"properties": {"a": {}, "b": {}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, "trial", ()),
    ],
)  # fmt: skip
def test_records_are_told_apart(union: Any, choose: str, tags: tuple[str, ...]) -> None:
    shape = read(union, Cat=CAT, Dog=DOG)
    assert isinstance(shape, s.Union)
    assert (shape.choose, shape.tags) == (choose, tags)


def test_of_records_that_nothing_tells_apart_the_one_that_keeps_most_is_chosen() -> None:
    arms = [{"properties": {name: {"type": "integer"} for name in names}} for names in ("a", "bc", "bd")]
    codec = Values({}).codec(read({"anyOf": arms}))
    for plain in ({"a": 1}, {"b": 1, "c": 2}, {"b": 1, "d": 3}, {"b": 1}, {}):
        assert codec.to_plain(codec.decode(msgspec.json.encode(plain))) == plain
    with pytest.raises(Invalid) as refused:
        codec.decode(b'{"a":"","b":"","c":1,"d":""}')
    assert [(issue.pointer, issue.code) for issue in refused.value.issues] == [("", "variant")]


def test_a_map_beside_records_keeps_what_they_do_not_know() -> None:
    known = {"type": "object", "properties": {"a": {"type": "integer"}}}
    codec = Values({}).codec(read({"anyOf": [{"type": "object", "additionalProperties": True}, known]}))
    assert codec.decode(b'{"b":1}') == {"b": 1}
    codec = Values({}).codec(read({"anyOf": [known, {"type": "object", "additionalProperties": True}]}))
    assert codec.decode(b'{"a":1}').a == 1


def test_records_with_unions_of_their_own_are_not_told_apart_by_their_keys() -> None:
    inner = {"required": ["a"], "properties": {"a": {}}, "anyOf": [{"required": ["b"]}, {"required": ["c"]}]}
    logic = {"required": ["d"], "patternProperties": {"x": {"type": "integer"}}}
    codec = Values({}).codec(read({"anyOf": [inner, logic, {"required": ["e"], "properties": {"e": {}}}]}))
    for data in (b'{"a":1,"b":2}', b'{"d":1,"x":2}', b'{"e":1}'):
        assert codec.encode(codec.decode(data)) == data
    with pytest.raises(Invalid):
        codec.decode(b'{"d":1,"x":"2"}')


def test_a_value_that_is_of_several_schemas_is_let_in() -> None:
    arms = [{"properties": {name: {"type": "integer"}}} for name in "ab"]
    assert read({"oneOf": arms}) == read({"anyOf": arms})


@pytest.mark.parametrize(
    "parts",
    [
        [{"prefixItems": [{"type": "integer"}]}, {"items": {"type": "string"}}],
        [{"properties": {"a": True}}, {"unevaluatedProperties": False}],
        [{"if": {"type": "integer"}}, {"then": {"minimum": 1}}],
        [{"type": "string", "pattern": "a"}, {"pattern": "b"}],
        [{"oneOf": [{"type": "integer"}, {"minimum": 1}]}, {"oneOf": [{"type": "integer"}, {"maximum": 1}]}],
        [{"patternProperties": {"a": True}}, {"additionalProperties": {"type": "integer"}}],
    ],
)
def test_parts_that_mean_something_only_apart_stay_apart(parts: list[Any]) -> None:
    assert read({"allOf": parts}) == s.Json(schema={"allOf": parts})


@pytest.mark.parametrize(("step", "whole"), [(2, 2), (1, None), (0.5, None), (3.5, 7), (Decimal("0.75"), 3)])
def test_a_step_of_an_integer_is_a_whole_number(step: Any, whole: int | None) -> None:
    assert read({"type": "integer", "multipleOf": step}) == s.Int(multiple_of=whole)


def test_lengths_may_be_spelt_as_decimals() -> None:
    assert read({"type": "string", "maxLength": Decimal("2.0")}) == s.Text(length_max=2)
    assert read({"items": {}, "minItems": 1.0}) == s.List(item=s.Anything(), length_min=1)


def test_types_may_lead_back_to_themselves_in_any_order() -> None:
    ref = "#/components/schemas/"
    tree = {"oneOf": [{"$ref": ref + "Leaf"}, {"$ref": ref + "Node"}]}
    node = {"type": "object", "required": ["left"], "properties": {"left": {"$ref": ref + "Tree"}}}
    leaf = {"type": "object", "required": ["value"], "properties": {"value": {"type": "integer"}}}
    for first in ("Tree", "Node", "Leaf"):
        reader = Reader(Tree({"components": {"schemas": {"Tree": tree, "Node": node, "Leaf": leaf}}}))
        assert read_at(reader, f"/components/schemas/{first}").refusals == ()
        read_at(reader, "/components/schemas/Tree")
        assert reader.types["Tree"] == s.Union(arms=(s.Ref(name="Leaf"), s.Ref(name="Node")), choose="keys")
        value = Values(reader.types).codec(s.Ref(name="Tree")).decode(b'{"left":{"left":{"value":1}}}')
        assert value.left.left.value == 1


def test_references_may_point_anywhere_in_the_document() -> None:
    document = {"paths": {"/a b": {"get": {"schema": {"type": "object", "properties": {"x": {"type": "integer"}}}}}}}
    reader = Reader(Tree(document))
    reading = reader.read({"$ref": "#/paths/~1a%20b/get/schema"})
    assert reading.shape == s.Ref(name="GetSchema")
    assert isinstance(reader.types["GetSchema"], s.Record)


def test_siblings_of_a_reference_count_from_3_1_on() -> None:
    schema = {"$ref": "#/components/schemas/A", "minLength": 3}
    components = {"components": {"schemas": {"A": {"type": "string"}}}}
    assert Reader(Tree(components | {"openapi": "3.1.0"})).read(schema).shape == s.Text(length_min=3)
    assert Reader(Tree(components | {"openapi": "3.0.3"})).read(schema).shape == s.Ref(name="A")


@pytest.mark.parametrize(
    ("schema", "construct"),
    [
        ({"$ref": "other.yaml#/A"}, "$ref"),
        ({"$ref": "#/components/schemas/Missing"}, "$ref"),
        ({"$ref": "#/components/schemas/Self"}, "$ref"),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "allOf"),
        ({"type": "strnig"}, "type"),
        (7, "schema"),
        ({"type": "object", "properties": ["a"]}, "schema"),
    ],
)
def test_what_has_no_meaning_is_refused_with_its_place(schema: Any, construct: str) -> None:
    reader = Reader(Tree({"components": {"schemas": {"Self": {"$ref": "#/components/schemas/Self"}}}}))
    reading = reader.read({"type": "array", "items": schema}, "/paths/x")
    assert [gap.construct for gap in reading.refusals] == [construct]
    assert reading.refusals[0].reason
    assert reading.refusals[0].pointer.startswith(("/paths/x/items", "/components/schemas/Self"))


def test_a_refusal_inside_a_named_type_is_told_to_everyone_who_uses_it() -> None:
    reader = Reader(Tree({"components": {"schemas": {"A": {"properties": {"x": {"$ref": "gone"}}}}}}))
    for _ in range(2):
        assert [gap.pointer for gap in read_at(reader, "/components/schemas/A").refusals] == [
            "/components/schemas/A/properties/x"
        ]


def test_a_pattern_that_python_lacks_is_left_out_and_told() -> None:
    reader = Reader(Tree({}))
    assert reader.read({"type": "string", "pattern": r"^\p{L}+$"}).shape == s.Text()
    assert [gap.pointer for gap in reader.loosened] == ["/pattern"]


def test_every_schema_of_the_corpus_is_read_and_read_back() -> None:
    documents = sorted((require_corpus() / "openapi-3.1").glob("*.json"))
    assert documents
    for path in documents:
        document = json.loads(path.read_bytes())
        reader = Reader(Tree(document))
        names = document.get("components", {}).get("schemas", {})
        for name in names:
            assert read_at(reader, f"/components/schemas/{escape(name)}").refusals == (), f"{path.name} {name}"
        for schema, pointer in schemas_of(document.get("paths", {}), "/paths"):
            assert reader.read(schema, pointer).refusals == (), f"{path.name} {pointer}"
        again = Reader(Tree({"components": {"schemas": schemas(reader.types)}}))
        for name in reader.types:
            read_at(again, f"/components/schemas/{escape(name)}")
        assert again.types == reader.types, path.name
        values = Values(reader.types)
        assert all(values.codec(s.Ref(name=name)).type for name in reader.types)


def schemas_of(node: Any, pointer: str) -> list[tuple[Any, str]]:
    """Every schema of a parameter, a request or a reply."""
    if isinstance(node, list):
        return [found for index, item in enumerate(node) for found in schemas_of(item, f"{pointer}/{index}")]
    if not isinstance(node, dict):
        return []
    here = [(node["schema"], f"{pointer}/schema")] if isinstance(node.get("schema"), dict) else []
    inner = {key: value for key, value in node.items() if key not in ("schema", "example", "examples")}
    return here + [found for key, item in inner.items() for found in schemas_of(item, f"{pointer}/{escape(key)}")]


def test_what_is_refused_in_an_arm_has_the_arms_own_place() -> None:
    bad = {"type": "weird"}
    named = {**DOG, "properties": {"kind": {"const": "dog"}, "name": bad}}
    reading = Reader(Tree({})).read({"oneOf": [{"type": "null"}, {"type": "string"}, CAT, named]}, "/schema")
    assert [gap.pointer for gap in reading.refusals] == ["/schema/oneOf/3/properties/name"]
    reading = Reader(Tree({})).read({"anyOf": [{"type": "null"}, {"type": "array", "items": bad}]}, "/schema")
    assert [gap.pointer for gap in reading.refusals] == ["/schema/anyOf/1/items"]


def test_a_chain_of_schemas_may_be_of_any_length() -> None:
    schemas = {f"T{number}": {"properties": {"next": {"$ref": f"#/$defs/T{number + 1}"}}} for number in range(2000)}
    reader = Reader(Tree({"$defs": schemas | {"T2000": {"type": "array", "uniqueItems": True}}}))
    reading = read_at(reader, "/$defs/T0")
    assert (reading.refusals, len(reader.types)) == ((), 2001)
    codec = Values(reader.types).codec(reading.shape)
    assert codec.encode(codec.decode(b'{"next":{"next":{}}}')) == b'{"next":{"next":{}}}'


def test_members_that_meet_again_and_again_get_a_name() -> None:
    one = {"type": "object", "properties": {"next": {"$ref": PET + "One"}, "a": {"type": "integer"}}}
    two = {"type": "object", "properties": {"next": {"$ref": PET + "Two"}, "b": {"type": "integer"}}}
    both = {"allOf": [{"$ref": PET + "One"}, {"$ref": PET + "Two"}]}
    reader = Reader(Tree({"components": {"schemas": {"One": one, "Two": two, "Both": both}}}))
    assert read_at(reader, "/components/schemas/Both").refusals == ()
    codec = Values(reader.types).codec(s.Ref(name="Both"))
    assert codec.decode(b'{"a":1,"next":{"b":2,"next":{"a":3}}}').next.next.a == 3
    with pytest.raises(Invalid) as refused:
        codec.decode(b'{"a":1,"next":{"b":2,"next":{"b":""}}}')
    assert [issue.pointer for issue in refused.value.issues] == ["/next/next/b"]


def test_a_required_member_that_is_not_declared_is_one_of_the_extras() -> None:
    shape = read({"required": ["a"], "additionalProperties": {"type": "integer"}})
    assert isinstance(shape, s.Record)
    assert [field.shape for field in shape.fields] == [s.Int()]
