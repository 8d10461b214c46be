"""What a shape leads to, however far away: the few facts that decide how its values are read and written.

Found once for all named types together, since in a large contract nearly every type leads to
nearly every other.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Mapping
from typing import Any

from entrepot.model import shape as s
from entrepot.shapes import authored, jsonschema
from entrepot.shapes.class_defaults import class_defaults
from entrepot.shapes.kinds import kinds_of
from entrepot.shapes.scalars import fits_int64, int_bounds


class Trait(enum.Flag):
    """One fact."""

    NONE = 0
    BINARY = enum.auto()
    """It holds a file or a raw body, so it has no JSON form."""
    TIME = enum.auto()
    """It holds a time, which msgspec would round to microseconds."""
    UNTYPED = enum.auto()
    """It holds values of which only the JSON kind is known."""
    DECIMAL_NUMBER = enum.auto()
    """It holds a decimal that is a number on the wire."""
    DECIMAL_TEXT = enum.auto()
    """It holds a decimal that is text on the wire."""
    REWRITTEN = enum.auto()
    """It holds a value whose Python type does not say how it is written."""
    CHECKED = enum.auto()
    """It has a rule that msgspec has no word for."""
    READ_ONLY = enum.auto()
    """It holds a record with a member that is for replies only."""
    WRITE_ONLY = enum.auto()
    """It holds a record with a member that is for requests only."""
    HASHED = enum.auto()
    """It holds a set, or a map whose keys are integers or UUIDs."""
    CLASS_DEFAULTS = enum.auto()
    """It holds a dataclass whose defaults must be filled in (`class_defaults`)."""


_BY_ACCESS = {"read": Trait.READ_ONLY, "write": Trait.WRITE_ONLY}


class Traits:
    """The traits of the shapes of one service. `classes` are the author's own, by type name."""

    def __init__(self, types: s.Types, classes: Mapping[str, Any]) -> None:
        self._types = types
        self._classes = classes

    def of(self, shape: s.Shape, *, own_class: bool = False) -> Trait:
        """All that is true of the shape or of anything it leads to.

        `own_class`: it stands in an author's class, whose members msgspec reads by its own rules.
        """
        found, names = self._written_here(shape, own_class)
        for name in names:
            found |= self._of_names.get(name, Trait.NONE)
        return found

    @functools.cached_property
    def _of_names(self) -> dict[str, Trait]:
        found: dict[str, Trait] = {}
        used_by: dict[str, list[str]] = {}
        for name, shape in self._types.items():
            cls = self._classes.get(name)
            found[name], names = self._written_here(shape, cls is not None)
            if authored.tag_of(cls) is not None:
                found[name] |= Trait.CHECKED
            if class_defaults(cls):
                found[name] |= Trait.CLASS_DEFAULTS
            for used in names:
                used_by.setdefault(used, []).append(name)
        pending = list(found)
        while pending:
            name = pending.pop()
            for user in used_by.get(name, ()):
                if found[name] not in found[user]:
                    found[user] |= found[name]
                    pending.append(user)
        return found

    def _written_here(self, shape: s.Shape, own_class: bool) -> tuple[Trait, list[str]]:
        """The traits up to the next references, and their names."""
        found, names, pending = Trait.NONE, list[str](), [shape]
        while pending:
            part = pending.pop()
            if isinstance(part, s.Ref):
                names.append(part.name)
            else:
                found |= self._own(part, own_class)
                pending.extend(s.parts(part))
        return found, names

    def _own(self, part: s.Shape, own_class: bool) -> Trait:
        match part:
            case s.File() | s.Raw():
                return Trait.BINARY
            case s.DateTime(wire="unix" | "unix_ms") | s.Int(wire="text") | s.Bytes(encoding="hex"):
                return Trait.REWRITTEN
            case s.DateTime() | s.Time() | s.Duration():
                return Trait.TIME
            case s.Anything():
                return Trait.UNTYPED
            case s.Json(schema=schema):
                return Trait.UNTYPED if jsonschema.unchecked(schema) else Trait.UNTYPED | Trait.CHECKED
            case s.Decimal(wire=wire):
                exact = Trait.DECIMAL_NUMBER if wire == "number" else Trait.DECIMAL_TEXT
                return exact | Trait.CHECKED if own_class else exact
            case s.Record():
                return self._of_record(part)
            case s.List(unique=True):
                return Trait.HASHED | Trait.CHECKED
            case s.Map(key=key):
                number = "integer" in kinds_of(key, self._types) or isinstance(s.unwrap(key, self._types), s.Uuid)
                return Trait.HASHED if number else Trait.NONE
            case s.Text(pattern=str()):
                return Trait.CHECKED if own_class else Trait.NONE
            case _:
                return Trait.CHECKED if self._has_rule(part) else Trait.NONE

    def _of_record(self, record: s.Record) -> Trait:
        found = Trait.UNTYPED if record.extras == "keep" and record.extra is None else Trait.NONE
        if needs_hook(record):
            found |= Trait.REWRITTEN
        for field in record.fields:
            found |= _BY_ACCESS.get(field.access, Trait.NONE)
        return found

    def _has_rule(self, part: s.Shape) -> bool:
        match part:
            case s.Int():
                return not all(map(fits_int64, int_bounds(part)))
            case s.Union(arms=arms):
                return any(text_with_pattern(arm, self._types) is not None for arm in arms)
            case _:
                return False


def needs_hook(record: s.Record) -> bool:
    """Whether msgspec has no class for the record: it keeps extras, or a name is one that msgspec cannot carry."""
    return record.extras == "keep" or any(_uncarriable(field.name) for field in record.fields)


def _uncarriable(name: str) -> bool:
    return any(character in '"\\' or character < " " for character in name)


def text_with_pattern(arm: s.Shape, types: s.Types) -> s.Text | None:
    """The text in a union's arm whose pattern msgspec must not see (`classes.without_pattern`)."""
    found = s.unwrap(arm, types)
    return found if isinstance(found, s.Text) and found.pattern is not None else None
