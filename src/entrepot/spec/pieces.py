"""Reading a declaration again: of a long list or map at its top level, only the pieces that are new are parsed.

A piece is an item, or a member, with its lines. One that stands in the text as it did when the file was last read
means what it meant, whatever has moved it; so a changed route of ten thousand costs no more than a short file. Where
pieces could depend on each other, or anything is wrong, the file is read as a whole, which says what.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any

import msgspec

from entrepot.kit.diagnostics import Refused
from entrepot.spec import yaml
from entrepot.spec.positions import COLUMN_BITS, Node, Positions, line_and_column, place_of
from entrepot.spec.yaml import DEFAULT_LIMITS, Parsed, YamlLimits

# These begin with the newline before: so what they look for is found as quickly as a letter.
_HEADER = re.compile(r"\n([A-Za-z_][A-Za-z0-9_-]*): *(?:#.*)?(?=\n)")
"""A key of the top level whose value follows in lines of its own."""
_FOLLOWING = re.compile(r"\n(?:[^ \n#-]|-(?! ))")
"""How a line begins that is not below such a key."""
_LINE = re.compile(r"\n( *)[^ #\n]")
"""A line with more than a remark."""
_OTHER_BREAKS = re.compile("[\r\x85\u2028\u2029]")
"""What ends a line for YAML besides the newline: lines are counted by that alone here."""
_ALIASES = re.compile(r"(?:^|[\s,\[{:])[&*][^\s,\[\]{}]")
"""Whatever may be an anchor or an alias, by which one piece can depend on another."""


class _Piece(msgspec.Struct, frozen=True, gc=False):
    """What a piece of the text means."""

    key: str | None
    """Of a member; None of an item."""
    key_place: int
    value: Any
    node: Node | int
    """With places as if the piece began the file."""
    size: int
    """How many values it counts for."""


class _Section(msgspec.Struct):
    """The lines below a header."""

    name: str
    line: int
    """The header's."""
    indent: int
    texts: list[str]
    lines: list[int]
    """By piece: the line that it begins in."""


_known: tuple[YamlLimits, dict[str, _Piece]] = (DEFAULT_LIMITS, {})
"""The pieces of the file that was read last, by their text, and the limits that they keep."""


def parse(content: bytes, file: str, limits: YamlLimits = DEFAULT_LIMITS) -> Parsed:
    """The same as `yaml.parse` gives."""
    return _in_pieces(content, file, limits) or yaml.parse(content, file, limits)


def _in_pieces(content: bytes, file: str, limits: YamlLimits) -> Parsed | None:
    try:
        text = content.decode("utf-8-sig")
        if len(content) > limits.bytes_max or _OTHER_BREAKS.search(text):
            return None
        sections, rest = _divided(f"\n{text}")
        parsed = yaml.parse(rest[1:].encode(), file, limits)
        if not sections or parsed.diagnostics or not _hold(parsed, sections):
            return None
        return _joined(parsed, sections, limits)
    except (UnicodeDecodeError, Refused, _Unusual):
        return None


class _Unusual(Exception):
    """The text does not fall into pieces."""


def _divided(text: str) -> tuple[list[_Section], str]:
    """The sections of a text that begins with a newline, and the text with an empty line for each of theirs."""
    sections, rest, done = [], [], 0
    for header in _HEADER.finditer(text):
        following = _FOLLOWING.search(text, header.end())
        end = following.start() if following else len(text)
        section = _section(text, header, end)
        if section is not None:
            sections.append(section)
            rest += [text[done : header.end()], "\n" * text.count("\n", header.end(), end)]
            done = end
    return sections, "".join([*rest, text[done:]])


def _section(text: str, header: re.Match[str], end: int) -> _Section | None:
    first = _LINE.search(text, header.end(), end)
    if first is None:
        return None
    indent = len(first[1])
    if indent and re.compile(rf"\n {{0,{indent - 1}}}[^ #\n]").search(text, first.start(), end):
        raise _Unusual
    beginnings = re.compile(rf"\n {{{indent}}}(?=[^ #\n])").finditer(text, first.start(), end)
    bounds = [each.start() + 1 for each in beginnings]
    texts = [text[one:other] for one, other in pairwise([*bounds, end + 1])]
    line = text.count("\n", 0, bounds[0])
    lines = list(accumulate((each.count("\n") for each in texts[:-1]), initial=line))
    return _Section(header[1], text.count("\n", 0, header.end()), indent, texts, lines)


