"""Documents whose schemas would take for ever to read, or lead to nothing."""

from __future__ import annotations

from typing import Any

import pytest

from entrepot.shapes.document import Tree
from entrepot.shapes.schema_in import Reader, Reading
from entrepot.shapes.values import Values


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def pair(name: str) -> dict[str, Any]:
    """An object that leads twice to one schema."""
    return {"type": "object", "properties": {"left": ref(name), "right": ref(name)}}


def read(schema: dict[str, Any], definitions: dict[str, Any]) -> Reading:
    return Reader(Tree({"$defs": definitions})).read(schema)


@pytest.mark.parametrize(
    "definitions",
    [
        {"A": ref("B"), "B": ref("A")},
        {"A": ref("B"), "B": ref("C"), "C": ref("B")},
        {"A": {"anyOf": [ref("A"), {"type": "null"}]}},
        {"A": {"anyOf": [ref("B"), {"type": "null"}]}, "B": ref("A")},
    ],
    ids=["two names", "a way into a ring", "itself or null", "two names or null"],
)
def test_names_that_lead_to_nothing_but_each_other(definitions: dict[str, Any]) -> None:
    refusals = read(ref("A"), definitions).refusals
    assert {(gap.construct, gap.reason) for gap in refusals} == {("$ref", "it refers to itself and nothing else")}


def test_parts_that_double_at_every_step_are_merged_once() -> None:
    steps = {f"A{i}": {"allOf": [ref(f"A{i + 1}"), ref(f"A{i + 1}")]} for i in range(60)}
    assert read(ref("A0"), steps | {"A60": {"type": "string"}}).refusals == ()


@pytest.mark.parametrize("word", ["anyOf", "oneOf"])
def test_arms_that_double_at_every_step_are_looked_at_once(word: str) -> None:
    steps = {f"A{i}": {word: [ref(f"A{i + 1}"), ref(f"A{i + 1}")]} for i in range(60)}
    assert read(ref("A0"), steps | {"A60": {"type": "string"}}).refusals == ()


def test_two_trees_in_one_are_one_tree() -> None:
    reader = Reader(Tree({"$defs": {"A": pair("A"), "B": pair("B")}}))
    reading = reader.read({"allOf": [ref("A"), ref("B")]})
    assert reading.refusals == ()
    assert Values(reader.types).codec(reading.shape).decode(b'{"left":{"right":{}}}').left.right


def test_members_that_double_at_every_step_are_bounded() -> None:
    steps = {f"{side}{i}": pair(f"{side}{i + 1}") for side in "AB" for i in range(40)}
    leaves = {"A40": {"type": "string"}, "B40": {"maxLength": 1}}
    reading = read({"allOf": [ref("A0"), ref("B0")]}, steps | leaves)
    assert [gap.reason for gap in reading.refusals] == ["written out it has more than 100000 parts"]


@pytest.mark.parametrize("base", [{"type": "object"}, {"type": "object", "properties": {"k": {}}}])
def test_a_union_that_is_one_of_its_own_arms(base: dict[str, Any]) -> None:
    union = base | {"anyOf": [ref("A"), {"required": ["x"], "properties": {"x": {}}}]}
    assert [gap.reason for gap in read(ref("A"), {"A": union}).refusals] == ["the union leads back to itself"]


def test_unions_within_unions_that_lead_back_are_refused_for_that_alone() -> None:
    arms = {"anyOf": [ref("One"), ref("Two")]}
    one = {"type": "object", "properties": {"b": arms | {"type": "object", "properties": {"a": {"type": "integer"}}}}}
    gaps = read(ref("One"), {"One": one, "Two": arms}).refusals
    assert {gap.reason for gap in gaps} == {"the union leads back to itself"}
