"""A command line that a person can paste to try a service."""

from __future__ import annotations

import json
import shlex
from typing import Any

from entrepot.http.forms import format_pairs
from entrepot.model.shape import Field, Types
from entrepot.protocols.rest.binding.bound import NDJSON, Binding, BoundService
from entrepot.protocols.rest.parameters.delimited import SEPARATORS, is_object
from entrepot.shapes.sample import sample


def command(bound: BoundService, base_url: str) -> str:
    """A curl line for the operation that is easiest to call; "" when there is none."""
    types = bound.service.types
    candidates = [binding for binding in bound.bindings if _is_plain(binding, types)]
    if not candidates:
        return ""
    return _curl(min(candidates, key=_effort), types, base_url.rstrip("/") + bound.mount.rstrip("/"))


def _is_plain(binding: Binding, types: Types) -> bool:
    """Whether nothing but names and values is to be written."""
    return binding.body in ("none", "object", "value") and not any(
        bound.style in ("label", "matrix") or (bound.style in SEPARATORS and is_object(bound, types))
        for bound in binding.fields
    )


def _effort(binding: Binding) -> tuple[bool, bool, int]:
    """Reading before writing, plain answers before streams, few required fields before many."""
    operation = binding.operation
    required = sum(bound.field.required for bound in binding.fields)
    return not operation.safe, operation.stream_output, required + (0 if operation.examples else 1)


def _curl(binding: Binding, types: Types, base: str) -> str:
    operation = binding.operation
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
        words += ["--json", json.dumps(value, ensure_ascii=False, default=float)]
    return shlex.join([*words, f"{base}{path}" + (f"?{query}" if query else "")])


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list) and value:
        return _text(value[0])
    return value if isinstance(value, str) else json.dumps(value, default=float)
