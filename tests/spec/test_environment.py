"""The cascade of environments is a JSON merge patch that keeps its places."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.kit.pointers import pointer
from entrepot.spec.environment import overlay, part, without, without_nulls
from entrepot.spec.yaml import Parsed, read

NAMES = st.sampled_from(["a", "b", "c", "d"])
PLAIN = st.recursive(
    st.none() | st.integers(0, 9) | st.lists(st.integers(0, 9), max_size=2),
    lambda inner: st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
MAPS = st.dictionaries(NAMES, PLAIN, max_size=3)


def parsed(plain: Any) -> Parsed:
    return read(json.dumps(plain).encode(), "f")


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396, §2, to the letter."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result


def paths(plain: Any, before: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(plain, dict):
        return [before, *(path for name, value in plain.items() for path in paths(value, (*before, name)))]
    return [before]


@given(MAPS, MAPS)
def test_an_overlay_is_a_merge_patch(base: Any, patch: Any) -> None:
    assert overlay(parsed(base), parsed(patch)).value == merge_patch(base, patch)


@given(MAPS, MAPS)
def test_an_overlay_leaves_both_as_they_were(base: Any, patch: Any) -> None:
    below, above = parsed(base), parsed(patch)
    overlay(below, above)
    assert (below.value, above.value) == (base, patch)
    assert below.positions == parsed(base).positions


@given(MAPS, MAPS)
def test_every_value_of_an_overlay_has_a_place(base: Any, patch: Any) -> None:
    file = parsed({"base": base, "patch": patch})
    result = overlay(part(file, "base"), part(file, "patch"))
    for path in paths(result.value)[1:]:
        assert result.positions.key(pointer(path)) != result.positions.key(pointer(path[:-1]))


def test_an_overridden_value_stands_where_it_is_overridden() -> None:
    whole = read(b"a: {b: 1, c: 2}\nover:\n  a: {b: 3}\n", "f")
    result = overlay(without(whole, "over"), part(whole, "over"))
    assert result.value == {"a": {"b": 3, "c": 2}}
    assert str(result.positions.value("/a/b")) == "f:3:10"
    assert str(result.positions.value("/a/c")) == "f:1:14"


@pytest.mark.parametrize(
    ("plain", "kept"), [({"a": None, "b": {"c": None}}, {"b": {}}), ({"a": [None]}, {"a": [None]})]
)
def test_a_key_without_a_value_is_not_given(plain: Any, kept: Any) -> None:
    assert without_nulls(parsed(plain)).value == kept
