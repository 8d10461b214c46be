"""XML text as a tree of elements, by the parser of the standard library (expat), and only what data needs of XML.

No document type, so no entities, no default attributes and nothing that is fetched; UTF-8 alone. Comments and
processing instructions are passed over. The tree is built in C, several times faster than by callbacks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, XMLParser

from entrepot.kit.limits import Limits
from entrepot.model.fault import Issue
from entrepot.model.faults import Malformed, TooLarge

NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
"""The attribute of an element that stands for null (XML Schema 1.1, part 1, §2.7.2)."""
MARKS_MAX = 1_000_000
"""Most tags of a document, those at the end of elements included: each costs far more than its octets."""
NAMESPACE_MAX = 128
"""Longest namespace, in octets, that any document may have; fewer names may have longer ones."""
NAMES_BYTES_MAX = 32 * 1024 * 1024
"""Most octets of all names with their namespaces: the parser puts the namespace before each name that is in it."""
BLANKS = " \t\r\n"
"""What XML calls white space."""
_DECLARED = re.compile(rb"""\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_QUOTED = re.compile(rb"""=\s*+(["'])""")
_NAMED = re.compile(rb"""[\s<>"']([^\s<>"']+)\s*$""")
_NAME_OCTETS = 256
"""How far before a long value its name is looked for; what has none so near is taken for a namespace."""
_DOCTYPE = re.compile(rb"(?:\xef\xbb\xbf)?+(?:\s++|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
"""The only place where it is more than text."""
_ENCODINGS = (b"utf-8", b"us-ascii")


def parse(data: bytes, limits: Limits, *, bounded: bool) -> Element:
    """The root of a document. Raises `TooLarge` or `Malformed`; where the shape does not bound its depth, for a deep
    one, too."""
    if data.count(b"<") > MARKS_MAX:
        raise TooLarge(f"the XML has more than {MARKS_MAX} marks")
    _bound_namespaces(data)
    if b"\0" in data:
        raise malformed("encoding", "is not UTF-8, which is all that is read")
    if _DOCTYPE.match(data):
        raise malformed("syntax", "has a document type (<!DOCTYPE …>), which data does not need and nobody reads")
    declared = _DECLARED.match(data)
    if declared is not None and declared[1].lower() not in _ENCODINGS:
        raise malformed("encoding", f"says that it is in {declared[1].decode()}; only UTF-8 is read")
    parser = XMLParser(encoding="utf-8")
    try:
        parser.feed(data)
        root: Element = parser.close()
    except (ParseError, ValueError) as broken:
        raise malformed("syntax", f"is not XML: {broken}") from None
    if not bounded and _is_deeper(root, limits.depth_max):
        raise malformed("depth", f"elements may be nested {limits.depth_max} deep")
    return root


def malformed(code: str, message: str) -> Malformed:
    """The fault of a text that cannot be read."""
    return Malformed("the XML could not be read", issues=(Issue("", code, message),))


def is_nil(element: Element) -> bool:
    """Whether it stands for null."""
    return (element.get(NIL) or "").strip() in ("true", "1")


def text_of(element: Element) -> str:
    """All of its own text."""
    own = element.text or ""
    return own + "".join(child.tail or "" for child in element) if len(element) else own


def has_text(element: Element) -> bool:
    """Whether there is more text in it than blanks, beside its elements."""
    return bool(text_of(element).strip(BLANKS))


def _bound_namespaces(data: bytes) -> None:
    """Raises `TooLarge` for a namespace so long that this document's names would be many times its size."""
    names = data.count(b"<") + data.count(b":")
    longest = max(NAMESPACE_MAX, NAMES_BYTES_MAX // (names or 1))
    if len(data) <= longest or b"xmlns" not in data:
        return
    for value in _long_values(data, longest):
        named = _NAMED.search(data[max(0, value - _NAME_OCTETS) : value])
        if named is None or named[1].startswith(b"xmlns"):
            raise TooLarge(f"a namespace of the XML is longer than {longest} octets, which each name in it would have")


def _long_values(data: bytes, longest: int) -> Iterator[int]:
    """Where the `=` of each quoted text stands that is longer."""
    for equals in _QUOTED.finditer(data):
        end = data.find(equals[1], equals.end(), equals.end() + longest + 1)
        if end < 0:
            yield equals.start()


def _is_deeper(root: Element, depth: int) -> bool:
    level = [root]
    for _ in range(depth):
        level = [child for element in level for child in element]
    return bool(level)