def _hold(parsed: Parsed, sections: list[_Section]) -> bool:
    """Whether every header is the key it looks like, and not a line of some text."""
    value, root = parsed.value, parsed.positions.root
    if not isinstance(value, dict) or len({each.name for each in sections}) < len(sections):
        return False
    return all(
        each.name in value
        and value[each.name] is None
        and (member := root.member(each.name)) is not None
        and line_and_column(member.key) == (each.line, 1)
        for each in sections
    )


def _joined(parsed: Parsed, sections: list[_Section], limits: YamlLimits) -> Parsed:
    global _known
    used: dict[str, _Piece] = {}
    value, root = dict(parsed.value), parsed.positions.root
    nodes, names, size = list(root.nodes), list(value), _size(value)
    for section in sections:
        pieces = _read(section, parsed.positions.file, limits)
        used.update(zip(section.texts, pieces, strict=True))
        value[section.name], nodes[names.index(section.name)] = _whole(section, pieces)
        size += sum(piece.size for piece in pieces)
    if size > limits.nodes_max:
        raise _Unusual
    _known = limits, used
    return Parsed(value, Positions(parsed.positions.file, Node(root.place, value, nodes, root.keys)))


def _read(section: _Section, file: str, limits: YamlLimits) -> list[_Piece]:
    """What its pieces mean; those that are new are parsed together."""
    known = _known[1] if _known[0] == limits else {}
    new = list(dict.fromkeys(text for text in section.texts if text not in known))
    found = known | dict(zip(new, _parsed(new, file, limits), strict=True)) if new else known
    return [found[text] for text in section.texts]


def _parsed(texts: list[str], file: str, limits: YamlLimits) -> list[_Piece]:
    text = "".join(texts)
    inner = msgspec.structs.replace(limits, depth_max=limits.depth_max - 1)  # they stand one level deeper
    parsed = yaml.parse(text.encode(), file, inner)
    if parsed.diagnostics or _ALIASES.search(text) or not isinstance(parsed.value, dict | list):
        raise _Unusual
    if len(parsed.value) != len(texts):
        raise _Unusual
    pieces, before = [], 0
    for text, (key, key_place, value, node) in zip(texts, _members(parsed), strict=True):
        up = -before << COLUMN_BITS
        pieces.append(_Piece(key, key_place + up, value, _moved(node, up), _size(value)))
        before += text.count("\n")
    return pieces


def _members(parsed: Parsed) -> Iterator[tuple[str | None, int, Any, Node | int]]:
    root = parsed.positions.root
    if isinstance(parsed.value, dict):
        for (key, value), place, node in zip(parsed.value.items(), root.keys, root.nodes, strict=True):
            yield key, place, value, node
    else:
        for value, node in zip(parsed.value, root.nodes, strict=True):
            yield None, 0, value, node


def _whole(section: _Section, pieces: list[_Piece]) -> tuple[Any, Node]:
    """The value of a section, and where it stands."""
    place = place_of(section.lines[0], section.indent + 1)
    nodes = _Moved(section.lines, [piece.node for piece in pieces])
    if all(piece.key is None for piece in pieces):
        return [piece.value for piece in pieces], Node(place, None, nodes)
    value = {piece.key: piece.value for piece in pieces if piece.key is not None}
    if len(value) < len(pieces):
        raise _Unusual
    keys = [piece.key_place + (line - 1 << COLUMN_BITS) for piece, line in zip(pieces, section.lines, strict=True)]
    return value, Node(place, value, nodes, keys)


class _Moved(Sequence["Node | int"]):
    """The nodes of pieces where these stand now. Few are ever asked for: most places are never told."""

    def __init__(self, lines: list[int], nodes: list[Node | int]) -> None:
        self._lines = lines
        self._nodes = nodes

    def __len__(self) -> int:
        return len(self._nodes)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        return _moved(self._nodes[index], self._lines[index] - 1 << COLUMN_BITS)


def _moved(node: Node | int, by: int) -> Node | int:
    if not isinstance(node, Node):
        return node + by
    nodes = [_moved(inner, by) for inner in node.nodes]
    return Node(node.place + by, node.names, nodes, [key + by for key in node.keys])


def _size(value: Any) -> int:
    """As many as the parser counts: the value, and all that it holds."""
    if isinstance(value, dict):
        return 1 + sum(map(_size, value.values()))
    return 1 + sum(map(_size, value)) if isinstance(value, list) else 1
