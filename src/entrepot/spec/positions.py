"""Where every value of a file stands, by JSON pointer.

Positions form a tree beside the plain values, so that a part which an alias repeats or an
environment inherits is kept once.
"""

from __future__ import annotations

import msgspec

from entrepot.kit.diagnostics import Place
from entrepot.kit.pointers import escape
from entrepot.kit.pointers import tokens as split


class Member(msgspec.Struct):
    """A member of a map, or an item of a list: where its key stands, and its value.

    An item's key stands where its value does.
    """

    line: int
    column: int
    node: Node
    pointer: str = ""
    """Where in the file it stands, when an environment has brought it elsewhere."""


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
        node, _, found = self._nearest(pointer)
        return Place(self.file, node.line, node.column, found)

    def key(self, pointer: str) -> Place:
        """Where the key stands, for an item of a list the item; the nearest one around it when there is none."""
        node, member, found = self._nearest(pointer)
        return Place(self.file, *((member.line, member.column) if member else (node.line, node.column)), found)

    def _nearest(self, pointer: str) -> tuple[Node, Member | None, str]:
        """The value that is there or around it, its key, and its pointer in the file."""
        node, member, here = self.root, None, ""
        for token in split(pointer):
            found = node.members.get(token)
            if found is None:
                break
            node, member, here = found.node, found, found.pointer or f"{here}/{escape(token)}"
        return node, member, here
