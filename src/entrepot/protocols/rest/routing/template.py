"""Path templates such as `/products/{id}.json`: literal text and variables, segment by segment.

This is RFC 6570 as OpenAPI uses it in paths: a variable stands for text inside one segment, or for
several with marks between them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

import msgspec

from entrepot.kit.names import PATH_VARIABLE

_SEGMENT_SAFE = "!$&'()*+,;=:@"
"""What literal text may hold unescaped beside letters, digits and `-._~` (RFC 3986, §3.3). In a value
all of it is escaped (RFC 6570, §3.2.2)."""


_SEGMENTS_MAX = 200
"""More would be walked too deep."""

_STEP = re.compile(r"(?:^|[/\\])\.\.?(?:[/\\]|$)")
"""What is not a name but a step to the same folder or the one above (RFC 3986, §3.3), and so is never
sent: encoded or not, a server may take it (§6.2.2.2), and with an encoded slash some do."""


class Variable(msgspec.Struct, frozen=True):
    """A place that a value fills."""

    name: str


class Mark(str):
    """What stands around and between the texts of a value, and is not encoded."""

    __slots__ = ()


Part = str | Variable
Segment = tuple[Part, ...]


class Template(msgspec.Struct, frozen=True):
    """A parsed template. Literal text is held decoded."""

    text: str
    segments: tuple[Segment, ...]

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the variables, in order."""
        return tuple(part.name for segment in self.segments for part in segment if isinstance(part, Variable))

    @property
    def pattern(self) -> tuple[Segment, ...]:
        """The segments without the names of the variables: templates of one pattern take the same paths."""
        nameless = Variable("")
        return tuple(
            tuple(nameless if isinstance(part, Variable) else part for part in segment) for segment in self.segments
        )

    def stepping(self, values: Mapping[str, list[str]]) -> list[str]:
        """The variables whose values make of their segment a step, `..`, and lead to another path.

        A segment of which a value is missing is passed over.
        """
        found: list[str] = []
        for segment in self.segments:
            names = [part.name for part in segment if isinstance(part, Variable)]
            if names and values.keys() >= set(names):
                found += names if _STEP.search("".join(_filled(part, values) for part in segment)) else []
        return found

    def expand(self, values: Mapping[str, list[str]]) -> str:
        """The path with every variable filled in, percent-encoded but for marks."""
        return "/".join(_expand(segment, values) for segment in self.segments)


def parse(text: str) -> Template:
    """Parses a template. Raises ValueError, saying what is wrong."""
    if not text.startswith("/"):
        raise ValueError(f"the path {text!r} must start with '/'")
    if "?" in text or "#" in text:
        raise ValueError(f"the path {text!r} holds a query or fragment; declare query parameters instead")
    if text.count("/") > _SEGMENTS_MAX:
        raise ValueError(f"the path {text[:40]!r}… has more than {_SEGMENTS_MAX} segments")
    template = Template(text, tuple(_segment(segment, text) for segment in text.split("/")))
    names = template.variables
    if len(set(names)) != len(names):
        raise ValueError(f"the path {text!r} names a variable twice")
    return template


def encode_literal(text: str) -> str:
    """Literal text of a template as it stands in a path."""
    return quote(text, safe=_SEGMENT_SAFE)


def _segment(text: str, whole: str) -> Segment:
    parts: list[Part] = []
    position = 0
    for match in PATH_VARIABLE.finditer(text):
        if match.start() > position:
            between = unquote(text[position : match.start()])
            if parts and encode_literal(between[0]) != between[0]:
                raise ValueError(f"the path {whole!r} has {between!r} between two variables, whose values may hold it")
            parts.append(between)
        elif parts:
            raise ValueError(f"the path {whole!r} has two variables with nothing between them")
        parts.append(Variable(match[1]))
        position = match.end()
    if position < len(text):
        parts.append(unquote(text[position:]))
    if any(isinstance(part, str) and ("{" in part or "}" in part) for part in parts):
        raise ValueError(f"the path {whole!r} has a brace that belongs to no variable")
    if len(parts) == 1 and isinstance(parts[0], str) and _STEP.search(parts[0]):
        raise ValueError(f"the path {whole!r} has a step, {parts[0]!r}, which leads out of where it is served")
    return tuple(parts)


def _filled(part: Part, values: Mapping[str, list[str]]) -> str:
    return part if isinstance(part, str) else "".join(values[part.name])


def _expand(segment: Segment, values: Mapping[str, list[str]]) -> str:
    marks = "".join(part[0] for part in segment if isinstance(part, str) and part[0].isascii())
    return "".join(
        encode_literal(part) if isinstance(part, str) else "".join(_encode(piece, marks) for piece in values[part.name])
        for part in segment
    )


def _encode(value: str, marks: str) -> str:
    """A value, percent-encoded. Dots alone are encoded too, or they would mean a step up, and so are the
    first letters of the text around a value that holds it, so that the value is found again."""
    if isinstance(value, Mark):
        return value
    if value in (".", ".."):
        return value.replace(".", "%2E")
    return "".join(f"%{ord(letter):02X}" if letter in marks else quote(letter, safe="") for letter in value)
