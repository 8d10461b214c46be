"""An upstream that does whatever a caller names: `/things/NAME`, or `{"case": NAME}` in JSON-RPC.

with bad_upstream(CASES) as upstream:
    ...  # upstream.port

A case is the octets of an answer, or a coroutine function that gets the connection. The server runs
in a thread of its own, so that tests need no event loop.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

_CASE = re.compile(rb'^\S+ /[a-z]+/([a-z0-9_-]+)|"case":"([a-z0-9_-]+)"')
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: (\d+)")


@dataclass
class Caller:
    """One connection, whose request has been read."""

    writer: asyncio.StreamWriter
    reader: asyncio.StreamReader
    request: bytes

    @property
    def id(self) -> bytes:
        """Of a JSON-RPC request."""
        found = re.search(rb'"id":(\d+)', self.request)
        return found[1] if found else b"null"

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def gone(self) -> None:
        """Return when the caller has ended the connection."""
        while await self.reader.read(65536):
            pass

    def reset(self) -> None:
        """End the connection without any courtesy."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Case = bytes | Callable[[Caller], Awaitable[None]]


@dataclass
class BadUpstream:
    """What a test may look at."""

    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    """Each with its body, of the last thousand."""
    failures: list[BaseException] = field(default_factory=list)
    """What a case raised, other than that its caller left."""


@contextmanager
def bad_upstream(cases: Mapping[str, Case]) -> Iterator[BadUpstream]:
    """The server, until the block ends. Each connection carries one request."""
    upstream, started, ended = BadUpstream(), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await _answer(Caller(writer, reader, await _request(reader)), cases, upstream)
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                pass
            except Exception as failure:
                upstream.failures.append(failure)
            finally:
                writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        upstream.port = server.sockets[0].getsockname()[1]
        started.set()
        await ended.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield upstream
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
    if upstream.failures:
        raise upstream.failures[0]


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return head + (await reader.readexactly(int(length[1])) if length else b"")


async def _answer(caller: Caller, cases: Mapping[str, Case], upstream: BadUpstream) -> None:
    upstream.requests = [*upstream.requests[-999:], caller.request]
    found = _CASE.search(caller.request)
    name = (found[1] or found[2]).decode() if found else ""
    case = cases.get(name, b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    if isinstance(case, bytes):
        await caller.send(case)
    else:
        await case(caller)
