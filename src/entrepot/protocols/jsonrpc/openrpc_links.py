"""Links of an OpenRPC document: what one method answers that another takes.

A link's parameters are expressions of the JSON template language: `${result.id}`. Documents also have
them as older versions wrote them, `$result.id`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from entrepot.model import shape
from entrepot.model.operation import Link, Operation, Service
from entrepot.ports.link_checks import own_links, unfollowable, unheld
from entrepot.protocols.jsonrpc.binding import method_of
from entrepot.shapes.document import Node, Refusal, Unreadable

LINKS = "links"
"""The member of `x-entrepot` in which a document of ours has them all."""

_NAME = "[A-Za-z_][A-Za-z0-9_]*"
_WORD = re.compile(_NAME)
_MEMBER = re.compile(rf"\$(?:\{{result\.({_NAME})\}}|result\.({_NAME}))")


def written(operation: Operation, service: Service) -> list[dict[str, Any]]:
    """The links from what an operation answers, but for those that an expression cannot say."""
    output = operation.output
    if not isinstance(output, shape.Ref):
        return []
    own = (link for link in service.links if link.type == output.name and not link.batch)
    return [_written(link, service) for link in own if all(map(_WORD.fullmatch, link.arguments.values()))]


def _written(link: Link, service: Service) -> dict[str, Any]:
    target = service.operation(link.operation)
    assert target is not None
    params = {parameter: f"${{result.{member}}}" for parameter, member in link.arguments.items()}
    said = {"name": link.field, "method": method_of(target, service), "params": params, "description": link.docs}
    return {name: value for name, value in said.items() if value}


class LinkImport:
    """Reads the links of a document, and gathers what is left out.

    `methods` are the imported ones by name: the operation that each has become, and where it stands.
    """

    def __init__(self, service: Service, methods: Mapping[str, tuple[Operation, Node]]) -> None:
        self._service = service
        self._methods = methods
        self.refusals: list[Refusal] = []

    def read(self, own: Node) -> Iterator[Link]:
        """Those that a document of ours gives, or those of its methods."""
        if own:
            yield from own_links(own, self._service, self.refusals)
            return
        taken: set[tuple[str, str]] = set()
        for operation, method in self._methods.values():
            links = method.raw("links")
            for index in range(len(links.value) if isinstance(links.value, list) else 0):
                try:
                    link = self._link(links[index], operation.output)
                    if (link.type, link.field) in taken:
                        raise links[index].unreadable("another link of this type has the same name")
                except Unreadable as unreadable:
                    self.refusals.append(unreadable.refusal(f"link {index} of {operation.name}"))
                    continue
                taken.add((link.type, link.field))
                yield link

    def _link(self, link: Node, output: shape.Shape) -> Link:
        if not isinstance(output, shape.Ref):
            raise link.unreadable("it starts from a result whose type has no name")
        if not link["name"].text:
            raise link.unreadable("it has no name")
        if link["server"]:
            raise link["server"].unreadable("it leads to another server")
        target, _ = self._methods.get(link["method"].text, (None, None))
        if target is None:
            raise link.unreadable("it names no imported method")
        arguments = {
            parameter: _member(expression, output.name, self._service.types)
            for parameter, expression in link["params"].members()
        }
        if reason := unfollowable(target, arguments):
            raise link.unreadable(reason)
        docs = link["description"].text
        return Link(type=output.name, field=link["name"].text, operation=target.name, arguments=arguments, docs=docs)


def _member(expression: Node, type: str, types: shape.Types) -> str:
    found = _MEMBER.fullmatch(expression.text)
    if found is None:
        raise expression.unreadable("only the value of a member of the result's own is carried")
    member = found[1] or found[2]
    if reason := unheld(type, types, [member]):
        raise expression.unreadable(reason)
    return member
