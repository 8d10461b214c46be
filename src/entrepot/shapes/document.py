"""Foreign interface documents: their parts by pointer, references followed, and what could not be read of them.

Everything here takes documents as they are: what is missing is empty, what leads nowhere is refused with its
place. Where a part stands is told by a JSON pointer, which in another file than the main one has the file and
`#` before it: `/paths/~1pets`, `schemas/pet.yaml#/Pet`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from entrepot.kit import pointers
from entrepot.kit.diagnostics import Place
from entrepot.shapes.locations import joined, rebased

_REFERENCES_MAX = 50
_INDEX = re.compile(r"[0-9]{1,9}")


class Refusal(msgspec.Struct, frozen=True):
    """A part of a document that was not read, or was read more loosely than it is written, and why."""

    pointer: str
    construct: str
    """What stands there, in the document's own words: `POST /pets`, `oneOf`."""
    reason: str


class Unreadable(Exception):
    """A part of a document that cannot be read. Where it stands, whoever catches it may know better."""

    def __init__(self, construct: str, reason: str, pointer: str = "") -> None:
        super().__init__(f"{construct}: {reason}" if construct else reason)
        self.construct = construct
        self.reason = reason
        self.pointer = pointer

    def refusal(self, construct: str) -> Refusal:
        """As a part of a whole that `construct` names."""
        return Refusal(self.pointer, construct, str(self))


def split(pointer: str) -> tuple[str, str]:
    """The location of the file that a pointer leads into, "" for the main one, and the JSON pointer there."""
    if pointer == "" or pointer.startswith("/"):
        return "", pointer
    location, _, rest = pointer.partition("#")
    return location, rest


class Document(msgspec.Struct, frozen=True):
    """A foreign interface document, parsed, and where it came from."""

    content: Any
    """The main file: plain JSON values, references unresolved."""
    source: str
    """File or URL of the main file, for messages."""
    main: str = ""
    """Its location (`shapes/locations.py`)."""
    files: Mapping[str, Any] = {}
    """By location: the other files that it refers to, one through another."""

    def place(self, pointer: str) -> Place:
        """Where a part stands, as a diagnostic tells it."""
        location, pointer_there = split(pointer)
        return Place(location or self.source, pointer=pointer_there)


class Tree:
    """A document that is followed from reference to reference."""

    def __init__(self, content: Any, main: str = "", files: Mapping[str, Any] = {}) -> None:
        self.content = content
        self._main = main
        self._files = files
        self._rebased: dict[str, Any] = {"": content}
        """By location, "" for the main file: with references that mean the same wherever they stand."""

    @classmethod
    def of(cls, document: Document) -> Tree:
        """All the files of a document."""
        return cls(document.content, document.main, document.files)

    def pointer_of(self, reference: Any) -> str:
        """Where a `$ref` leads. Raises `Unreadable` for one that leads out of the document."""
        file, _, fragment = reference.partition("#") if isinstance(reference, str) else ("", "", "no pointer")
        location = joined(self._main, file) if file else ""
        location = "" if location == self._main else location
        if (location and location not in self._files) or not (fragment == "" or fragment.startswith("/")):
            raise Unreadable("$ref", f"the reference {reference!r} leads out of the document")
        return f"{location}#{unquote(fragment)}" if location else unquote(fragment)

    def at(self, pointer: str) -> Any:
        """What stands at a pointer. Raises `Unreadable` when nothing does."""
        location, pointer_there = split(pointer)
        found = self._file(location)
        for token in pointers.tokens(pointer_there):
            if isinstance(found, dict) and token in found:
                found = found[token]
            elif isinstance(found, list) and _INDEX.fullmatch(token) and int(token) < len(found):
                found = found[int(token)]
            else:
                raise Unreadable("$ref", f"the reference leads nowhere: nothing stands at {pointer!r}")
        return found

    def _file(self, location: str) -> Any:
        if location not in self._rebased:
            try:
                self._rebased[location] = rebased(self._files[location], location)
            except RecursionError:
                raise Unreadable("$ref", f"the file {location} is nested too deeply") from None
        return self._rebased[location]

    def has(self, pointer: str) -> bool:
        """Whether anything stands at a pointer."""
        try:
            self.at(pointer)
        except Unreadable:
            return False
        return True


class Node(msgspec.Struct, frozen=True):
    """A value in a document, and where it stands."""

    tree: Tree
    value: Any
    pointer: str = ""

    def __getitem__(self, name: Any) -> Node:
        """A member or an item, references followed; None where there is none. Raises `Unreadable`."""
        return self.raw(name).resolved()

    def raw(self, name: Any) -> Node:
        """A member or an item as it stands, a reference not followed: what a schema is read from."""
        value = None
        if isinstance(self.value, Mapping):
            value = self.value.get(name)
        elif isinstance(self.value, list) and isinstance(name, int) and name < len(self.value):
            value = self.value[name]
        return Node(self.tree, value, f"{self.pointer}/{pointers.escape(str(name))}")

    def members(self) -> Iterator[tuple[str, Node]]:
        """The members of an object, names as text."""
        if isinstance(self.value, Mapping):
            for name in self.value:
                yield str(name), self[name]

    def items(self) -> Iterator[Node]:
        """The items of a list."""
        if isinstance(self.value, list):
            for index in range(len(self.value)):
                yield self[index]

    def resolved(self) -> Node:
        """What a reference refers to. Raises `Unreadable` for one that leads nowhere or out of the document."""
        node = self
        try:
            for _ in range(_REFERENCES_MAX):
                if not isinstance(node.value, Mapping) or not isinstance(node.value.get("$ref"), str):
                    return node
                pointer = self.tree.pointer_of(node.value["$ref"])
                node = Node(self.tree, self.tree.at(pointer), pointer)
        except Unreadable as unreadable:
            raise self.unreadable(unreadable.reason) from None
        raise self.unreadable("the reference leads in a circle")

    def part(self, value: Any, pointer: str = "") -> Node:
        """Something that the document says in other words, as it is read: at this place, or at another."""
        return Node(self.tree, value, pointer or self.pointer)

    def unreadable(self, reason: str) -> Unreadable:
        """The refusal of this part."""
        return Unreadable("", reason, self.pointer)

    @property
    def text(self) -> str:
        """The value where it is text, else ""."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def is_true(self) -> bool:
        """Whether it is the value true."""
        return self.value is True

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return self.value is not None


NOTHING = Node(Tree(None), None)
"""What a document does not say."""
