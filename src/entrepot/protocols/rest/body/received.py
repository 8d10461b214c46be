"""What the readers of a request's parts share: the values they add to, and the bounds they keep."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec

from entrepot.http.bodies import refuse_announced, refuse_coding
from entrepot.http.headers import HeaderMap
from entrepot.http.media_types import MediaTypes
from entrepot.kit.limits import Limits
from entrepot.kit.pointers import escape
from entrepot.model import shape
from entrepot.model.fault import Issue
from entrepot.model.faults import Invalid, Unsupported
from entrepot.model.shape import Field, Types
from entrepot.ports.exchange import Request
from entrepot.protocols.rest.binding.bound import BoundField
from entrepot.shapes.values import Codec

Given = dict[str, Any]
"""The input's attributes, as far as the request gives them."""


class Received(msgspec.Struct):
    """What a request says: the input (None: made of what was given), and the inbound items."""

    input: Any = None
    stream: AsyncIterator[Any] | None = None


NOTHING = Received()

ReadBody = Callable[[Request, HeaderMap, Given, list[Issue]], Awaitable[Received]]
"""Adds what the body gives, and what is wrong with it. Raises a fault when it cannot be read at all."""


def refuse_media_type(taken: MediaTypes, known: HeaderMap) -> None:
    """Raises `Unsupported` when the body is labelled as something else than what is taken, or as compressed."""
    content_type = known.get(b"content-type")
    if not taken.includes(content_type):
        label = (content_type or b"").decode("latin-1")
        raise Unsupported(f"the body is {label!r}; this operation takes {', '.join(taken.media_types)}")
    refuse_coding(known)


def announces_body(known: HeaderMap) -> bool:
    """Whether the headers say that there is a body (RFC 9112, §6)."""
    return b"transfer-encoding" in known or known.get(b"content-length", b"0") != b"0"


def refuse_length(known: HeaderMap, limit: int) -> None:
    """Raises `TooLarge` when the body announces more than `limit` octets."""
    refuse_announced(known.get(b"content-length"), limit)


def file_limit(field: Field, types: Types, limits: Limits) -> int:
    """Most octets of a file in this field."""
    inner = shape.unwrap(field.shape, types)
    if isinstance(inner, shape.List):
        inner = shape.unwrap(inner.item, types)
    own = inner.bytes_max if isinstance(inner, shape.File) else None
    return limits.file_bytes_max if own is None else min(own, limits.file_bytes_max)


def leave_out(bound: BoundField, given: Given, issues: list[Issue], message: str) -> None:
    """What becomes of a field that the body does not hold; null where the field may be null."""
    field = bound.field
    if bound.nullable and field.required:
        given[field.attribute] = None
    elif field.required:
        issues.append(Issue(f"/{escape(field.name)}", "missing", message))


def checked_octets(content: bytes, codec: Codec) -> bytes:
    """Raises `Invalid` when the octets are not of their shape: too few, too many."""
    if not isinstance(codec.shape, shape.Raw) and not codec.accepts(content):
        raise Invalid(issues=(Issue("", "length", f"{len(content)} bytes are not what is taken here"),))
    return content
