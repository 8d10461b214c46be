"""Where values of a shape can stand in a message: in text, in JSON, in a body of their own."""

from __future__ import annotations

import functools
import re

from entrepot.model import shape as s
from entrepot.model.shape import Shape, Types
from entrepot.protocols.rest.binding.bound import Style
from entrepot.shapes import text
from entrepot.shapes.scalars import SCALARS

_BRACKET = re.compile(r"[\[\]]")


def is_octets(part: Shape, types: Types) -> bool:
    """Whether values of this shape are whole bodies or form parts: a file, raw octets."""
    inner = s.unwrap(part, types)
    return isinstance(inner, (s.File, s.Raw)) or (isinstance(inner, s.Bytes) and inner.encoding == "raw")


def is_upload(part: Shape, types: Types) -> bool:
    """Whether an input of this shape travels outside JSON: octets, or a list of files."""
    inner = s.resolve(part, types)
    files = isinstance(inner, s.List) and isinstance(s.resolve(inner.item, types), s.File)
    return files or is_octets(part, types)


ADDRESS = s.Record(fields=(s.Field(name="location", shape=s.Text(format="uri-reference")),))
"""What an imported operation answers that only says where to go."""


def is_address(output: Shape) -> bool:
    """Whether an output says where to go, and nothing else."""
    fields = output.fields if isinstance(output, s.Record) else ()
    return [(field.name, field.required, isinstance(field.shape, s.Text)) for field in fields] == [
        ("location", True, True)
    ]


def holds_octets(part: Shape, types: Types) -> bool:
    """Whether values of this shape lead to a file or a raw body.

    In a large contract nearly every type leads to nearly every other, so what is found is kept:
    between two questions types may be added to these, not changed.
    """
    without = _types_without_octets(_Same(types))
    names = s.names_reached((part,), types, known=without)
    pending = [part, *(types[name] for name in names)]
    while pending:
        current = pending.pop()
        if isinstance(current, s.File | s.Raw):
            return True
        pending.extend(s.parts(current))
    without.update(names)
    return False


class _Same:
    """A mapping that is equal to itself only, so that it can be the key of a cache."""

    def __init__(self, types: Types) -> None:
        self._types = types

    def __hash__(self) -> int:
        return id(self._types)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other._types is self._types


@functools.lru_cache(maxsize=16)
def _types_without_octets(_types: _Same) -> set[str]:
    return set()


def style_of(part: Shape, types: Types) -> Style:
    """How a value of this shape is written where only text can stand."""
    inner = s.unwrap(part, types)
    if _is_scalar(inner):
        return "scalar"
    if isinstance(inner, s.List) and _is_scalar(s.resolve(inner.item, types)):
        return "repeat"
    return "json"


def _is_scalar(part: Shape) -> bool:
    return isinstance(part, SCALARS) and not isinstance(part, s.Null)


def is_flat(part: Shape, types: Types) -> bool:
    """Whether values of the shape have members, each of them one text."""
    match s.unwrap(part, types):
        case s.Record(fields=fields, extras=extras):
            return extras != "keep" and all(text.has_text_form(field.shape, types) for field in fields)
        case s.Map(key=key, value=value):
            return isinstance(s.resolve(key, types), s.Text) and text.has_text_form(value, types)
        case _:
            return False


def is_memberwise(part: Shape, types: Types) -> bool:
    """Whether every value of the shape can be told by texts alone: no recursion, one kind of object at a place."""
    return _told(part, types, {})


def _told(part: Shape, types: Types, known: dict[str, bool]) -> bool:
    match part:
        case s.Ref(name=name):
            if name not in known:
                known[name] = False  # what is met again inside itself is recursive
                known[name] = _told(types[name], types, known)
            return known[name]
        case s.Record(fields=fields):
            sayable = part.extras != "keep" and not any(_BRACKET.search(field.name) for field in fields)
            return sayable and all(_told(field.shape, types, known) for field in fields)
        case s.Map(key=key, value=value):
            return isinstance(s.resolve(key, types), s.Text) and _told(value, types, known)
        case s.Union(arms=arms):
            structured = [arm for arm in arms if not text.has_text_form(arm, types)]
            nullable = any(isinstance(s.resolve(arm, types), s.Nullable) for arm in arms)
            return len(structured) <= 1 and not nullable and all(_told(arm, types, known) for arm in structured)
        case s.Nullable(shape=inner) | s.List(item=inner):
            return _told(inner, types, known)
        case _:
            return text.has_text_form(part, types)
