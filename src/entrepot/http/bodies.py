"""The body of a request or a response: read whole within bounds, or in chunks."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable

from entrepot.http.headers import HeaderMap, content_length
from entrepot.http.problems import HttpOnly
from entrepot.model.faults import Timeout, TooLarge, Unsupported, UpstreamFailed
from entrepot.ports.exchange import Body

READ_SECONDS_MAX = 120.0
"""How long a body that is read into memory may take from its first octets to its last."""


class TooSlow(HttpOnly, Timeout):
    """The body does not arrive."""

    http_status = 408


def read(body: Body, limit: int, announced: bytes | None = None) -> Awaitable[bytes]:
    """The whole body. Raises `TooLarge` as soon as it is longer than `limit` octets, and `TooSlow`.

    `announced` is its Content-Length, by which it may be refused before any of it is read.
    """
    if announced is not None and len(announced) >= _LONG_DIGITS:
        refuse_announced(announced, limit)
    whole: Callable[[int], Awaitable[bytes]] | None = getattr(body, "whole", None)
    if whole is not None:
        return whole(limit)
    return collect(body, limit)


_LONG_DIGITS = 5
"""A body with a shorter Content-Length is as quickly read as refused."""


async def collect(body: Body, limit: int, first: bytes = b"") -> bytes:
    """The first octets and all that follow them. Raises as `read` does."""
    if isinstance(body, bytes):
        if len(body) > limit:
            raise too_large(limit)
        return body
    whole = bytearray(first)
    latest = time.monotonic() + READ_SECONDS_MAX
    if len(whole) > limit:
        raise too_large(limit)
    async for chunk in body:
        whole += chunk
        if len(whole) > limit:
            raise too_large(limit)
        if time.monotonic() > latest:
            raise TooSlow(f"the body did not arrive within {READ_SECONDS_MAX:g} s")
    return bytes(whole)


async def read_reply(body: Body, limit: int, upstream: str) -> bytes:
    """The whole body of an upstream's answer. Raises `UpstreamFailed` or `Timeout`, which name the upstream."""
    try:
        return await read(body, limit)
    except TooLarge as large:
        detail = f"{upstream} answered with more than is read: {large.detail}"
        raise UpstreamFailed(detail, upstream=upstream) from None
    except TooSlow as slow:
        raise Timeout(f"{upstream} began to answer and did not end: {slow.detail}", upstream=upstream) from None


def refuse_announced(length: bytes | None, limit: int) -> None:
    """Raise `TooLarge` when a body announces more octets than that in its Content-Length, or what is no number."""
    if length is not None and ((octets := content_length(length)) is None or octets > limit):
        raise too_large(limit)


def refuse_coding(headers: HeaderMap) -> None:
    """Raise `Unsupported` when a body is compressed, or otherwise not sent as it is (RFC 9110, §8.4)."""
    coding = headers.get(b"content-encoding")
    if coding and coding.lower() != b"identity":
        raise Unsupported(f"the body is encoded by {coding.decode('latin-1')!r}; send it as it is")


def too_large(limit: int) -> TooLarge:
    """The fault for a body of more octets than that."""
    return TooLarge(f"the body is longer than {limit} bytes")


async def chunks_of(body: Body) -> AsyncIterator[bytes]:
    """The body in chunks, never empty ones."""
    if isinstance(body, bytes):
        if body:
            yield body
        return
    async for chunk in body:
        if chunk:
            yield chunk


async def close(items: object) -> None:
    """Tell an asynchronous iterator, where it can be told, that nobody will ask for more."""
    aclose = getattr(items, "aclose", None)
    if aclose is not None:
        await aclose()
