"""What surrounds a call, as HTTP headers: read by every server, written by every client."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

from entrepot.http.headers import HeaderMap
from entrepot.model.call import Context, Meta
from entrepot.model.headers import Headers
from entrepot.ports.exchange import Request


def context_of(request: Request, by_name: HeaderMap | None = None) -> Context:
    """The context that a request's headers tell; `by_name` are those headers, for who has them at hand."""
    if by_name is None:
        by_name = dict(request.headers)
    context = Context(meta=Meta(request.headers), departure=request.departure)
    traceparent = by_name.get(b"traceparent")
    if traceparent is not None:
        context.traceparent = traceparent.decode("latin-1")
    key = by_name.get(b"idempotency-key")
    if key is not None:
        context.idempotency_key = key.decode("utf-8", "surrogateescape").strip('"')
    return context


@cache
def own_headers() -> tuple[tuple[bytes, bytes], ...]:
    """What every client says of itself: who asks, and that it reads no content coding (RFC 9110, §10.1.5, §12.5.3)."""
    return ((b"user-agent", f"entrepot/{version('entrepot')}".encode()), (b"accept-encoding", b"identity"))


def context_headers(context: Context) -> Headers:
    """The headers that pass a context on to an upstream; its deadline travels in `Request.deadline`."""
    headers: Headers = []
    if context.traceparent:
        headers.append((b"traceparent", context.traceparent.encode("latin-1", "replace")))
    if context.idempotency_key:
        headers.append((b"idempotency-key", context.idempotency_key.encode("utf-8", "surrogateescape")))
    return headers
