"""Where every value of a file stands, by JSON pointer.

Positions form a tree beside the plain values, so that a part which an alias repeats or an
environment inherits is kept once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from entrepot.kit.diagnostics import Place
from entrepot.kit.pointers import escape
from entrepot.kit.pointers import tokens as split

COLUMN_BITS = 32
FIRST = (1 << COLUMN_BITS) + 1
"""The place of a file's first character."""


def place_of(line: int, column: int) -> int:
    """A place as one number: a large file has hundreds of thousands."""
    return (line << COLUMN_BITS) + column


def line_and_column(place: int) -> tuple[int, int]:
    """What the number says."""
    return place >> COLUMN_BITS, place & ((1 << COLUMN_BITS) - 1)


class Node(msgspec.Struct):
    """A value: where it begins, and its members in their order."""

    place: int
    names: Collection[str] | None = None
    """Of a map."""
    nodes: Sequence[Node | int] = []
    """The members' values; of one that has no members, its place alone."""
    keys: list[int] = []
    """Of a map: where the members' keys stand. An item's key stands where its value does."""
    pointers: dict[str, str] = {}
    """By name or index: where in the file a member stands, when an environment has brought it elsewhere."""
    indexes: dict[str, int] | None = None
    """By name: where among `nodes` a member stands; made when one is first asked for."""

    @property
    def members(self) -> dict[str, Member]:
        """By name or index."""
        return {name: self._member(index, name) for index, name in enumerate(self._names())}

    def member(self, name: str) -> Member | None:
        """One of them, which costs the same however many there are."""
        if self.indexes is None:
            self.indexes = {each: index for index, each in enumerate(self._names())}
        index = self.indexes.get(name)
        return None if index is None else self._member(index, name)

    def _names(self) -> Iterable[str]:
        return map(str, range(len(self.nodes))) if self.names is None else self.names

    def _member(self, index: int, name: str) -> Member:
        node = self.nodes[index]
        inner = node if isinstance(node, Node) else Node(node)
        return Member(self.keys[index] if self.keys else inner.place, inner, self.pointers.get(name, ""))

    @classmethod
    def of(cls, place: int, members: Mapping[str, Member], *, is_map: bool) -> Node:
        """A value with these members."""
        nodes: list[Node | int] = [member.node for member in members.values()]
        pointers = {name: member.pointer for name, member in members.items() if member.pointer}
        return cls(place, list(members) if is_map else None, nodes, [each.key for each in members.values()], pointers)


class Member(NamedTuple):
    """A member of a map, or an item of a list: where its key stands, and its value."""

    key: int
    node: Node
    pointer: str = ""


class Positions(msgspec.Struct, frozen=True):
    """The places of one file's values and keys."""

    file: str
    """As messages name it."""
    root: Node = msgspec.field(default_factory=lambda: Node(0))

    def value(self, pointer: str) -> Place:
        """Where the value stands; the nearest value around it when there is none."""
        node, _, found = self._nearest(pointer)
        return Place(self.file, *line_and_column(node.place), found)

    def key(self, pointer: str) -> Place:
        """Where the key stands, for an item of a list the item; the nearest one around it when there is none."""
        node, member, found = self._nearest(pointer)
        return Place(self.file, *line_and_column(member.key if member else node.place), found)

    def _nearest(self, pointer: str) -> tuple[Node, Member | None, str]:
        """The value that is there or around it, its key, and its pointer in the file."""
        node, member, here = self.root, None, ""
        for token in split(pointer):
            found = node.member(token)
            if found is None:
                break
            node, member, here = found.node, found, found.pointer or f"{here}/{escape(token)}"
        return node, member, here
