"""What is answered at once, in one write, and what must not wait."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from entrepot.ports.exchange import Request, Response
from entrepot.runtime.http_server import HttpServer
from entrepot.runtime.whole_answers import AnsweringWhole
from entrepot.wire.asgi import asgi_app


class Recorder:
    """A transport that keeps what is written, write by write."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.writes.append(data)


class Cycle:
    """uvicorn's state of one request, as far as it is asked for."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {}
        self.message_event = asyncio.Event()
        self.disconnected = self.response_started = self.response_complete = False
        self.keep_alive = True
        self.answered = 0

    def on_response(self) -> None:
        self.answered += 1


@pytest.fixture
def connection() -> Any:
    """A connection with one request under way."""
    protocol: Any = AnsweringWhole.__new__(AnsweringWhole)
    protocol.flow = SimpleNamespace(write_paused=False)
    protocol.transport, protocol.cycle = Recorder(), Cycle()
    return protocol


LENGTH = (b"content-length", b"4")


def answers(connection: Any, headers: list[tuple[bytes, bytes]], body: bytes = b"body", status: int = 200) -> bool:
    taken: bool = connection.answer_whole(connection.cycle.scope, status, headers, body)
    return taken


def test_an_answer_is_one_write_and_ends_its_request(connection: Any) -> None:
    assert answers(connection, [LENGTH, (b"etag", b'"1"')], status=201)
    assert connection.transport.writes == [b'HTTP/1.1 201 Created\r\ncontent-length: 4\r\netag: "1"\r\n\r\nbody']
    cycle = connection.cycle
    assert (cycle.response_started, cycle.response_complete, cycle.answered) == (True, True, 1)
    assert cycle.message_event.is_set()


def test_a_long_body_is_not_copied(connection: Any) -> None:
    body = b"x" * 100_000
    assert answers(connection, [(b"content-length", b"100000")], body)
    assert connection.transport.writes[1] is body


UNUSUAL = {
    "a handler's own": (b"x-own", b"1"),
    "of the connection": (b"connection", b"close"),
    "another framing": (b"transfer-encoding", b"chunked"),
    "a broken line": (b"etag", b"1\r\nset-cookie: a=b"),
}


@pytest.mark.parametrize("header", UNUSUAL.values(), ids=UNUSUAL.keys())
def test_an_unusual_header_is_left_to_the_usual_way(connection: Any, header: tuple[bytes, bytes]) -> None:
    assert not answers(connection, [LENGTH, header])
    assert connection.transport.writes == []
    assert not connection.cycle.response_started


@pytest.mark.parametrize("state", [{"disconnected": True}, {"response_started": True}, {"keep_alive": False}])
def test_a_connection_that_does_not_stay_is_left_to_the_usual_way(connection: Any, state: dict[str, bool]) -> None:
    vars(connection.cycle).update(state)
    assert not answers(connection, [LENGTH])


def test_a_slow_caller_is_waited_for(connection: Any) -> None:
    connection.flow.write_paused = True
    assert not answers(connection, [LENGTH])


def test_a_request_behind_another_is_not_answered_before_it(connection: Any) -> None:
    assert not connection.answer_whole({}, 200, [LENGTH], b"body")


async def test_the_head_of_a_stream_comes_before_its_first_item() -> None:
    go_on = asyncio.Event()

    async def items() -> AsyncIterator[bytes]:
        await go_on.wait()
        yield b"item"

    async def exchange(_request: Request) -> Response:
        return Response(200, [(b"content-length", b"4")], items())

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        server = HttpServer(asgi_app(exchange), drain_seconds=1)
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
