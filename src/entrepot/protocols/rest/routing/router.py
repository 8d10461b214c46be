"""Which endpoint a method and a raw path lead to, compiled once.

A path without variables is one dictionary lookup, and so is one whose only variable is its last
segment. Otherwise a tree of segments is walked: literal text goes before a segment with text
around its variable, that before a bare variable.
Segments are split before they are decoded, so an encoded slash is data (RFC 3986, §2.2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec

from entrepot.http.forms import BROKEN_ESCAPE
from entrepot.model.faults import Malformed
from entrepot.protocols.rest.routing.template import Segment, Template, encode_literal

T = TypeVar("T")


class Ambiguous(ValueError):
    """Two templates take the same path, and nothing says which goes first."""

    def __init__(self, reason: str, one: Template, other: Template) -> None:
        super().__init__(reason)
        self.one = one
        """The one that came first."""
        self.other = other


class Entry(msgspec.Struct, Generic[T], frozen=True):
    """An endpoint under its method and template."""

    method: str
    template: Template
    endpoint: T


class MethodTable(Generic[T]):
    """All methods of one path."""

    __slots__ = ("allow", "methods")

    def __init__(self, entries: Iterable[Entry[T]], head: Callable[[T], T]) -> None:
        self.methods = {entry.method: entry.endpoint for entry in entries}
        if "HEAD" in self.methods or "GET" in self.methods:
            self.methods["HEAD"] = head(self.methods.get("HEAD") or self.methods["GET"])
        self.allow = ", ".join(sorted({*self.methods, "OPTIONS"})).encode()


Found = tuple[MethodTable[T], tuple[str, ...]]
"""A table, and the values of its variables in order, as they stand in the path."""


class Router(Generic[T]):
    """Finds tables of methods by raw path. Of templates that clash it takes the first.

    `head` makes what answers HEAD of the endpoint for it, or else of that for GET.
    """

    def __init__(self, entries: Iterable[Entry[T]], head: Callable[[T], T] = lambda endpoint: endpoint) -> None:
        self._static: dict[bytes, Found[T]] = {}
        self._tails: dict[bytes, MethodTable[T]] = {}
        """Places by all that comes before their last segment, a bare variable."""
        self._root: _Node[T] = _Node()
        self.clashes: list[Ambiguous] = []
        """Every pair of templates that no request could tell apart."""
        for group in self._by_pattern(entries):
            try:
                self._root.add(group[0].template, MethodTable(group, head))
            except Ambiguous as ambiguous:
                self.clashes.append(ambiguous)
        self._root.collect([], self._static, self._tails)

    def _by_pattern(self, entries: Iterable[Entry[T]]) -> Iterable[list[Entry[T]]]:
        """Entries of one template, where the names of variables make no difference; the first of each method."""
        groups: dict[tuple[Segment, ...], list[Entry[T]]] = {}
        for entry in entries:
            group = groups.setdefault(entry.template.pattern, [])
            twin = next((each.template for each in group if each.method == entry.method), None)
            if twin is None:
                group.append(entry)
            else:
                reason = f"{entry.method} {twin.text} and {entry.template.text} are the same address"
                self.clashes.append(Ambiguous(reason, twin, entry.template))
        return groups.values()

    def find(self, path: bytes) -> Found[T] | None:
        """The table at a path, or None.

        Raises `Malformed` when the path is not percent-encoded UTF-8.
        """
        found = self._static.get(path)
        if found is not None:
            return found
        head, _, tail = path.rpartition(b"/")
        table = self._tails.get(head)
        if table is not None and tail.isalnum():
            return table, (tail.decode(),)
        raw, decoded = _segments(path)
        return self._root.find(raw, decoded, 0)


def _segments(path: bytes) -> tuple[list[str], list[str]]:
    """The path's segments as they came, and decoded."""
    try:
        raw = path.decode().split("/")
        if b"%" not in path:
            return raw, raw
        if BROKEN_ESCAPE.search(path):
            raise Malformed("the path holds a '%' that is not followed by two hexadecimal digits")
        return raw, [_decode(segment) for segment in raw]
    except UnicodeDecodeError:
        raise Malformed("the path is not UTF-8") from None


