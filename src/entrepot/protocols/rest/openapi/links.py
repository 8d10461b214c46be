"""Links of an OpenAPI document (3.1, §4.8.20): what one operation answers that another takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from entrepot.kit.pointers import escape, tokens
from entrepot.model.operation import Link, Operation
from entrepot.model.shape import Types
from entrepot.protocols.rest.binding.bound import Binding, BoundField, BoundService, has_default
from entrepot.protocols.rest.binding.data import bind
from entrepot.shapes.document import Node

_MEMBER = "$response.body#/"
"""Before the pointer to a member of the answer (3.1, §4.8.20.4)."""


def link(link: Link, operation_id: str, service: BoundService) -> dict[str, Any] | None:
    """The link as OpenAPI has it; None where it leads elsewhere, or fills a part of a body: it has no word for that."""
    binding = service.binding(link.operation)
    if binding is None:
        return None
    written: dict[str, Any] = {"operationId": operation_id}
    parameters: dict[str, str] = {}
    for bound in binding.fields:
        member = link.arguments.get(bound.field.name)
        if member is None:
            continue
        if bound.where in ("body", "form"):
            if binding.body != "value":
                return None
            written["requestBody"] = f"{_MEMBER}{escape(member)}"
        else:
            parameters[_parameter_name(bound, binding)] = f"{_MEMBER}{escape(member)}"
    said = {"parameters": parameters, "description": link.docs}
    return written | {key: value for key, value in said.items() if value}


def arguments(operation: Operation, node: Node, types: Types) -> Mapping[str, str]:
    """What a foreign link gives to an operation: its field, and the member of the answer that it gets.

    Raises `Unreadable` for a link that says more than ours can, and for one that could not be followed.
    """
    binding = bind(operation, types)
    found = {
        _taking(parameter, binding, expression): _member(expression)
        for parameter, expression in node["parameters"].members()
    }
    body = node["requestBody"]
    if body:
        whole = next((p.field.name for p in binding.fields if p.where == "body" and binding.body == "value"), None)
        if whole is None:
            raise body.unreadable("it fills a body that is not one value")
        found[whole] = _member(body)
    missing = [
        field.name
        for field in operation.input.fields
        if field.required and not has_default(field) and field.name not in found
    ]
    if missing:
        raise node.unreadable(f"it does not say what {operation.name} gets for {', '.join(missing)}")
    return found


def _taking(parameter: str, binding: Binding, expression: Node) -> str:
    """The field that a parameter of a link fills: by its name, which the place may qualify (`path.id`)."""
    for bound in binding.fields:
        if parameter in (bound.name, f"{bound.where}.{bound.name}"):
            return bound.field.name
    raise expression.unreadable(f"the operation has no parameter {parameter}")


def _member(expression: Node) -> str:
    path = tokens(expression.text.removeprefix(_MEMBER.rstrip("/"))) if expression.text.startswith(_MEMBER) else []
    if len(path) != 1:
        raise expression.unreadable("only the value of a member of the answer's own is carried")
    return path[0]


def _parameter_name(bound: BoundField, binding: Binding) -> str:
    """The name on the wire, with its place before it where another place has the same name."""
    namesakes = [each for each in binding.at("path", "query", "header", "cookie") if each.name == bound.name]
    return bound.name if len(namesakes) == 1 else f"{bound.where}.{bound.name}"
