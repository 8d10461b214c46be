"""A command line that a person can paste to try a service."""

from __future__ import annotations

import shlex
from typing import Any

import msgspec

from entrepot.model import shape
from entrepot.model.operation import Operation, Service
from entrepot.protocols.jsonrpc.binding import method_of

_SCALARS: dict[type, Any] = {
    shape.Bool: True,
    shape.Float: 1.5,
    shape.Decimal: "1.50",
    shape.Date: "2026-01-31",
    shape.Time: "12:30:00",
    shape.DateTime: "2026-01-31T12:30:00Z",
    shape.Duration: "PT1M",
    shape.Uuid: "01234567-89ab-4cde-8f01-23456789abcd",
}


def command(service: Service, url: str) -> str:
    """A curl line that calls one operation; "" when there is no operation whose input is a few plain values."""
    samples = [
        (operation, params) for operation in service.operations if (params := _params(operation, service)) is not None
    ]
    if not samples:
        return ""
    operation, params = min(samples, key=lambda sample: (not sample[0].safe, not sample[0].examples))
    body = {"jsonrpc": "2.0", "method": method_of(operation, service), "params": params, "id": 1}
    return f"curl {url} --json {shlex.quote(msgspec.json.encode(body).decode())}"


def _params(operation: Operation, service: Service) -> Any:
    for example in operation.examples:
        if example.input is not msgspec.UNSET:
            return example.input
    params = {}
    for field in operation.input.fields:
        if field.required:
            value = _value(shape.resolve(field.shape, service.types))
            if value is None:
                return None
            params[field.name] = value
    return params


def _value(wanted: shape.Shape) -> Any:
    """A plain value of a scalar shape; None for any other shape."""
    match wanted:
        case shape.Int():
            least = max(1, wanted.minimum or 1)
            return str(least) if wanted.wire == "text" else least
        case shape.Text():
            return "text".ljust(wanted.length_min or 0, "x")[: wanted.length_max] if not wanted.pattern else None
        case shape.Enum():
            return wanted.values[0].wire if wanted.values else None
        case _:
            return _SCALARS.get(type(wanted))
