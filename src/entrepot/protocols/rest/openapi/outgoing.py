"""Callbacks and webhooks (OpenAPI 3.1, §4.8.18 and §4.8.1): what a service sends, and receivers answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from entrepot.model.operation import Operation, Outgoing
from entrepot.protocols.rest.binding.bound import METHODS
from entrepot.shapes.document import Node

Json = dict[str, Any]
Members = Callable[[Node], Iterable[tuple[str, Node]]]
"""The members of a node that can be read."""


class Sent(NamedTuple):
    """Where one outgoing operation stands."""

    key: str
    """What the document calls it."""
    method: str
    item: Node
    of: str = ""
    address: str = ""

    @property
    def construct(self) -> str:
        """For a person to read."""
        return f"callback {self.key} of {self.of}" if self.of else f"webhook {self.key}"


def callbacks(of: str, operation: Node, members: Members) -> Iterator[Sent]:
    """Those of one operation."""
    for key, callback in members(operation["callbacks"]):
        for address, item in members(callback):
            for name, method in _methods(key, item):
                yield Sent(name, method, item, of, address)


def webhooks(root: Node, members: Members) -> Iterator[Sent]:
    """Those of a document."""
    for key, item in members(root["webhooks"]):
        for name, method in _methods(key, item):
            yield Sent(name, method, item)


def _methods(key: str, item: Node) -> list[tuple[str, str]]:
    """The methods of a path item; of several, each is in the operation's name."""
    value = item.value if isinstance(item.value, dict) else {}
    methods = [method for method in (*METHODS, "TRACE", "OPTIONS") if method.lower() in value]
    return [(key if len(methods) == 1 else f"{key} {method}", method) for method in methods]


def written_callbacks(of: str, outgoing: Iterable[Outgoing], write: Callable[[Operation], Json]) -> Json:
    """The callbacks of an operation, each called as its operation is."""
    return {
        each.operation.name: {each.address: write(each.operation)} for each in outgoing if each.of and each.of == of
    }


def written_webhooks(outgoing: Iterable[Outgoing], write: Callable[[Operation], Json]) -> Json:
    """The webhooks of a service."""
    return {each.operation.name: write(each.operation) for each in outgoing if not each.of}
