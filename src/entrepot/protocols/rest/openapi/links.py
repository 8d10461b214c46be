"""Links of an OpenAPI document (3.1, §4.8.20): what one operation answers that another takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from entrepot.kit.pointers import escape, tokens
from entrepot.model.operation import Link, Operation
from entrepot.model.shape import Nullable, Ref, Shape, Types
from entrepot.ports.link_checks import unfollowable, unheld
from entrepot.protocols.rest.binding.bound import Binding, BoundField, BoundService
from entrepot.protocols.rest.binding.data import bind
from entrepot.shapes.document import Node, Refusal, Unreadable

Members = Callable[[Node], Iterable[tuple[str, Node]]]
"""The members of a node that can be read."""

_BODY = "$response.body"
"""The answer; behind `#` stands the pointer to a part of it (3.1, §4.8.20.4)."""
_NOT_CARRIED = {
    "$response.header.": "what a header tells is no part of the answer that a link leads from",
    "$request.": "what was asked is no part of the answer that a link leads from",
    "": "only the answer's body and its parts are carried",
}


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
            written["requestBody"] = _expression(member)
        else:
            parameters[_parameter_name(bound, binding)] = _expression(member)
    said = {"parameters": parameters, "description": link.docs}
    return written | {key: value for key, value in said.items() if value}


class LinkImport:
    """Reads the links of a document, once its operations are known."""

    def __init__(self, operations: Iterable[Operation], by_id: Mapping[str, str], by_place: Mapping[str, str]) -> None:
        self._operations = {operation.name: operation for operation in operations}
        self._by_id = by_id
        self._by_place = by_place
        self.refusals: list[Refusal] = []

    def read(self, operation: str, output: Shape, response: Node, members: Members, types: Types) -> Iterator[Link]:
        """The links of a response, but for those that say more than ours can."""
        inner = output.shape if isinstance(output, Nullable) else output
        for field, node in members(response["links"]):
            try:
                if not isinstance(inner, Ref):
                    raise node.unreadable("it leads from an answer whose type has no name")
                linked = self._linked(node)
                given = arguments(linked, node, types)
                if reason := unheld(inner.name, types, given.values()):
                    raise node.unreadable(reason)
            except Unreadable as unreadable:
                self.refusals.append(unreadable.refusal(f"link {field} of {operation}"))
                continue
            docs = node["description"].text
            yield Link(type=inner.name, field=field, operation=linked.name, arguments=given, docs=docs)

    def _linked(self, node: Node) -> Operation:
        """The operation that a link names, by its `operationId` or by where it stands. Raises `Unreadable`."""
        place = node.raw("operationRef")
        if place:
            name = self._by_place.get(place.part({"$ref": place.value}).resolved().pointer, "")
        else:
            name = self._by_id.get(node["operationId"].text, "")
        if name not in self._operations:
            raise node.unreadable("it names no imported operation")
        return self._operations[name]


def arguments(operation: Operation, node: Node, types: Types) -> Mapping[str, str]:
    """What a foreign link gives to an operation: its field, and the part of the answer that it gets.

    Raises `Unreadable` for a link that says more than ours can, and for one that could not be followed.
    """
    binding = bind(operation, types)
    found = {
        _taking(parameter, binding, expression): _source(expression)
        for parameter, expression in node["parameters"].members()
    }
    body = node["requestBody"]
    if body:
        whole = next((p.field.name for p in binding.fields if p.where == "body" and binding.body == "value"), None)
        if whole is None:
            raise body.unreadable("it fills a body that is not one value")
        found[whole] = _source(body)
    if reason := unfollowable(operation, found):
        raise node.unreadable(reason)
    return found


def _taking(parameter: str, binding: Binding, expression: Node) -> str:
    """The field that a parameter of a link fills: by its name, which the place may qualify (`path.id`)."""
    for bound in binding.fields:
        if parameter in (bound.name, f"{bound.where}.{bound.name}"):
            return bound.field.name
    raise expression.unreadable(f"the operation has no parameter {parameter}")


def _source(expression: Node) -> str:
    """The part of the answer that an expression means, as a link has it: a member by its name, others by a pointer."""
    body, _, pointer = expression.text.partition("#")
    if body != _BODY or not (pointer == "" or pointer.startswith("/")):
        reason = next(reason for begin, reason in _NOT_CARRIED.items() if expression.text.startswith(begin))
        raise expression.unreadable(reason)
    path = tokens(pointer)
    is_name = len(path) == 1 and path[0] != "" and not path[0].startswith("/")
    return path[0] if is_name else pointer


def _expression(source: str) -> str:
    """The dual of `_source`."""
    pointer = source if source == "" or source.startswith("/") else f"/{escape(source)}"
    return f"{_BODY}#{pointer}" if pointer else _BODY


def _parameter_name(bound: BoundField, binding: Binding) -> str:
    """The name on the wire, with its place before it where another place has the same name."""
    namesakes = [each for each in binding.at("path", "query", "header", "cookie") if each.name == bound.name]
    return bound.name if len(namesakes) == 1 else f"{bound.where}.{bound.name}"
