"""An HTTP/1.1 client for one socket address.

Made for the hop from a worker to its egress, where names, TLS, balancing and retries are somebody
else's work. It works as well against any plain HTTP/1.1 server.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from entrepot.model.faults import Timeout, Unavailable, UpstreamFailed
from entrepot.model.headers import header
from entrepot.ports.exchange import Request, Response
from entrepot.wire import request_head
from entrepot.wire.connection import Connection
from entrepot.wire.pool import Dial, Pool


class Http1Client:
    """An Exchange that sends requests to a Unix socket (`path`) or to `host` and `port`.

    At most `connections_max` connections are open and `waiting_max` requests queue for one. A
    connection idle for `idle_timeout` seconds is closed; make it shorter than the server's own.
    How long an answer may take is the request's `deadline`. Faults name as the upstream the
    request's host without `upstream_suffix`. A response body that is streamed must be read to its
    end or closed.
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
        upstream_suffix: str = "",
    ) -> None:
        self._upstream_suffix = upstream_suffix
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
        upstream = self.upstream_of(request)
        if request.deadline is not None and request.deadline <= time.monotonic():
            raise Timeout("the deadline had passed before the request was sent", upstream=upstream)
        connection = self._pool.idle() or await self._obtain(request, upstream)
        try:
            return await connection.exchange(head, request, length, upstream)
        except UpstreamFailed:
            if not connection.repeatable(request):
                raise
        connection = await self._obtain(request, upstream, fresh=True)
        return await connection.exchange(head, request, length, upstream)

    def upstream_of(self, request: Request) -> str:
        """The name by which faults call the request's upstream."""
        host = header(request.headers, b"host") or self._authority
        return host.decode("latin-1").removesuffix(self._upstream_suffix)

    async def close(self) -> None:
        """Drop every connection; requests in progress fail. The client stays closed."""
        await self._pool.close()

    async def _obtain(self, request: Request, upstream: str, *, fresh: bool = False) -> Connection:
        try:
            return await self._pool.obtain(request.deadline, fresh=fresh)
        except (UpstreamFailed, Unavailable, Timeout) as fault:
            fault.upstream = upstream
            raise


def _to_path(path: str) -> Dial:
    async def dial(factory: Callable[[], Connection]) -> tuple[asyncio.BaseTransport, Connection]:
        return await asyncio.get_running_loop().create_unix_connection(factory, path)

    return dial


def _to_port(host: str, port: int) -> Dial:
    async def dial(factory: Callable[[], Connection]) -> tuple[asyncio.BaseTransport, Connection]:
        return await asyncio.get_running_loop().create_connection(factory, host, port)

    return dial
