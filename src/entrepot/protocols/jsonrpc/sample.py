"""A command line that a person can paste to try a service."""

from __future__ import annotations

import shlex
from typing import Any

import msgspec

from entrepot.model.operation import Operation, Service
from entrepot.protocols.jsonrpc.binding import method_of
from entrepot.shapes.sample import sample
from entrepot.shapes.text import has_text_form

_ENCODER = msgspec.json.Encoder(decimal_format="number")
"""Samples may hold numbers as exact decimals."""


def command(service: Service, url: str) -> str:
    """A curl line that calls one operation; "" when there is no operation whose input is a few plain values."""
    samples = [
        (operation, params) for operation in service.operations if (params := _params(operation, service)) is not None
    ]
    if not samples:
        return ""
    operation, params = min(samples, key=lambda sample: (not sample[0].safe, not sample[0].examples))
    body = {"jsonrpc": "2.0", "method": method_of(operation, service), "params": params, "id": 1}
    return f"curl {url} --json {shlex.quote(_ENCODER.encode(body).decode())}"


def _params(operation: Operation, service: Service) -> Any:
    required = [field for field in operation.input.fields if field.required]
    for example in operation.examples:
        given = example.input
        if given is not msgspec.UNSET and not (isinstance(given, dict) and any(f.name not in given for f in required)):
            return given
    if not all(has_text_form(field.shape, service.types) for field in required):
        return None
    return {field.name: sample(field.shape, service.types) for field in required}
