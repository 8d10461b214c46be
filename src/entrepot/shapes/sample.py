"""A plain value of a shape, for a person to start from: in a command line to paste, in a document."""

from __future__ import annotations

from typing import Any

from entrepot.model import shape as s

_DEPTH_MAX = 4


def sample(shape: s.Shape, types: s.Types, depth: int = 0) -> Any:
    """Plain data of the shape, or close to it: bounds are kept, patterns are not looked at."""
    match s.resolve(shape, types):
        case s.Nullable(shape=inner):
            return sample(inner, types, depth)
        case s.Bool():
            return True
        case s.Int(minimum=least, maximum=most, wire=wire):
            number = least if least is not None else min(1, 1 if most is None else most)
            return str(number) if wire == "text" else number
        case s.Float() | s.DateTime(wire="unix" | "unix_ms"):
            return 1
        case s.Decimal(wire=wire):
            return "10.50" if wire == "text" else 10.5
        case s.Text(length_min=least, length_max=most):
            return "text".ljust(least or 0, "x")[:most]
        case s.Enum(values=values):
            return values[0].wire
        case s.List(item=item):
            return [sample(item, types, depth + 1)] if depth < _DEPTH_MAX else []
        case s.Record(fields=fields):
            required = [field for field in fields if field.required]
            wanted = (required or fields) if depth < _DEPTH_MAX else ()
            return {field.name: sample(field.shape, types, depth + 1) for field in wanted}
        case s.Union(arms=arms):
            return sample(arms[0], types, depth + 1)
        case other:
            return _WORDS.get(type(other), "text")


_WORDS: dict[type, Any] = {
    s.Null: None,
    s.Bytes: "dGV4dA==",
    s.Date: "2024-01-31",
    s.Time: "12:30:00",
    s.DateTime: "2024-01-31T12:30:00Z",
    s.Duration: "PT1H",
    s.Uuid: "6f1c1f9e-5d3a-4b0e-9f43-0a6f3d2a7c11",
    s.Map: {},
    s.Tuple: [],
    s.Anything: {},
    s.Json: {},
}
