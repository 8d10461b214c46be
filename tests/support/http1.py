"""The HTTP/1.1 client and the requests it is tried with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from entrepot.ports.exchange import Request
from entrepot.wire.http1 import Http1Client
from support.raw_server import Handler, RawServer, raw_server

HOST = (b"host", b"crm.egress")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def get(path: bytes = b"/", *headers: tuple[bytes, bytes], **rest: object) -> Request:
    return Request("GET", path, headers=[HOST, *headers], **rest)  # type: ignore[arg-type]


def post(**rest: object) -> Request:
    return Request("POST", b"/", headers=[HOST], **({"body": b"{}"} | rest))  # type: ignore[arg-type]


@asynccontextmanager
async def client_of(server: RawServer, **settings: object) -> AsyncIterator[Http1Client]:
    """A client whose connections all lead to this server."""
    client = Http1Client(path=server.path, **settings)  # type: ignore[arg-type]
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def client_to(handler: Handler, **settings: object) -> AsyncIterator[Http1Client]:
    """A client, and a server of its own whose connections go to the handler."""
    async with raw_server(handler) as server, client_of(server, **settings) as client:
        yield client
