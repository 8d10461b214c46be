"""A server made by hand, octet by octet, for what no decent server would do."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Peer:
    """The server's end of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def head(self) -> bytes:
        """The next request's head, its empty line included."""
        return await self.reader.readuntil(b"\r\n\r\n")

    async def chunks(self) -> AsyncIterator[bytes]:
        """The chunks of a chunked body."""
        while size := int(await self.reader.readline(), 16):
            yield await self.reader.readexactly(size)
            await self.reader.readexactly(2)
        await self.reader.readexactly(2)

    async def send(self, *pieces: bytes) -> None:
        """Send each piece on its own."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(0)

    async def gone(self) -> None:
        """Return when the client has ended the connection."""
        with suppress(ConnectionError):
            while await self.reader.read(65536):
                pass

    def close(self) -> None:
        """End the connection."""
        self.writer.close()


async def until(condition: Callable[[], bool]) -> None:
    """Return when the condition holds, for what sets no event."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


Handler = Callable[[Peer], Awaitable[None]]


@dataclass
class RawServer:
    """What a test may look at."""

    path: str
    connections: int = 0
    """Accepted so far."""
    open: int = 0
    """Open now."""
    most_open: int = 0
    errors: list[BaseException] = field(default_factory=list)
    """What handlers raised, other than the client leaving."""


@asynccontextmanager
async def raw_server(handler: Handler) -> AsyncIterator[RawServer]:
    """A server on a Unix socket that gives each connection to `handler`, and closes it afterwards.

    What a handler raises, other than that the client has left, fails the test at the end.
    """
    with tempfile.TemporaryDirectory(prefix="raw-") as directory:
        server = RawServer(str(Path(directory) / "s"))
        tasks: set[asyncio.Task[None]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            server.connections += 1
            server.open += 1
            server.most_open = max(server.most_open, server.open)
            try:
                await handler(Peer(reader, writer))
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            except BaseException as error:
                server.errors.append(error)
            finally:
                server.open -= 1
                tasks.discard(task)
                writer.close()

        listener = await asyncio.start_unix_server(serve, server.path)
        try:
            yield server
        finally:
            listener.close()
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if server.errors:
            raise server.errors[0]
