"""A command line that a person can paste to try a service."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from typing import Any

from entrepot.http.forms import format_pairs
from entrepot.model.operation import Operation, Service
from entrepot.model.shape import Field, Types
from entrepot.protocols.rest.binding.bound import NDJSON, Binding, mount
from entrepot.shapes.sample import sample


def command(service: Service, bound: Iterable[tuple[Operation, Binding]], base_url: str) -> str:
    """A curl line for the operation that is easiest to call; "" when there is none."""
    candidates = [pair for pair in bound if pair[1].body in ("none", "object", "value")]
    if not candidates:
        return ""
    operation, binding = min(candidates, key=_effort)
    return _curl(operation, binding, service.types, base_url.rstrip("/") + mount(service).rstrip("/"))


def _effort(pair: tuple[Operation, Binding]) -> tuple[bool, bool, int]:
    """Reading before writing, plain answers before streams, few required fields before many."""
    operation, binding = pair
    required = sum(bound.field.required for bound in binding.fields)
    return not operation.safe, operation.stream_output, required + (0 if operation.examples else 1)


def _curl(operation: Operation, binding: Binding, types: Types, base: str) -> str:
    given = next((example.input for example in operation.examples if isinstance(example.input, dict)), {})

    def value_of(field: Field) -> Any:
        return given[field.name] if field.name in given else sample(field.shape, types)

    wanted = [p for p in binding.fields if p.field.required or p.field.name in given]
    path = binding.path.expand({p.name: [_text(value_of(p.field))] for p in wanted if p.where == "path"})
    query = format_pairs((p.name, _text(value_of(p.field))) for p in wanted if p.where == "query").decode()
    words = ["curl"]
    if operation.stream_output:
        words += ["-N", "-H", f"accept: {NDJSON}"]
    for bound in wanted:
        if bound.where == "header":
            words += ["-H", f"{bound.name}: {_text(value_of(bound.field))}"]
    # A body that may be left out is shown all the same: without one, there is often little to see.
    fields = [p for p in wanted if p.where == "body"] or list(binding.at("body"))
    if binding.method not in ("GET", "POST") or (binding.method == "POST" and not fields):
        words += ["-X", binding.method]
    if fields:
        value = value_of(fields[0].field) if binding.body == "value" else {p.name: value_of(p.field) for p in fields}
        words += ["--json", json.dumps(value, ensure_ascii=False)]
    return shlex.join([*words, f"{base}{path}" + (f"?{query}" if query else "")])


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list) and value:
        return _text(value[0])
    return value if isinstance(value, str) else json.dumps(value)
