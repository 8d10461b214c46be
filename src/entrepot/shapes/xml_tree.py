"""XML text as a tree of elements, by the parser of the standard library (expat), and only what data needs of XML.

No document type, so no entities, no default attributes and nothing that is fetched; UTF-8; bounded depth. Comments and
processing instructions are passed over.
"""

from __future__ import annotations

from xml.parsers import expat

from entrepot.kit.limits import Limits
from entrepot.model.fault import Issue
from entrepot.model.faults import Malformed

NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
"""The attribute of an element that stands for null (XML Schema 1.1, part 1, §2.7.2)."""
_ENCODINGS = ("utf-8", "us-ascii")
_BETWEEN = " "
"""What expat puts between a namespace and a name; no namespace holds one."""


class Element:
    """One element; names are those of their namespace: `{urn:x}name`."""

    __slots__ = ("attributes", "children", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[Element] = []
        self.text = ""
        """All of its own text, wherever it stands."""

    @property
    def is_nil(self) -> bool:
        """Whether it stands for null."""
        return bool(self.attributes) and self.attributes.get(NIL, "").strip() in ("true", "1")

    @property
    def has_text(self) -> bool:
        """Whether there is more text in it than blanks."""
        return bool(self.text.strip(BLANKS))


BLANKS = " \t\r\n"
"""What XML calls white space."""


def parse(data: bytes, limits: Limits) -> Element:
    """The root of a document. Raises `Malformed`."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise malformed("encoding", "is in UTF-16; only UTF-8 is read")
    building = _Building(limits)
    try:
        building.parser.Parse(data, True)
    except expat.ExpatError as broken:
        where = f"line {broken.lineno}, column {broken.offset + 1}"
        raise malformed("syntax", f"is not XML: {expat.ErrorString(broken.code)} ({where})") from None
    except (ValueError, UnicodeDecodeError) as broken:
        raise malformed("syntax", f"is not XML: {broken}") from None
    assert building.root is not None  # or expat would have missed it
    return building.root


def malformed(code: str, message: str, pointer: str = "") -> Malformed:
    """The fault of a text that cannot be read."""
    return Malformed("the XML could not be read", issues=(Issue(pointer, code, message),))


class _Building:
    """Takes what expat calls back."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: list[tuple[Element, list[str]]] = []
        self.root: Element | None = None
        self.parser = expat.ParserCreate("utf-8", _BETWEEN)
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.XmlDeclHandler = self._declare
        self.parser.StartDoctypeDeclHandler = self._refuse_type

    def _declare(self, version: str, encoding: str | None, _standalone: int) -> None:
        if version != "1.0":
            raise malformed("syntax", f"is XML {version}, and only 1.0 is read")
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            raise malformed("encoding", f"says that it is in {encoding}; only UTF-8 is read")

    def _refuse_type(self, *_declared: object) -> None:
        raise malformed("syntax", "has a document type (<!DOCTYPE …>), which data does not need and nobody reads")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) == self._limits.depth_max:
            raise malformed("depth", f"elements may be nested {self._limits.depth_max} deep")
        element = Element(_expanded(name), {_expanded(key): value for key, value in attributes.items()})
        if self._open:
            self._open[-1][0].children.append(element)
        else:
            self.root = element
        self._open.append((element, []))

    def _text(self, text: str) -> None:
        self._open[-1][1].append(text)

    def _end(self, _name: str) -> None:
        element, texts = self._open.pop()
        element.text = "".join(texts)


def _expanded(name: str) -> str:
    namespace, between, local = name.rpartition(_BETWEEN)
    return f"{{{namespace}}}{local}" if between else local
