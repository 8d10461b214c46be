"""A wire without a network: joins a protocol's client to a server in the same process.

What passes is octets, cut wherever the caller likes, so a codec meets every chunking it could
meet on a socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable

from entrepot.http.bodies import close
from entrepot.ports.exchange import Body, Exchange, Request, Response

Chunking = Callable[[bytes], Iterable[bytes]]
"""Cuts octets into chunks that joined give them again."""


def octets(data: bytes) -> Iterable[bytes]:
    """The finest chunking: one octet at a time."""
    return (data[i : i + 1] for i in range(len(data)))


def memory_wire(exchange: Exchange, chunking: Chunking | None = None) -> Exchange:
    """An Exchange that passes requests to `exchange` and its responses back.

    With a `chunking`, every body in either direction is a stream of such chunks, made as they are
    asked for; without one, bodies pass as they are. The request's departure happens when the
    response's body is closed before its end.
    """

    async def pass_on(request: Request) -> Response:
        left = asyncio.Event()

        async def departure() -> None:
            await left.wait()

        response = await exchange(
            Request(
                request.method,
                bytes(request.path),
                bytes(request.query),
                [(name.lower(), value) for name, value in request.headers],
                _chunked(request.body, chunking),
                departure,
                request.deadline,
                request.idempotent,
            )
        )
        body = response.body
        if not isinstance(body, bytes) or chunking is not None:
            body = _until_left(_chunked(body, chunking), left)
        return Response(response.status, list(response.headers), body)

    return pass_on


def _chunked(body: Body, chunking: Chunking | None) -> Body:
    if chunking is None:
        return body
    return _cut(body, chunking)


async def _cut(body: Body, chunking: Chunking) -> AsyncIterator[bytes]:
    try:
        if isinstance(body, bytes):
            for piece in chunking(body):
                yield piece
        else:
            async for chunk in body:
                for piece in chunking(chunk):
                    yield piece
    finally:
        await close(body)


async def _until_left(body: Body, left: asyncio.Event) -> AsyncIterator[bytes]:
    assert not isinstance(body, bytes)
    ended = False
    try:
        async for chunk in body:
            yield chunk
        ended = True
    finally:
        if not ended:
            left.set()
        await close(body)
