"""Schemas whose errors cannot all be looked for, told from those that can; and what is said of such values."""

from __future__ import annotations

import math
import socket
from typing import Any

import pytest

from entrepot.model import shape as s
from entrepot.model.faults import Invalid
from entrepot.shapes.schema_trials import trials
from entrepot.shapes.values import Values

REF = {"$ref": "#/$defs/N"}


def recursive(definition: dict[str, Any]) -> dict[str, Any]:
    return {**REF, "$defs": {"N": {"type": "object", **definition}}}


def inside(reference: Any) -> dict[str, Any]:
    return {"properties": {"n": reference}}


@pytest.mark.parametrize(
    "definition",
    [
        {"oneOf": [inside(REF), inside(REF)]},
        {"anyOf": [inside(REF), {"type": "null"}, inside(REF)]},
        {"allOf": [inside(REF)], **inside(REF)},
        {"if": inside(REF), "then": inside(REF)},
        {"oneOf": [inside({"oneOf": [REF, {"type": "null"}]}), inside({"items": REF})]},
    ],
)
def test_what_doubles_with_every_level_has_no_end(definition: dict[str, Any]) -> None:
    assert trials(recursive(definition)) == math.inf


def test_a_cycle_through_several_schemas_is_one_too() -> None:
    definitions = {"N": {"oneOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}]}, "A": inside(REF), "B": inside(REF)}
    assert trials({**REF, "$defs": definitions}) == math.inf


@pytest.mark.parametrize(
    ("definition", "most"),
    [
        (inside(REF), 2),
        ({"properties": {"left": REF, "right": REF}}, 2),
        (inside({"anyOf": [REF, {"type": "null"}]}), 4),
        ({"items": REF, "properties": {"a": {"enum": [1, 2]}}}, 2),
    ],
)
def test_a_plain_recursion_costs_no_more_than_its_value(definition: dict[str, Any], most: int) -> None:
    assert trials(recursive(definition)) <= most


def test_arms_of_arms_multiply() -> None:
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(12):
        schema = {"anyOf": [inside(schema), inside(schema)]}
    assert trials(schema) >= 2**12


def test_counting_shared_definitions_takes_no_longer_than_they_are() -> None:
    definitions: dict[str, Any] = {"D60": {"type": "integer"}}
    for number in range(60):
        below = {"$ref": f"#/$defs/D{number + 1}"}
        definitions[f"D{number}"] = {"anyOf": [inside(below), inside(below)]}
    assert trials({"$ref": "#/$defs/D0", "$defs": definitions}) >= 2**60


@pytest.mark.parametrize("schema", [True, False, {}, {"enum": [{"$ref": "#/$defs/N"}]}, {"oneOf": 7, "$ref": 7}])
def test_anything_can_be_counted(schema: Any) -> None:
    assert trials(schema) >= 1


def test_a_value_of_such_a_schema_is_refused_at_once() -> None:
    codec = Values({}).codec(s.Json(schema=recursive({"oneOf": [inside(REF), inside(REF)]})))
    with pytest.raises(Invalid) as refused:
        codec.decode(b'{"n":' * 60 + b"7" + b"}" * 60)
    assert [(issue.pointer, issue.code) for issue in refused.value.issues] == [("", "variant")]


@pytest.mark.parametrize("keyword", ["$schema", "$id"])
def test_a_schema_never_makes_us_fetch_anything(keyword: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        inner = {"$id": f"{address}inner", "properties": {"x": {"minimum": 1}}}
        schema = {keyword: f"{address}{keyword[1:]}", "anyOf": [inner, {"type": "integer"}]}
        assert Values({}).codec(s.Json(schema=schema)).decode(b"1") == 1
        with pytest.raises(BlockingIOError):
            server.accept()
