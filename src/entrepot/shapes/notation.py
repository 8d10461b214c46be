"""Shapes in a line, as people are told them: `{id: int, note?: text or null}`."""

from __future__ import annotations

import json
from collections.abc import Iterable

from entrepot.model import shape

DEPTH_MAX = 4
"""Deepest nesting written out; a named type is written by its name anyway."""

LINE_MAX = 100
"""Characters of what is written on one line, unless it has no parts."""


def written(what: shape.Shape, depth: int = DEPTH_MAX) -> str:
    """The shape in our notation: `?` may be absent, `[…]` is a list, `{text: …}` a map."""
    match what:
        case shape.Ref(name):
            return name
        case shape.Record() if depth == 0:
            return "{…}"
        case shape.Record(fields):
            return "{" + ", ".join(_field(field, depth - 1) for field in fields) + "}"
        case shape.List(item):
            return f"[{written(item, depth)}]"
        case shape.Page(item):
            return f"page of {written(item, depth)}"
        case shape.Tuple(items):
            return f"({', '.join(written(item, depth) for item in items)})"
        case shape.Map(value, key):
            return f"{{{written(key, depth)}: {written(value, depth)}}}"
        case shape.Union(arms):
            return " | ".join(written(arm, depth) for arm in arms)
        case shape.Nullable(inner):
            return f"{written(inner, depth)} or null"
        case shape.Enum(values):
            return " | ".join(json.dumps(value.wire, ensure_ascii=False) for value in values)
        case shape.Raw(media_type):
            return media_type
        case _:
            return str(type(what).__struct_config__.tag)


def lines(what: shape.Shape) -> list[str]:
    """The shape in our notation: a record or a union that is too long for a line has one for each of its parts."""
    line = written(what)
    if len(line) <= LINE_MAX or not isinstance(what, shape.Record | shape.Union):
        return [line]
    if isinstance(what, shape.Union):
        return [f"| {written(arm)}" for arm in what.arms]
    return ["{", *(f"  {_field(field, DEPTH_MAX - 1)}" for field in what.fields), "}"]


def named(types: shape.Types, roots: Iterable[shape.Shape]) -> dict[str, str]:
    """The named types that the roots lead to, each in our notation."""
    return {name: written(types[name]) for name in shape.names_reached(roots, types)}


def _field(field: shape.Field, depth: int) -> str:
    return f"{field.name}{'' if field.required else '?'}: {written(field.shape, depth)}"
