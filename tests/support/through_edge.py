"""A wire with a real Envoy in it: a client, the edge, a worker's ASGI server.

Envoy knows only where a protocol is mounted, so one Envoy serves every service of a known name: the
worker behind it answers with the exchange of the present example.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import uvicorn

from entrepot.app import CATALOG
from entrepot.edge.clusters import Workers
from entrepot.ir.edge import PoolTarget, Route
from entrepot.model.operation import Service
from entrepot.ports.exchange import Exchange, Request, Response
from entrepot.wire.asgi import asgi_app
from entrepot.wire.http1 import Http1Client
from support.edge import edge_site
from support.tables import edge_table

T = TypeVar("T")
SERVICES = ("made", "shop")
"""What is served in the tests that go through it."""
POOL = PoolTarget("operations")
MOUNTS = {
    mount for protocol in CATALOG.values() for name in SERVICES for mount in protocol.server.mounts(Service(name=name))
}
ROUTES = tuple(
    Route(path=mount.path, exact=mount.exact, target=POOL) for mount in sorted(MOUNTS, key=lambda each: each.path)
)


class Edge:
    """An Envoy and a worker in a thread with its own event loop, and a client connected to them."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._stack = AsyncExitStack()
        self._exchange: Exchange | None = None
        self._client: Http1Client | None = None

    def __enter__(self) -> Edge:
        self._thread.start()
        self.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine that is run where the servers run."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=60)

    def wire(self, exchange: Exchange) -> Exchange:
        """What the client sends through the edge is answered by `exchange`."""
        self._exchange = exchange
        assert self._client is not None
        return self._client

    async def _start(self) -> None:
        site = await self._stack.enter_async_context(edge_site())
        path = site.layout.worker_socket("g1", "operations", 0)
        await self._serve(str(path))
        site.workers = Workers("g1", {"operations": (path,)})
        await site.start(edge_table(port=site.port, routes=ROUTES, pools=("operations",)))
        self._client = Http1Client(host="127.0.0.1", port=site.port)
        self._stack.push_async_callback(self._client.close)

    async def _serve(self, path: str) -> None:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(asgi_app(self._answer), lifespan="off", log_config=None))
        serving = asyncio.create_task(server.serve(sockets=[listener]))

        async def stop() -> None:
            server.should_exit = True
            await serving

        self._stack.push_async_callback(stop)

    async def _answer(self, request: Request) -> Response:
        if request.path == b"/-/health":
            return Response(200)
        assert self._exchange is not None
        return await self._exchange(request)
