"""Media types: which body is taken (Content-Type) and which answer is wanted (Accept, RFC 9110, §12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

_RANGE = re.compile(r"[!#$&^_.+*0-9a-z-]+/[!#$&^_.+*0-9a-z-]+")


def essence(content_type: bytes | str) -> str:
    """The media type without its parameters, in lower case."""
    text = content_type.decode("latin-1") if isinstance(content_type, bytes) else content_type
    return text.partition(";")[0].strip().lower()


def is_json(media_type: str) -> bool:
    """Whether a media type without parameters is JSON's, or one written in JSON (`application/problem+json`)."""
    return media_type.endswith("json")


def matches(pattern: str, media_type: str) -> bool:
    """Whether a media type lies in a range such as `image/*`, or `application/*+json`."""
    if pattern == media_type or pattern == "*/*":
        return True
    if "/*+" in pattern:
        begin, _, end = pattern.partition("*")
        return media_type.startswith(begin) and media_type.endswith(end)
    return pattern.endswith("/*") and media_type.startswith(pattern[:-1])


class MediaTypes:
    """The media types that a body may have; the usual spellings are known by heart."""

    def __init__(self, media_types: Sequence[str]) -> None:
        self.media_types = tuple(media_types)
        spellings = ("", "; charset=utf-8", ";charset=utf-8", "; charset=UTF-8", ";charset=UTF-8")
        self.usual = frozenset(f"{media_type}{end}".encode() for media_type in media_types for end in spellings)
        """Labels of which nothing needs to be asked."""

    def includes(self, content_type: bytes | None) -> bool:
        """Whether a body labelled so is taken; one without a label is."""
        if content_type is None or content_type in self.usual:
            return True
        text = content_type.decode("latin-1").lower()
        if is_json(essence(text)) and not _is_utf_8(text):
            return False
        return any(matches(media_type, essence(text)) for media_type in self.media_types)

    def includes_text(self, content_type: bytes | None) -> bool:
        """Whether a body is labelled as one of these, and in UTF-8."""
        label = (content_type or b"").decode("latin-1").lower()
        return bool(label) and self.includes(content_type) and _is_utf_8(label)


def _is_utf_8(label: str) -> bool:
    return parameter(label, "charset") in ("", "utf-8", "us-ascii")


def choose(accept: bytes, offers: Sequence[str]) -> str | None:
    """The offer that an Accept header likes best, the earlier of equals; None when it takes none."""
    ranges = _ranges(accept)
    if not ranges:
        return offers[0]
    best, best_quality = None, 0.0
    for offer in offers:
        quality = _quality(offer, ranges)
        if quality > best_quality:
            best, best_quality = offer, quality
    return best


def narrow(accept: bytes, offers: Sequence[str]) -> str:
    """What an Accept header says of these offers, which may be ranges themselves; "" when it takes none of them."""
    wanted: dict[str, float] = {}
    for pattern, quality in sorted(_ranges(accept), key=lambda pair: _specificity(pair[0])):
        for offer in map(essence, offers):
            if matches(pattern, offer):
                wanted[offer] = quality
            elif matches(offer, pattern) and _RANGE.fullmatch(pattern):
                wanted[pattern] = quality
    return ", ".join(f"{each};q={quality:g}" if quality < 1 else each for each, quality in wanted.items() if quality)


def _ranges(accept: bytes) -> list[tuple[str, float]]:
    items = accept.decode("latin-1").lower().split(",", 100)[:100]
    return [_range(item) for item in items if item.strip()]


def _range(item: str) -> tuple[str, float]:
    quality = parameter(item, "q")
    try:
        return essence(item), min(1.0, max(0.0, float(quality))) if quality else 1.0
    except ValueError:
        return essence(item), 0.0


def _quality(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The quality of the most specific range that the offer lies in."""
    found = [(_specificity(pattern), quality) for pattern, quality in ranges if _overlaps(pattern, essence(offer))]
    return max(found)[1] if found else 0.0


def _overlaps(pattern: str, offer: str) -> bool:
    """An offer may be a range itself, when a file's media type is known only later."""
    return matches(pattern, offer) or matches(offer, pattern)


def _specificity(pattern: str) -> int:
    if pattern == "*/*":
        return 0
    return 1 if pattern.endswith("/*") else 2


def parameter(text: str, name: str) -> str:
    """A parameter of a media type in lower case, without quotes; "" when it has none of that name."""
    for part in text.split(";")[1:]:
        key, _, value = part.partition("=")
        if key.strip() == name:
            return value.strip().strip('"')
    return ""
