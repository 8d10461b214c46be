"""Which arm of a union a plain value belongs to."""

from __future__ import annotations

import collections
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

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
    # Undeclared members are dropped: of the arms that fit, the one that drops least.
    candidates.sort(key=lambda arm: -_members_kept(arm, plain, types))
    return next((arm for arm in candidates if fits(arm, plain)), None)


def _members_kept(arm: s.Shape, plain: Any, types: s.Types) -> int:
    """How many members of an object would stay if it were read as this arm."""
    if not isinstance(plain, dict):
        return 0
    match s.resolve(arm, types):
        case s.Nullable(shape=inner):
            return _members_kept(inner, plain, types)
        case s.Union(arms=arms):
            return max(_members_kept(each, plain, types) for each in arms)
        case s.Record(extras="drop") as record:
            return sum(field.name in plain for field in record.fields)
        case _:
            return len(plain)


def _by_tag(union: s.Union, plain: Any) -> s.Shape | None:
    tag = plain.get(union.tag_field) if isinstance(plain, dict) else None
    return next((arm for arm, name in zip(union.arms, union.tags, strict=True) if name == tag), None)


def _by_keys(candidates: list[s.Shape], plain: dict[str, Any], types: s.Types) -> s.Shape | None:
    own = own_names([names_of(s.resolve(arm, types)) for arm in candidates])
    return next((arm for arm, names in zip(candidates, own, strict=True) if names & plain.keys()), None)


class Names(NamedTuple):
    """What a record calls its members."""

    required: frozenset[str] = frozenset()
    all: frozenset[str] = frozenset()


def names_of(shape: s.Shape) -> Names:
    """The names of a record's members; nothing else has any."""
    fields = shape.fields if isinstance(shape, s.Record) else ()
    return Names(frozenset(field.name for field in fields if field.required), frozenset(field.name for field in fields))


def own_names(records: Sequence[Names]) -> list[frozenset[str]]:
    """For each record the members that it requires and no other has: by those it is told from the others."""
    among = collections.Counter(name for names in records for name in names.all)
    return [frozenset(name for name in names.required if among[name] == 1) for names in records]
