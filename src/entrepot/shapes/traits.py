"""What a shape leads to, however far away: the few facts that decide how its values are read and written.

Found once for all named types together, since in a large contract nearly every type leads to
nearly every other.
"""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from entrepot.model import shape as s
from entrepot.shapes import authored, jsonschema, times
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
    UNION = enum.auto()
    """It holds a union, which msgspec may have to leave to us."""
    SCHEMA = enum.auto()
    """It holds values under a schema without a typed shape."""
    FLOAT = enum.auto()
    """It holds a number that has to fit 64 bits."""
    FILLED = enum.auto()
    """It holds a member that may come without being sent: a default."""
    KEYED = enum.auto()
    """It holds a map whose keys are no texts."""
    CLASS_DEFAULTS = enum.auto()
    """It holds a dataclass whose defaults must be filled in (`class_defaults`)."""


_WITH_PARTS = frozenset({s.List, s.Tuple, s.Map, s.Record, s.Union, s.Nullable, s.Page})
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
            found |= self._of_names.get(name, 0)
        return Trait(found)

    @functools.cached_property
    def _of_names(self) -> dict[str, int]:
        # As plain integers: the operators of an enumeration cost more than all the rest.
        found: dict[str, int] = {}
        used_by: dict[str, list[str]] = {}
        for name, shape in self._types.items():
            cls = self._classes.get(name)
            found[name], names = self._written_here(shape, cls is not None)
            if authored.tag_of(cls) is not None:
                found[name] |= Trait.CHECKED.value
            if cls is not None and _may_fill(cls, shape):
                found[name] |= Trait.FILLED.value
            if class_defaults(cls):
                found[name] |= Trait.CLASS_DEFAULTS.value
            for used in names:
                used_by.setdefault(used, []).append(name)
        pending = list(found)
        while pending:
            name = pending.pop()
            for user in used_by.get(name, ()):
                if found[name] & ~found[user]:
                    found[user] |= found[name]
                    pending.append(user)
        return found

    def _written_here(self, shape: s.Shape, own_class: bool) -> tuple[int, list[str]]:
        """The traits up to the next references, and their names."""
        found, names, pending = 0, list[str](), [shape]
        while pending:
            part = pending.pop()
            kind = type(part)
            if kind is s.Ref:
                names.append(part.name)  # type: ignore[union-attr]
                continue
            if (own := _OWN.get(kind)) is not None:
                found |= own(part, own_class, self._types).value
            if kind in _WITH_PARTS:
                pending.extend(s.parts(part))
        return found, names


def _of_int(part: s.Int) -> Trait:
    if part.wire == "text":
        return Trait.REWRITTEN
    return Trait.NONE if all(map(fits_int64, int_bounds(part))) else Trait.CHECKED


def _of_time(part: times.Temporal) -> Trait:
    return Trait.NONE if times.is_kept(part) else Trait.TIME


def _of_text(part: s.Text, own_class: bool) -> Trait:
    return Trait.CHECKED if own_class and part.pattern is not None else Trait.NONE


def _of_decimal(part: s.Decimal, own_class: bool) -> Trait:
    exact = Trait.DECIMAL_NUMBER if part.wire == "number" else Trait.DECIMAL_TEXT
    return exact | Trait.CHECKED if own_class else exact


def _of_json(part: s.Json, own_class: bool) -> Trait:
    if jsonschema.unchecked(part.schema):
        return Trait.UNTYPED
    return Trait.UNTYPED | Trait.SCHEMA | (Trait.CHECKED if own_class else Trait.NONE)


def _of_map(part: s.Map, types: s.Types) -> Trait:
    key = s.unwrap(part.key, types)
    if isinstance(key, s.Text):
        return Trait.NONE
    number = "integer" in kinds_of(key, types) or isinstance(key, s.Uuid)
    return Trait.KEYED | Trait.HASHED if number else Trait.KEYED


def _of_union(part: s.Union, types: s.Types) -> Trait:
    has_pattern = any(text_with_pattern(arm, types) is not None for arm in part.arms)
    return Trait.UNION | Trait.CHECKED if has_pattern else Trait.UNION


def _of_record(part: s.Record) -> Trait:
    found = Trait.UNTYPED if part.extras == "keep" and part.extra is None else Trait.NONE
    if needs_hook(part):
        found |= Trait.REWRITTEN
    if any(field.default is not msgspec.UNSET for field in part.fields):
        found |= Trait.FILLED
    for access in {field.access for field in part.fields if field.access != "both"}:
        found |= _BY_ACCESS[access]
    return found


def _may_fill(cls: Any, shape: s.Shape) -> bool:
    """Whether an author's class may hold more than it was given: by a default, or by its own code."""
    has_optional = isinstance(shape, s.Record) and not all(field.required for field in shape.fields)
    return has_optional or hasattr(cls, "__post_init__")


_Own = Callable[[Any, bool, s.Types], Trait]
_OWN: dict[type, _Own] = {
    s.File: lambda *_: Trait.BINARY,
    s.Raw: lambda *_: Trait.BINARY,
    s.DateTime: lambda part, *_: _of_time(part) if part.wire == "rfc3339" else Trait.REWRITTEN,
    s.Time: lambda part, *_: _of_time(part),
    s.Float: lambda *_: Trait.FLOAT,
    s.Duration: lambda part, *_: _of_time(part),
    s.Bytes: lambda part, *_: Trait.REWRITTEN if part.encoding == "hex" else Trait.NONE,
    s.Anything: lambda *_: Trait.UNTYPED,
    s.List: lambda part, *_: Trait.HASHED | Trait.CHECKED if part.unique else Trait.NONE,
    s.Int: lambda part, *_: _of_int(part),
    s.Text: lambda part, own_class, _: _of_text(part, own_class),
    s.Decimal: lambda part, own_class, _: _of_decimal(part, own_class),
    s.Json: lambda part, own_class, _: _of_json(part, own_class),
    s.Map: lambda part, _, types: _of_map(part, types),
    s.Union: lambda part, _, types: _of_union(part, types),
    s.Record: lambda part, *_: _of_record(part),
}
"""What is true of a shape by itself; of those that are not here, nothing."""


def needs_hook(record: s.Record) -> bool:
    """Whether msgspec has no class for the record: it keeps extras, or a name is one that msgspec cannot carry."""
    return record.extras == "keep" or any(_UNCARRIABLE(field.name) for field in record.fields)


_UNCARRIABLE = re.compile(r'["\\\x00-\x1f]').search


def text_with_pattern(arm: s.Shape, types: s.Types) -> s.Text | times.Temporal | None:
    """The text in a union's arm whose pattern msgspec must not see (`annotations.without_pattern`)."""
    found = s.unwrap(arm, types)
    if isinstance(found, times.Temporal):
        return found if times.is_kept(found) else None
    return found if isinstance(found, s.Text) and found.pattern is not None else None
