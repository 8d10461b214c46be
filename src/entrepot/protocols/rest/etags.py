"""Entity tags and the conditions on them (RFC 9110, §8.8.3 and §13)."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, unquote

from entrepot.model.call import UNCONDITIONAL, Conditions
from entrepot.model.faults import Malformed, PreconditionFailed

_ANY = ("*",)
_TAGS_MAX = 100
_TAG = re.compile(r'[ \t,]*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?=,|$)')
_ETAG_SAFE = "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"


class Tag(NamedTuple):
    """One entity tag: what stands between its quotes, and whether it is weak."""

    opaque: str
    weak: bool = False


def write(version: str) -> bytes:
    """The strong entity tag of a version; what may not stand in one is percent-encoded."""
    return f'"{quote(version, safe=_ETAG_SAFE)}"'.encode()


def opaque(field: bytes) -> str:
    """The version in an ETag header, strong or weak; "" when there is none to read."""
    match = _TAG.fullmatch(field.decode("latin-1"))
    return unquote(match[2]) if match else ""


def read(field: bytes) -> tuple[Tag, ...]:
    """The tags of If-Match or If-None-Match, or the tag "*". Raises `Malformed`."""
    text = field.decode("latin-1").strip()
    if text == "*":
        return (Tag("*"),)
    tags: list[Tag] = []
    position = 0
    while position < len(text):
        match = _TAG.match(text, position)
        if match is None or len(tags) == _TAGS_MAX:
            raise Malformed(f"the entity tags {text[:100]!r} are not written as RFC 9110, §8.8.3 says")
        tags.append(Tag(match[2], weak=match[1] is not None))
        position = match.end()
    if not tags:
        raise Malformed("a header for entity tags has none (RFC 9110, §13.1.1)")
    return tuple(tags)


def conditions(if_match: bytes | None, if_none_match: bytes | None) -> Conditions:
    """The conditions of an unsafe request, for its handler.

    If-Match compares strongly, and a weak tag never does; when nothing else is given it cannot hold.
    Raises `Malformed`, and `PreconditionFailed` for such an If-Match.
    """
    if if_match is None and if_none_match is None:
        return UNCONDITIONAL
    wanted = [tag for tag in read(if_match) if not tag.weak] if if_match is not None else []
    if if_match is not None and not wanted:
        raise PreconditionFailed("If-Match names weak entity tags only, which never match (RFC 9110, §8.8.3.2)")
    unwanted = read(if_none_match) if if_none_match is not None else ()
    return Conditions(
        if_match=tuple(_version(tag) for tag in wanted),
        if_none_match=tuple(_version(tag) for tag in unwanted),
    )


def write_conditions(conditions: Conditions) -> list[tuple[bytes, bytes]]:
    """The header fields that say them."""
    fields = ((b"if-match", conditions.if_match), (b"if-none-match", conditions.if_none_match))
    return [(name, _join(versions)) for name, versions in fields if versions]


def fails(etag: bytes, if_match: bytes | None) -> bool:
    """Whether the answer to a safe request breaks its If-Match; `etag` is "" when there is none."""
    if if_match is None:
        return False
    tags = read(if_match)
    return tags != (Tag("*"),) and not any(not tag.weak and write_tag(tag) == etag for tag in tags)


def is_known(etag: bytes, if_none_match: bytes) -> bool:
    """Whether the caller has the answer to a safe request already (weak comparison)."""
    tags = read(if_none_match)
    present = etag.removeprefix(b"W/")
    return tags == (Tag("*"),) or any(write_tag(tag) == present for tag in tags)


def write_tag(tag: Tag) -> bytes:
    """The tag with its quotes, without its weakness."""
    return f'"{tag.opaque}"'.encode("latin-1")


def _version(tag: Tag) -> str:
    return tag.opaque if tag.opaque == "*" else unquote(tag.opaque)


def _join(versions: tuple[str, ...]) -> bytes:
    return b"*" if versions == _ANY else b", ".join(write(version) for version in versions)
