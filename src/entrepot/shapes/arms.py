"""Which arm of a union a plain value belongs to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from entrepot.model import shape as s
from entrepot.shapes.kinds import NUMBERS, kind_of, kinds_of

Fits = Callable[[s.Shape, Any], bool]
"""Whether a plain value is of a shape, all the way down."""


def choose(union: s.Union, plain: Any, types: s.Types, fits: Fits) -> s.Shape | None:
    """The arm that `plain` is to be read as, or None when it is of none of them.

    The arm is chosen by the least that tells the arms apart, so that a mistake deeper down is
    reported as that mistake, and not as "none of the arms fits".
    """
    if union.choose == "tag":
        return _by_tag(union, plain)
    kind = kind_of(plain)
    candidates = [arm for arm in union.arms if kind in kinds_of(arm, types)]
    if kind == "number":
        # It may be an integer all the same, spelt 1.0, but only where no arm takes it as it is spelt.
        candidates += [arm for arm in union.arms if kinds_of(arm, types) & NUMBERS == {"integer"}]
    if len(candidates) == 1:
        return candidates[0]
    if union.choose == "keys" and kind == "object":
        return _by_keys(candidates, plain, types)
    return next((arm for arm in candidates if fits(arm, plain)), None)


def _by_tag(union: s.Union, plain: Any) -> s.Shape | None:
    tag = plain.get(union.tag_field) if isinstance(plain, dict) else None
    return next((arm for arm, name in zip(union.arms, union.tags, strict=True) if name == tag), None)


def _by_keys(candidates: list[s.Shape], plain: dict[str, Any], types: s.Types) -> s.Shape | None:
    names = [_names(arm, types) for arm in candidates]
    for index, arm in enumerate(candidates):
        others = set[str]().union(*(all_names for i, (_, all_names) in enumerate(names) if i != index))
        if any(name in plain for name in names[index][0] - others):
            return arm
    return None


def _names(arm: s.Shape, types: s.Types) -> tuple[set[str], set[str]]:
    """The required names of a record, and all its names."""
    record = s.resolve(arm, types)
    if not isinstance(record, s.Record):
        return set(), set()
    return {field.name for field in record.fields if field.required}, {field.name for field in record.fields}
