"""One HTTP request and its response, as values; and the callable between them.

`Exchange` is the type of a protocol's server and of the transport its client dials through,
which is why any client can be plugged straight into any server.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec

from entrepot.model.headers import Headers

Body = bytes | AsyncIterator[bytes]
"""All of it, or its chunks as they come. An iterator may know a shorter way to all of it: a method `whole(limit)`."""


class Request(msgspec.Struct):
    """An HTTP request. `path` is as it came: percent-encoded, never normalised."""

    method: str
    path: bytes
    query: bytes = b""
    """Without its question mark."""
    headers: Headers = []
    """Names in lower case."""
    body: Body = b""
    departure: Callable[[], Awaitable[None]] | None = None
    """Returns when the caller has left. May be awaited only after the body is read."""
    deadline: float | None = None
    """Outbound: monotonic seconds after which the answer is of no use."""
    idempotent: bool = False
    """Outbound: may be sent again when the answer got lost."""


class Response(msgspec.Struct):
    """An HTTP response. A streamed body's iterator is closed by whoever takes the response."""

    status: int
    headers: Headers = []
    body: Body = b""


Exchange = Callable[[Request], Awaitable[Response]]
"""Answers a request. A transport raises `UpstreamFailed`, `Unavailable` or `Timeout` when there is no answer."""
