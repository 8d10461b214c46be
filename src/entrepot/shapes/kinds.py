"""The JSON kinds: what a value is before anything is known about its shape."""

from __future__ import annotations

import decimal
from collections.abc import Iterable
from typing import Any, Literal

from entrepot.model import shape as s

Kind = Literal["null", "boolean", "integer", "number", "string", "array", "object", "other"]

ALL: frozenset[Kind] = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
NUMBERS: frozenset[Kind] = frozenset({"integer", "number"})
OF_TYPE: dict[type, Kind] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    decimal.Decimal: "number",
    str: "string",
    list: "array",
    tuple: "array",
    dict: "object",
}
"""The kind of plain data, by its Python type."""
WORDS: dict[Kind, str] = {
    "null": "null",
    "boolean": "true or false",
    "integer": "an integer",
    "number": "a number",
    "string": "a string",
    "array": "an array",
    "object": "an object",
    "other": "something JSON cannot express",
}
"""Each kind with its article, for messages."""


def kind_of(plain: Any) -> Kind:
    """The kind of plain data. An integer is told from other numbers by how it is written."""
    return OF_TYPE.get(type(plain), "other")


def kinds_of(shape: s.Shape, types: s.Types) -> frozenset[Kind]:
    """The kinds that values of a shape may have."""
    found: set[Kind] = set()
    pending, seen = [shape], set[str]()
    while pending:
        match pending.pop():
            case s.Ref(name=name):
                if name not in seen:
                    seen.add(name)
                    pending.append(types[name])
            case s.Nullable(shape=inner):
                found.add("null")
                pending.append(inner)
            case s.Union(arms=arms):
                pending.extend(arms)
            case other:
                found |= _own_kinds(other)
    return frozenset(found)


def apart_by_kind(arms: Iterable[frozenset[Kind]]) -> bool:
    """Whether no kind belongs to two arms of a union; integers count as apart from other numbers."""
    seen: set[Kind] = set()
    for kinds in arms:
        own = kinds - {"integer"} if "number" in kinds else kinds
        if own & seen:
            return False
        seen |= own
    return True


def _own_kinds(shape: s.Shape) -> frozenset[Kind]:
    match shape:
        case s.Null():
            return frozenset({"null"})
        case s.Bool():
            return frozenset({"boolean"})
        case s.Int(wire=wire):
            return frozenset({"integer"}) if wire == "number" else frozenset({"string"})
        case s.Float():
            return NUMBERS
        case s.Decimal(wire=wire):
            return NUMBERS if wire == "number" else frozenset({"string"})
        case s.DateTime(wire=wire):
            return frozenset({"string"}) if wire == "rfc3339" else NUMBERS
        case s.Enum(values=values):
            return frozenset(kind_of(value.wire) for value in values)
        case s.List() | s.Tuple():
            return frozenset({"array"})
        case s.Map() | s.Record() | s.Page():
            return frozenset({"object"})
        case s.Anything() | s.Json():
            return ALL
        case s.File() | s.Raw():
            return frozenset({"other"})
        case _:
            return frozenset({"string"})
