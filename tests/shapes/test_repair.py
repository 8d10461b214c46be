"""Repair: what is mended, what is left out, and what stays a fault."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.kit.limits import Limits
from entrepot.model import shape as s
from entrepot.shapes.explain import explain
from entrepot.shapes.repair import repair

FIELD = s.Field
PET = s.Record(
    fields=(
        FIELD(name="id", shape=s.Int()),
        FIELD(name="name", shape=s.Text(length_max=5), required=False),
        FIELD(name="tags", shape=s.List(item=s.Text())),
        FIELD(name="by", shape=s.Map(value=s.Int())),
        FIELD(name="owner", shape=s.Nullable(shape=s.Ref("Pet"))),
    ),
    extras="forbid",
)
TYPES = {"Pet": PET}
GOOD: dict[str, Any] = {"id": 1, "tags": ["a"], "by": {"x": 1}, "owner": None}


def mended(plain: Any, shape: s.Shape = PET) -> tuple[Any, list[tuple[str, str]]] | None:
    found = repair(shape, plain, TYPES)
    return found and (found.plain, [(issue.pointer, issue.code) for issue in found.issues])


def test_what_is_right_stays_the_same_object() -> None:
    found = repair(PET, GOOD, TYPES)
    assert (found is not None and found.plain is GOOD, found and found.issues) == (True, ())


@pytest.mark.parametrize(
    ("wrong", "right", "issues"),
    [
        ({"id": "12"}, {"id": 12}, [("/id", "type")]),
        ({"name": 12}, {"name": "12"}, [("/name", "type")]),
        ({"name": Decimal("1.10")}, {"name": "1.10"}, [("/name", "type")]),
        ({"name": True}, {"name": "true"}, [("/name", "type")]),
        ({"name": "too long"}, {}, [("/name", "length")]),
        ({"name": None}, {}, [("/name", "null")]),
        ({"tags": None}, {"tags": []}, [("/tags", "null")]),
        ({"by": None}, {"by": {}}, [("/by", "null")]),
        ({"tags": [1, "a", 2]}, {"tags": ["1", "a", "2"]}, [("/tags/0", "type"), ("/tags/2", "type")]),
        ({"by": {"a/b": "1"}}, {"by": {"a/b": 1}}, [("/by/a~1b", "type")]),
        ({"more": 1}, {}, [("/more", "unknown")]),
        ({"owner": {**GOOD, "id": "x", "name": 1}}, {"owner": None}, [("/owner/id", "type")]),
        ({"owner": {**GOOD, "id": "7"}}, {"owner": {**GOOD, "id": 7}}, [("/owner/id", "type")]),
    ],
)
def test_what_is_mended(wrong: Any, right: Any, issues: list[tuple[str, str]]) -> None:
    before = copy.deepcopy({**GOOD, **wrong})
    given = {**GOOD, **wrong}
    assert mended(given) == ({**GOOD, **right}, issues)
    assert given == before


def test_what_is_absent_and_can_be_empty_is_empty() -> None:
    assert mended({"id": 1}) == (
        {"id": 1, "tags": [], "by": {}, "owner": None},
        [("/tags", "missing"), ("/by", "missing"), ("/owner", "missing")],
    )


@pytest.mark.parametrize(
    "wrong",
    [{"id": None}, {"id": "1.5"}, {"id": "x" * 200}, {"tags": [None]}, {"tags": "a"}, {"by": {"x": "y"}}, {"id": [1]}],
)
def test_nothing_is_invented(wrong: Any) -> None:
    assert mended({**GOOD, **wrong}) is None


def test_what_a_record_is_nothing_without_is_not_invented() -> None:
    assert mended({key: value for key, value in GOOD.items() if key != "id"}) is None
    assert mended([], PET) is None


def test_an_arm_is_mended_where_it_is_plain_which_one_is_meant() -> None:
    arms = tuple(s.Record(fields=(FIELD(name="n", shape=s.Int()),)) for _ in range(2))
    union = s.Union(arms=arms, choose="tag", tag_field="kind", tags=("a", "b"))
    assert mended({"kind": "a", "n": "1"}, union) == ({"kind": "a", "n": 1}, [("/n", "type")])
    assert mended({"kind": "c", "n": "1"}, union) is None


@pytest.mark.parametrize(
    ("shape", "wrong"),
    [
        (s.List(item=s.Int(), length_max=1), ["1", 2]),
        (s.List(item=s.Int(), unique=True), ["1", 1]),
        (s.Map(value=s.Int(), length_max=1), {"a": "1", "b": 1}),
        (s.Map(value=s.Int(), key=s.Text(length_max=1)), {"ab": "1"}),
    ],
)
def test_bounds_of_lists_and_maps_hold(shape: s.Shape, wrong: Any) -> None:
    assert mended(wrong, shape) is None
    record = s.Record(fields=(FIELD(name="n", shape=shape, required=False), FIELD(name="id", shape=s.Int())))
    found = mended({"n": wrong, "id": "1"}, record)
    assert found is not None
    assert (found[0], len(found[1])) == ({"id": 1}, 2)


def test_a_value_without_end_is_given_up_in_time() -> None:
    plain: Any = {**GOOD, "tags": ["a"] * 20_000, "id": "1"}
    for _ in range(150):
        plain = {**GOOD, "owner": plain}
    assert mended(plain) is not None
    for _ in range(5000):
        plain = {**GOOD, "owner": plain}
    assert mended(plain) is None


def test_so_many_issues_are_told_at_most() -> None:
    found = repair(s.List(item=s.Int()), ["1"] * 50, {}, Limits(issues_max=7))
    assert found is not None
    assert (found.plain, len(found.issues)) == ([1] * 50, 7)


SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6) | st.decimals(-9, 9, places=1)
LOOSE = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner))
PETS = st.recursive(
    LOOSE,
    lambda inner: st.fixed_dictionaries(
        {}, optional={field.name: SCALARS | st.lists(SCALARS, max_size=3) | inner for field in PET.fields}
    ),
    max_leaves=8,
)


@given(PETS)
def test_what_is_mended_is_of_its_shape_and_what_is_right_has_no_issue(plain: Any) -> None:
    found = repair(PET, plain, TYPES)
    wrong = explain(PET, plain, TYPES)
    assert found is not None or wrong
    if found is not None:
        assert explain(PET, found.plain, TYPES) == []
        assert bool(found.issues) == bool(wrong)
