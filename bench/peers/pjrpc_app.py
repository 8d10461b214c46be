"""pjrpc behind a bare ASGI application."""

from __future__ import annotations

import pjrpc.server

from bench import data
from bench.peers.plain_asgi import JSON, body_of

ITEMS = data.items()
dispatcher = pjrpc.server.AsyncDispatcher()


async def item(id: int):
    return data.item(id)


async def items():
    return ITEMS


methods = pjrpc.server.MethodRegistry()
methods.add_method(item, "bench.item")
methods.add_method(items, "bench.items")
dispatcher.add_methods(methods)


async def app(_scope, receive, send):
    text, _ = await dispatcher.dispatch((await body_of(receive)).decode(), None)
    out = text.encode()
    headers = [*JSON, (b"content-length", b"%d" % len(out))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": out})
