"""Path templates such as `/products/{id}.json`: literal text and variables, segment by segment.

This is level 1 of RFC 6570 as OpenAPI uses it: a variable stands for text inside one segment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

import msgspec

_VARIABLE = re.compile(r"\{([^{}/]+)\}")
_SEGMENT_SAFE = "!$&'()*+,;=:@"
"""What may stand unescaped in a segment beside letters, digits and `-._~` (RFC 3986, §3.3)."""


class Variable(msgspec.Struct, frozen=True):
    """A place that a value fills."""

    name: str


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

    def expand(self, values: Mapping[str, str]) -> str:
        """The path with every variable filled in, percent-encoded."""
        return "/".join(_expand(segment, values) for segment in self.segments)


def parse(text: str) -> Template:
    """Parses a template. Raises ValueError, saying what is wrong."""
    if not text.startswith("/"):
        raise ValueError(f"the path {text!r} must start with '/'")
    if "?" in text or "#" in text:
        raise ValueError(f"the path {text!r} holds a query or fragment; declare query parameters instead")
    template = Template(text, tuple(_segment(segment, text) for segment in text.split("/")))
    names = template.variables
    if len(set(names)) != len(names):
        raise ValueError(f"the path {text!r} names a variable twice")
    return template


def encode_segment(text: str) -> str:
    """One segment, percent-encoded. Dots alone are encoded too, or the segment would mean a step up."""
    if text in (".", ".."):
        return text.replace(".", "%2E")
    return quote(text, safe=_SEGMENT_SAFE)


def encode_literal(text: str) -> str:
    """Literal text of a template as it stands in a path."""
    return quote(text, safe=_SEGMENT_SAFE)


def _segment(text: str, whole: str) -> Segment:
    parts: list[Part] = []
    position = 0
    for match in _VARIABLE.finditer(text):
        if match.start() > position:
            parts.append(unquote(text[position : match.start()]))
        elif parts:
            raise ValueError(f"the path {whole!r} has two variables with nothing between them")
        parts.append(Variable(match[1]))
        position = match.end()
    if position < len(text):
        parts.append(unquote(text[position:]))
    if any(isinstance(part, str) and ("{" in part or "}" in part) for part in parts):
        raise ValueError(f"the path {whole!r} has a brace that belongs to no variable")
    return tuple(parts)


def _expand(segment: Segment, values: Mapping[str, str]) -> str:
    if len(segment) == 1 and isinstance(segment[0], Variable):
        return encode_segment(values[segment[0].name])
    marks = {part[0] for part in segment if isinstance(part, str)}
    return "".join(
        encode_literal(part) if isinstance(part, str) else _encode_beside(values[part.name], marks) for part in segment
    )


def _encode_beside(value: str, marks: set[str]) -> str:
    """A value that contains the text around it has that text's first letter encoded, so it is found again."""
    return "".join(
        f"%{ord(letter):02X}" if letter in marks and letter.isascii() else quote(letter, safe=_SEGMENT_SAFE)
        for letter in value
    )
