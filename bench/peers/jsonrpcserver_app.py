"""jsonrpcserver behind a bare ASGI application."""

from __future__ import annotations

from jsonrpcserver import Success, async_dispatch, method

from bench import data
from bench.peers.plain_asgi import JSON, body_of

ITEMS = data.items()


@method(name="bench.item")
async def item(id: int):
    return Success(data.item(id))


@method(name="bench.items")
async def items():
    return Success(ITEMS)


async def app(_scope, receive, send):
    out = (await async_dispatch((await body_of(receive)).decode())).encode()
    headers = [*JSON, (b"content-length", b"%d" % len(out))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": out})
