"""An HTTP/1.1 client for one socket address.

Made for the hop from a worker to its egress, where names, TLS, balancing and retries are somebody
else's work. It works as well against any plain HTTP/1.1 server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from entrepot.model.faults import Timeout, Unavailable, UpstreamFailed
from entrepot.ports.exchange import Request, Response, header
from entrepot.wire import request_head
from entrepot.wire.connection import Connection
from entrepot.wire.pool import Dial, Pool


class Http1Client:
    """An Exchange that sends requests to a Unix socket (`path`) or to `host` and `port`.

    At most `connections_max` connections are open and `waiting_max` requests queue for one. A
    connection idle for `idle_timeout` seconds is closed; make it shorter than the server's own.
    How long an answer may take is the request's `deadline`. Faults name the request's host as the
    upstream. A response body that is streamed must be read to its end or closed.
    """

    def __init__(
        self,
        *,
        path: str | None = None,
        host: str = "localhost",
        port: int = 80,
        connections_max: int = 128,
        waiting_max: int = 1024,
        connect_timeout: float = 1.0,
        idle_timeout: float = 60.0,
    ) -> None:
        self._authority = (host if path is not None or port == 80 else f"{host}:{port}").encode("latin-1")
        self._pool = Pool(
            _to_path(path) if path is not None else _to_port(host, port),
            connections_max=connections_max,
            waiting_max=waiting_max,
            connect_timeout=connect_timeout,
            idle_timeout=idle_timeout,
        )

    async def __call__(self, request: Request) -> Response:
        """The response. Raises `UpstreamFailed`, `Unavailable` or `Timeout` when there is none."""
        length = len(request.body) if isinstance(request.body, bytes) else request_head.declared_length(request)
        head = request_head.encode(request, self._authority, length)
        try:
            return await self._exchange(head, request, length)
        except (UpstreamFailed, Unavailable, Timeout) as fault:
            fault.upstream = fault.upstream or self._host_of(request)
            raise

    async def close(self) -> None:
        """Drop every connection; requests in progress fail. The client stays closed."""
        await self._pool.close()

    async def _exchange(self, head: bytes, request: Request, length: int | None) -> Response:
        connection = self._pool.idle() or await self._pool.obtain(request.deadline)
        try:
            return await connection.exchange(head, request, length)
        except UpstreamFailed:
            if not connection.repeatable(request):
                raise
        connection = await self._pool.obtain(request.deadline, fresh=True)
        return await connection.exchange(head, request, length)

    def _host_of(self, request: Request) -> str:
        return (header(request.headers, b"host") or self._authority).decode("latin-1")


def _to_path(path: str) -> Dial:
    async def dial(factory: Callable[[], Connection]) -> tuple[asyncio.BaseTransport, Connection]:
        return await asyncio.get_running_loop().create_unix_connection(factory, path)

    return dial


def _to_port(host: str, port: int) -> Dial:
    async def dial(factory: Callable[[], Connection]) -> tuple[asyncio.BaseTransport, Connection]:
        return await asyncio.get_running_loop().create_connection(factory, host, port)

    return dial
