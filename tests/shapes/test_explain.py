"""Every error at once, each with its place and its code."""

from __future__ import annotations

from decimal import Decimal

import pytest

from entrepot.kit.limits import Limits
from entrepot.model import shape as s
from entrepot.model.faults import Invalid
from entrepot.shapes import jsonschema
from entrepot.shapes.explain import explain
from entrepot.shapes.values import Values

ITEM = s.Record(
    fields=(
        s.Field(name="name", shape=s.Text(length_min=2)),
        s.Field(name="a/b~c", python="abc", shape=s.Int(maximum=5), required=False),
    ),
    extras="forbid",
)
TYPES = {"Item": ITEM}


def found(shape: s.Shape, plain: object, limits: Limits | None = None) -> list[tuple[str, str]]:
    return [(issue.pointer, issue.code) for issue in explain(shape, plain, TYPES, limits or Limits())]


def test_all_errors_are_listed_with_pointers() -> None:
    plain = [{"name": "a", "a/b~c": 9}, {"nmae": "bolt"}, None, {"name": "bolt"}]
    assert found(s.List(item=s.Ref(name="Item")), plain) == [
        ("/0/name", "length"),
        ("/0/a~1b~0c", "range"),
        ("/1/name", "missing"),
        ("/1/nmae", "unknown"),
        ("/2", "null"),
    ]


def test_a_misspelt_name_is_met_with_a_suggestion() -> None:
    issues = explain(ITEM, {"nmae": "bolt"}, TYPES)
    assert issues[1].message == "is not a known member; did you mean 'name'?"


def test_the_list_is_bounded() -> None:
    assert len(found(s.List(item=s.Int()), ["x"] * 100)) == 20
    assert len(found(s.List(item=s.Int()), ["x"] * 100, Limits(issues_max=3))) == 3


@pytest.mark.parametrize(
    ("shape", "plain", "expected"),
    [
        (s.List(item=s.Int(), unique=True), [1, 2, 1], [("/2", "unique")]),
        (s.List(item=s.Int(), length_min=2), [1], [("", "length")]),
        (s.Tuple(items=(s.Int(), s.Text())), [1], [("", "length")]),
        (s.Tuple(items=(s.Int(), s.Text())), ["a", 1], [("/0", "type"), ("/1", "type")]),
        (s.Map(value=s.Int(), key=s.Text(length_max=1)), {"ab": 1}, [("/ab", "length")]),
        (s.Map(value=s.Int(), key=s.Int()), {"a": 1}, [("/a", "type")]),
        (s.Enum(values=(s.EnumValue("a"),)), "b", [("", "enum")]),
        (s.Enum(values=(s.EnumValue("a"),), open=True), "b", []),
        (s.Enum(values=(s.EnumValue("a"),), open=True), 1, [("", "enum")]),
        (s.Text(pattern=r"^\d+$"), "1\n", [("", "pattern")]),
        (s.Text(pattern=r"^\d+$"), "٣", [("", "pattern")]),
        (s.Decimal(scale=2), "1.234", [("", "range")]),
        (s.Decimal(scale=2), "1.230", []),
        (s.Decimal(digits=3), "12.34", [("", "range")]),
        (s.Decimal(multiple_of="0.0001", wire="number"), 0.0075, []),
        (s.Decimal(exclusive_minimum="0"), "0", [("", "range")]),
        (s.Float(), float("nan"), [("", "number_form")]),
        (s.Bytes(length_max=1), "YWI=", [("", "length")]),
        (s.Page(item=s.Int()), {"items": ["a"], "total": "1"}, [("/items/0", "type"), ("/total", "type")]),
        (s.File(), "x", [("", "type")]),
        (s.Anything(), {"a": object()}, [("/a", "type")]),
    ],
)
def test_each_rule_has_its_code(shape: s.Shape, plain: object, expected: list[tuple[str, str]]) -> None:
    assert found(shape, plain) == expected


def test_an_error_deep_in_an_arm_is_that_error_and_not_the_unions() -> None:
    cat = s.Record(fields=(s.Field(name="kind", shape=s.Text()), s.Field(name="lives", shape=s.Int())))
    dog = s.Record(fields=(s.Field(name="kind", shape=s.Text()), s.Field(name="name", shape=s.Text())))
    pet = s.Union(arms=(cat, dog), choose="tag", tag_field="kind", tags=("cat", "dog"))
    assert found(pet, {"kind": "cat", "lives": "9"}) == [("/lives", "type")]
    assert found(pet, {"lives": 9}) == [("/kind", "missing")]
    assert found(pet, {"kind": "cow"}) == [("/kind", "variant")]
    assert found(pet, "cat") == [("", "type")]
    keyed = s.Union(arms=(cat, dog), choose="keys")
    assert found(keyed, {"kind": "x", "name": 1}) == [("/name", "type")]
    assert found(keyed, {"kind": "x"}) == [("", "variant")]


def test_a_schema_without_a_typed_shape_is_checked_by_its_own_rules() -> None:
    shape = s.Json(schema={"type": "object", "patternProperties": {"^x": {"type": "integer"}}})
    assert found(shape, {"xa": "1", "b": "1"}) == [("/xa", "type")]
    codec = Values({}).codec(shape)
    assert codec.decode(b'{"xa":1,"b":1.10}') == {"xa": 1, "b": Decimal("1.10")}
    assert codec.encode(codec.decode(b'{"b":1.10}')) == b'{"b":1.10}'


def test_messages_do_not_repeat_what_was_given() -> None:
    for schema in ({"oneOf": [{"type": "integer"}, {"type": "null"}]}, {"maxLength": 3}, {"enum": ["a"]}, False):
        messages = [issue.message for issue in jsonschema.issues(schema, "hunter2", "")]
        assert messages
        assert "hunter2" not in "".join(messages)


def test_a_schema_that_needs_the_extra_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "jsonschema_rs", None)
    with pytest.raises(TypeError, match=r"entrepot\[jsonschema\]"):
        _ = Values({}).codec(s.Json(schema={"not": {"const": "only here"}})).decode
    assert Values({}).codec(s.Json(schema=True)).decode(b"1") == 1


def test_a_schema_that_is_none_is_refused_when_it_is_compiled() -> None:
    with pytest.raises(TypeError, match="not a JSON Schema"):
        jsonschema.validator({"type": "wrong"})


def test_what_does_not_fit_is_told_in_the_words_of_every_protocol() -> None:
    codec = Values({}).codec(s.Int())
    for refused in (lambda: codec.decode(b'"x"'), lambda: codec.of_plain("x")):
        with pytest.raises(Invalid) as fault:
            refused()
        assert fault.value.detail == "the input does not fit its type"
