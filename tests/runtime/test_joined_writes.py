"""What reaches the socket in one piece, and what must not wait."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from entrepot.ports.exchange import Request, Response
from entrepot.runtime.http_server import HttpServer
from entrepot.runtime.joined_writes import JoinedWrites
from entrepot.wire.asgi import asgi_app

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


class Recorder(asyncio.Transport):
    """A transport that keeps what is written, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def joined(recorder: Recorder) -> JoinedWrites:
    return JoinedWrites(recorder)


def test_a_head_and_its_body_are_one_write(recorder: Recorder, joined: JoinedWrites) -> None:
    for _ in range(2):
        joined.write(HEAD)
        joined.write(b"body")
        joined.end_response()
    assert recorder.writes == [HEAD + b"body", HEAD + b"body"]


def test_later_chunks_do_not_wait(recorder: Recorder, joined: JoinedWrites) -> None:
    joined.write(HEAD)
    joined.write(b"")
    assert recorder.writes == [HEAD]
    joined.write(b"one")
    joined.write(b"two")
    assert recorder.writes == [HEAD, b"one", b"two"]


def test_a_head_alone_is_sent_when_its_response_is_over(recorder: Recorder, joined: JoinedWrites) -> None:
    joined.write(HEAD)
    assert recorder.writes == []
    joined.end_response()
    assert recorder.writes == [HEAD]


def test_a_head_is_sent_before_the_connection_is_closed(recorder: Recorder, joined: JoinedWrites) -> None:
    joined.write(HEAD)
    joined.close()
    assert (recorder.writes, recorder.closed, joined.is_closing()) == ([HEAD], True, True)


def test_a_long_body_is_not_copied(recorder: Recorder, joined: JoinedWrites) -> None:
    body = b"x" * 100_000
    joined.write(HEAD)
    joined.write(body)
    assert recorder.writes == [HEAD, body]


def test_a_caller_that_asks_may_go_on_at_once(recorder: Recorder, joined: JoinedWrites) -> None:
    joined.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert len(recorder.writes) == 1
    joined.write(HEAD)
    joined.write(b"body")
    assert recorder.writes[1:] == [HEAD + b"body"]


async def test_the_head_of_a_stream_comes_before_its_first_item() -> None:
    go_on = asyncio.Event()

    async def items() -> AsyncIterator[bytes]:
        await go_on.wait()
        yield b"item"

    async def exchange(_request: Request) -> Response:
        return Response(200, [(b"content-length", b"4")], items())

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        server = HttpServer(asgi_app(exchange), drain_seconds=1, joins_writes=True)
        serving = asyncio.create_task(server.run_on(listening.dup().detach()))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        assert head.startswith(b"HTTP/1.1 200")
        go_on.set()
        assert await asyncio.wait_for(reader.readexactly(4), 10) == b"item"
        writer.write(b"HEAD / HTTP/1.1\r\nhost: a\r\n\r\n")
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).startswith(b"HTTP/1.1 200")
        writer.close()
        server.should_exit = True
        await serving
