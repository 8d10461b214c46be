"""The words that all forms of bodies share: what reads and writes them, and what is refused before any is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

from entrepot.http.bodies import read, refuse_coding
from entrepot.http.headers import HeaderMap
from entrepot.http.media_types import MediaTypes
from entrepot.http.problems import HttpOnly
from entrepot.model import shape
from entrepot.model.call import Context
from entrepot.model.fault import Issue
from entrepot.model.faults import Unsupported, UpstreamFailed
from entrepot.model.headers import Headers
from entrepot.model.shape import Field
from entrepot.ports.exchange import Body, Request, Response
from entrepot.protocols.rest.parameters.parameter import Attributes
from entrepot.shapes.values import Values


class NotAcceptable(HttpOnly, Unsupported):
    """The caller's Accept header leaves nothing that can be answered with."""

    http_status = 406


Fetch = Callable[[Request, HeaderMap], Awaitable[Any]]
"""Gets what there is to read of a body whose headers are right. Raises `Unsupported`, `TooLarge`, `Malformed`."""

Take = Callable[[Any, Attributes, list[Issue]], None]
"""Adds the attributes that were fetched, and what is wrong with them. Raises `Malformed`."""


class BodyReader(NamedTuple):
    """Reads the bodies of requests for one operation: fetched while waiting, then taken at once."""

    fetch: Fetch
    take: Take
    whole: Callable[[bytes], Any] | None = None
    """Where the body is all of the input: decodes it, or raises what is wrong."""


class Content(NamedTuple):
    """A body and the headers that describe it."""

    headers: Headers
    body: Body


EMPTY = Content([], b"")
NO_CONTENT = 204

WriteBody = Callable[[Any, AsyncIterator[Any] | None], Content]
"""Writes the body of a request: of an input, and of the inbound items."""

WriteAnswer = Callable[[Any, str, Context], Response]
"""Writes an output as the media type that was chosen, for a call in this context."""

ReadAnswer = Callable[[Response], Awaitable[Any]]
"""Reads an upstream's output. Raises `UpstreamFailed` or `Timeout`."""


def content_of(body: bytes, media_type: bytes) -> Content:
    """A body held in memory, with its headers."""
    return Content([(b"content-length", b"%d" % len(body)), (b"content-type", media_type)], body)


def fetched_whole(media_types: MediaTypes, limit: int, takes: str = "") -> Fetch:
    """Fetches bodies of these media types into memory, of at most so many octets; `takes` says otherwise which."""
    usual = media_types.usual

    def fetch(request: Request, headers: HeaderMap) -> Awaitable[bytes]:
        if headers.get(b"content-type") not in usual or b"content-encoding" in headers:
            refuse_media_type(media_types, headers, takes)
        return read(request.body, limit, headers.get(b"content-length"))

    return fetch


def refuse_media_type(media_types: MediaTypes, headers: HeaderMap, takes: str = "") -> None:
    """Raises `Unsupported` when the body is labelled as something else than what is taken, or as compressed."""
    content_type = headers.get(b"content-type")
    if not media_types.includes(content_type):
        label = (content_type or b"").decode("latin-1")
        takes = takes or f"this operation takes {', '.join(media_types.media_types)}"
        raise Unsupported(f"the body is {label!r}; {takes}")
    refuse_coding(headers)


def file_limit(field: Field, values: Values) -> int:
    """Most octets of a file in this field."""
    inner = shape.unwrap(field.shape, values.types)
    if isinstance(inner, shape.List):
        inner = shape.unwrap(inner.item, values.types)
    own, most = inner.bytes_max if isinstance(inner, shape.File) else None, values.limits.file_bytes_max
    return most if own is None else min(own, most)


def broken(upstream: str, what: str, issues: tuple[Issue, ...] = ()) -> UpstreamFailed:
    """The fault of an upstream that answers outside its contract."""
    return UpstreamFailed(f"{upstream} {what}", issues=issues, upstream=upstream)
