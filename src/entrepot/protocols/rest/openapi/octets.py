"""Bodies that are not JSON: text kept as it is, and files."""

from __future__ import annotations

from collections.abc import Sequence

from entrepot.model import shape
from entrepot.model.shape import Shape
from entrepot.protocols.rest.binding.bound import ANY

_TEXTUAL = ("application/xml", "application/javascript", "application/yaml", "application/graphql")


def octets_of(media_types: Sequence[str]) -> Shape:
    """What a body of these media types is: raw when it is one kind of text, else a streamed file."""
    if len(media_types) == 1 and is_textual(media_types[0]):
        return shape.Raw(media_type=media_types[0])
    return shape.File() if ANY in media_types else shape.File(media_types=tuple(media_types))


def is_textual(media_type: str) -> bool:
    """Whether a body of this media type is text."""
    return media_type.startswith("text/") or media_type in _TEXTUAL or media_type.endswith("+xml")
