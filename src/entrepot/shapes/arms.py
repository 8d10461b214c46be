"""Which arm of a union a plain value belongs to."""

from __future__ import annotations

import collections
import functools
import operator
from collections.abc import Callable, KeysView, Sequence
from typing import Any, Literal, NamedTuple

from entrepot.model import shape as s
from entrepot.shapes.kinds import NUMBERS, OF_TYPE, Kind, apart_by_kind, kind_of, kinds_of

Fits = Callable[[s.Shape, Any], bool]
"""Whether a plain value is of a shape, all the way down."""


def choose(union: s.Union, plain: Any, types: s.Types, fits: Fits) -> s.Shape | None:
    """The arm that `plain` is to be read as, or None when it is of none of them.

    The arm is chosen by the least that tells the arms apart, so that a mistake deeper down is
    reported as that mistake, and not as "none of the arms fits".
    """
    candidates = Candidates(union, types).of(plain)
    if len(candidates) == 1:
        return candidates[0]
    return next((arm for arm in candidates if fits(arm, plain)), None)


def told_apart(arms: Sequence[s.Shape], types: s.Types) -> Literal["kind", "keys"] | None:
    """What tells values of these shapes apart, whichever they are; None where nothing does."""
    # Null tells no arm from another: it is the same value in each.
    kinds = [kinds_of(arm, types) - {"null"} for arm in arms]
    if apart_by_kind(kinds):
        return "kind"
    objects = [s.resolve(arm, types) for arm, own in zip(arms, kinds, strict=True) if "object" in own]
    if not apart_by_kind(own - {"object"} for own in kinds) or not all(isinstance(each, s.Record) for each in objects):
        return None
    return "keys" if all(own_names([names_of(each) for each in objects])) else None


class Candidates:
    """The arms of one union that a plain value may belong to, found by what can be seen at its top."""

    def __init__(self, union: s.Union, types: s.Types) -> None:
        self._union = union
        self._types = types

    def of(self, plain: Any) -> Sequence[s.Shape]:
        """The arms, the likeliest first. A single one is meant even if the value does not fit it."""
        if self._union.choose == "tag":
            tag = plain.get(self._union.tag_field) if isinstance(plain, dict) else None
            return self._by_tag.get(tag, ()) if isinstance(tag, str) else ()
        kind = kind_of(plain)
        candidates = self._by_kind(kind)
        if len(candidates) == 1 or kind != "object":
            return candidates
        if self._union.choose == "keys":
            own = next((arm for arm, names in self.own_names if not names.isdisjoint(plain)), None)
            return () if own is None else (own,)
        # Undeclared members are dropped: of the arms that fit, the one that drops least.
        names = plain.keys()
        kept = [_most_kept(known, names) for known in self._kept_names]
        if all(map(operator.ge, kept, kept[1:])):
            return candidates
        return [candidates[index] for index in sorted(range(len(kept)), key=kept.__getitem__, reverse=True)]

    @functools.cached_property
    def _by_tag(self) -> dict[str, tuple[s.Shape]]:
        pairs = zip(self._union.tags, self._union.arms, strict=True)
        return {tag: (arm,) for tag, arm in reversed(list(pairs))}

    @functools.cached_property
    def _by_kind(self) -> Callable[[Kind], Sequence[s.Shape]]:
        kinds = [(arm, kinds_of(arm, self._types)) for arm in self._union.arms]

        @functools.cache
        def arms(kind: Kind) -> Sequence[s.Shape]:
            candidates = [arm for arm, own in kinds if kind in own]
            if kind == "number":
                # It may be an integer all the same, spelt 1.0, but only where no arm takes it as it is spelt.
                candidates += [arm for arm, own in kinds if own & NUMBERS == {"integer"}]
            return candidates

        return arms

    @property
    def by_type(self) -> dict[type, Sequence[s.Shape]]:
        """The arms by the Python type of plain data."""
        return {of_type: self._by_kind(kind) for of_type, kind in OF_TYPE.items()}

    @functools.cached_property
    def own_names(self) -> list[tuple[s.Shape, frozenset[str]]]:
        """For each arm that is an object the names by which it is told from the others."""
        arms = self._by_kind("object")
        return list(zip(arms, own_names([names_of(s.resolve(arm, self._types)) for arm in arms]), strict=True))

    @functools.cached_property
    def _kept_names(self) -> list[_Kept]:
        return [_kept_names(arm, self._types) for arm in self._by_kind("object")]


_Kept = list[frozenset[str] | None]
"""The names that stay of an object, for each record that an arm may be; None where all do."""


def _kept_names(arm: s.Shape, types: s.Types) -> _Kept:
    found, pending, seen = _Kept(), [arm], set[str]()
    while pending:
        match pending.pop():
            case s.Ref(name=name):
                if name not in seen:
                    seen.add(name)
                    pending.append(types[name])
            case s.Nullable(shape=inner):
                pending.append(inner)
            case s.Union(arms=arms):
                pending.extend(arms)
            case s.Record(extras="drop") as record:
                found.append(frozenset(field.name for field in record.fields))
            case _:
                found.append(None)
    return found


def _most_kept(known: _Kept, names: KeysView[str]) -> int:
    if len(known) == 1 and (only := known[0]) is not None:
        return len(only & names)
    return max((len(names) if each is None else len(each & names) for each in known), default=0)


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