def _decode(segment: str) -> str:
    return unquote_to_bytes(segment).decode() if "%" in segment else segment


class _Node(Generic[T]):
    """What may follow at one depth of the tree."""

    __slots__ = ("literals", "mixed", "table", "variable")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.mixed: list[tuple[_Mixed, _Node[T]]] = []
        self.variable: _Node[T] | None = None
        self.table: MethodTable[T] | None = None

    def add(self, template: Template, table: MethodTable[T]) -> None:
        node = self
        for segment in template.segments:
            node = node._child(segment, template)
        node.table = table

    def _child(self, segment: Segment, template: Template) -> _Node[T]:
        if not segment or (len(segment) == 1 and isinstance(segment[0], str)):
            return self.literals.setdefault("".join(map(str, segment)), _Node())
        if len(segment) == 1:
            self.variable = self.variable or _Node()
            return self.variable
        mixed = _Mixed(segment, template)
        for other, node in self.mixed:
            if other.expression == mixed.expression:
                return node
            mixed.check_against(other)
        child: _Node[T] = _Node()
        self.mixed.append((mixed, child))
        self.mixed.sort(key=lambda pair: -pair[0].literal_length)
        return child

    def collect(self, path: list[str], static: dict[bytes, Found[T]], tails: dict[bytes, MethodTable[T]]) -> None:
        """Adds the tables below that can be found without walking."""
        spelt = "/".join(path).encode()
        if self.table is not None:
            static[spelt] = (self.table, ())
        if self.variable is not None and self.variable.table is not None and not self.mixed:
            tails[spelt] = self.variable.table
        for literal, child in self.literals.items():
            child.collect([*path, encode_literal(literal)], static, tails)

    def find(self, raw: list[str], decoded: list[str], depth: int) -> Found[T] | None:
        if depth == len(decoded):
            return (self.table, ()) if self.table is not None else None
        segment = decoded[depth]
        child = self.literals.get(segment)
        if child is not None and (found := child.find(raw, decoded, depth + 1)):
            return found
        if not segment:
            return None
        for mixed, child in self.mixed:
            match = mixed.expression.fullmatch(raw[depth])
            if match and (found := child.find(raw, decoded, depth + 1)):
                return found[0], (*match.groups(), *found[1])
        if self.variable is not None and (found := self.variable.find(raw, decoded, depth + 1)):
            return found[0], (raw[depth], *found[1])
        return None


class _Mixed:
    """A segment of literal text around variables."""

    def __init__(self, segment: Segment, template: Template) -> None:
        self.template = template
        self.prefix = segment[0] if isinstance(segment[0], str) else ""
        self.suffix = segment[-1] if isinstance(segment[-1], str) else ""
        self.literal_length = sum(len(part) for part in segment if isinstance(part, str))
        self.expression = re.compile("".join(_expressions(segment)), re.DOTALL)

    def check_against(self, other: _Mixed) -> None:
        """Raises `Ambiguous` when a segment may fit both and neither is the closer description."""
        if not (_nested(self.prefix, other.prefix) and _nested(self.suffix[::-1], other.suffix[::-1])):
            return
        if self.literal_length == other.literal_length:
            one, two = other.template, self.template
            reason = f"{one.text} and {two.text} may take the same path; change the text around a variable"
            raise Ambiguous(reason, one, two)


def _expressions(segment: Segment) -> Iterable[str]:
    """A variable ends where the literal text after it first occurs; so matching takes linear time."""
    for index, part in enumerate(segment):
        if isinstance(part, str):
            yield re.escape(encode_literal(part))
        elif index + 2 < len(segment):
            following = encode_literal(str(segment[index + 1]))
            yield f"((?:(?!{re.escape(following)})(?:%[0-9A-Fa-f]{{2}}|[^%]))+)"
        else:
            yield "(.+)"


def _nested(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)
