"""Where the parts of a foreign document stand, for diagnostics that name them by JSON pointer.

Only what leads to a wanted part is looked at, once; everything beside it is skipped as fast as it could be
read, so a large document costs little.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import cache, partial

from msgspec.structs import replace

from entrepot.kit.diagnostics import Diagnostic, Place, Refused
from entrepot.kit.pointers import tokens
from entrepot.spec.positions import Positions

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder(strict=False)


def located(
    diagnostics: Iterable[Diagnostic], content: bytes, source: str, positions: Callable[[], Positions] | None = None
) -> list[Diagnostic]:
    """The diagnostics, those of this document with line and column: of the part, or of the nearest around it.

    `positions` are known already of a document that is YAML.
    """
    found = list(diagnostics)
    wanted = {each.place.pointer for each in found if _lacks_line(each, source)}
    places = _places(content, source, wanted, positions) if wanted else {}
    return [replace(each, place=places[each.place.pointer]) if _lacks_line(each, source) else each for each in found]


def _lacks_line(diagnostic: Diagnostic, source: str) -> bool:
    return diagnostic.place.file == source and not diagnostic.place.line


def _places(
    content: bytes, source: str, pointers: Iterable[str], positions: Callable[[], Positions] | None
) -> dict[str, Place]:
    try:
        find = positions().key if positions is not None else _json_finder(content, source)
        return {pointer: replace(find(pointer), file=source, pointer=pointer) for pointer in pointers}
    except (Refused, ValueError, RecursionError):  # a document that cannot be read has its own diagnostic
        return {pointer: Place(source, 1, 1, pointer) for pointer in pointers}


def _json_finder(content: bytes, source: str) -> Callable[[str], Place]:
    text = content.decode()
    members_at = cache(partial(_members, text))

    def find(pointer: str) -> Place:
        start = value = _after_space(text, 0)
        for token in tokens(pointer):
            if token not in members_at(value):
                break
            start, value = members_at(value)[token]
        return Place(source, text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start))

    return find


def _members(text: str, index: int) -> dict[str, tuple[int, int]]:
    """By name or number: where a member of the map or list at `index` stands, and where its value does."""
    opening, index = text[index], _after_space(text, index + 1)
    members: dict[str, tuple[int, int]] = {}
    while opening in "{[" and text[index] not in "}]":
        name, value = str(len(members)), index
        if opening == "{":
            name, end = _DECODER.raw_decode(text, index)
            value = _after_space(text, _after_space(text, end) + 1)
        members[name] = index, value
        _, end = _DECODER.raw_decode(text, value)
        index = _after_space(text, end)
        if text[index] == ",":
            index = _after_space(text, index + 1)
    return members


def _after_space(text: str, index: int) -> int:
    match = _SPACE.match(text, index)
    return index if match is None else match.end()
