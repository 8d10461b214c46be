"""Where every value of a file stands, by JSON pointer.

Positions form a tree beside the plain values, so that a part which an alias repeats or an
environment inherits is kept once.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from entrepot.kit.diagnostics import Place
from entrepot.kit.pointers import tokens as split


class Member(msgspec.Struct):
    """A member of a map, or an item of a list: where its key stands, and its value.

    An item's key stands where its value does.
    """

    line: int
    column: int
    node: Node


class Node(msgspec.Struct):
    """A value: where it begins, and its members by name or index."""

    line: int
    column: int
    members: dict[str, Member] = {}


class Positions(msgspec.Struct, frozen=True):
    """The places of one file's values and keys."""

    file: str
    """As messages name it."""
    root: Node = msgspec.field(default_factory=lambda: Node(0, 0))

    def value(self, pointer: str) -> Place:
        """Where the value stands; the nearest value around it when there is none."""
        node, _ = self._nearest(split(pointer))
        return Place(self.file, node.line, node.column)

    def key(self, pointer: str) -> Place:
        """Where the key stands, for an item of a list the item; the nearest one around it when there is none."""
        node, member = self._nearest(split(pointer))
        return Place(self.file, *((member.line, member.column) if member else (node.line, node.column)))

    def _nearest(self, tokens: Iterable[str]) -> tuple[Node, Member | None]:
        node, member = self.root, None
        for token in tokens:
            found = node.members.get(token)
            if found is None:
                break
            node, member = found.node, found
        return node, member
