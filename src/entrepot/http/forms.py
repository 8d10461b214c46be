"""Names and values as text: queries, and urlencoded bodies (WHATWG URL, §5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote_plus, unquote_to_bytes

from entrepot.kit.pointers import pointer
from entrepot.model.fault import Issue
from entrepot.model.faults import Malformed, TooLarge

NOTHING_SAFE: Mapping[str, str] = {}
PAIRS_MAX = 1000
"""Most parameters of one query, and most parts of one form."""
BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
"""A percent sign that escapes nothing (RFC 3986, §2.1)."""


def parse_pairs(encoded: bytes) -> dict[str, list[str | None]]:
    """The values under each name, in order; None for a name without "=". Raises `Malformed` or `TooLarge`."""
    if not encoded:
        return {}
    pieces = encoded.split(b"&", PAIRS_MAX)
    if len(pieces) > PAIRS_MAX:
        raise TooLarge(f"there are more than {PAIRS_MAX} parameters")
    if b"%" in encoded and BROKEN_ESCAPE.search(encoded):
        raise _unreadable(pieces)
    found: dict[str, list[str | None]] = {}
    try:
        for piece in pieces:
            name, equals, value = piece.partition(b"=")
            if piece:
                found.setdefault(_decode(name), []).append(_decode(value) if equals else None)
    except UnicodeDecodeError:
        raise _unreadable(pieces) from None
    return found


def _unreadable(pieces: Iterable[bytes]) -> Malformed:
    """What keeps each of the pieces from being read, under its name."""
    issues = []
    for piece in pieces:
        place = pointer([_octets(piece.partition(b"=")[0]).decode(errors="replace")])
        if BROKEN_ESCAPE.search(piece):
            issues.append(Issue(place, "syntax", "holds a '%' that is not followed by two hexadecimal digits"))
        elif not _is_text(piece):
            issues.append(Issue(place, "encoding", "is not UTF-8"))
    return Malformed("a parameter could not be read", issues=tuple(issues))


def _is_text(piece: bytes) -> bool:
    try:
        _decode(piece)
    except UnicodeDecodeError:
        return False
    return True


RESERVED = "!$'()*,/:;=?@"
"""What RFC 3986 reserves (§2.2) and a value in a query may yet hold as it is (§3.4): it is read the same without an
escape. The others, `&+#[]`, are not: they separate, stand for a blank, or have no place in a query."""


def format_pairs(pairs: Iterable[tuple[str, str | None]], safe: Mapping[str, str] = NOTHING_SAFE) -> bytes:
    """Pairs as `parse_pairs` reads them.

    By name, `safe` has what stays bare in a value; of a name with brackets, what is before them counts. A comma that
    only stands between items is such: who splits before decoding reads the same items (RFC 6570, §3.2.8).
    """
    return "&".join(
        quote_plus(name)
        if value is None
        else f"{quote_plus(name)}={quote_plus(value, safe=safe.get(name.partition('[')[0], '') if safe else '')}"
        for name, value in pairs
    ).encode()


def _decode(text: bytes) -> str:
    return _octets(text).decode()


def _octets(text: bytes) -> bytes:
    if b"+" in text:
        text = text.replace(b"+", b" ")
    return unquote_to_bytes(text) if b"%" in text else text
