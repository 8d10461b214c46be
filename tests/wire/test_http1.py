"""The HTTP/1.1 client against servers that behave, and the pool of its connections."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn

from entrepot.http.bodies import read
from entrepot.model.faults import Malformed, Timeout, Unavailable, UpstreamFailed
from entrepot.ports.exchange import Request, Response
from entrepot.wire.asgi import asgi_app
from entrepot.wire.connection import BodyStream
from entrepot.wire.http1 import Http1Client
from support.http1 import HOST, OK, client_of, client_to, get, post
from support.raw_server import Peer, raw_server, until


def within(seconds: float) -> float:
    return time.monotonic() + seconds


async def always_ok(peer: Peer) -> None:
    while True:
        await peer.head()
        await peer.send(OK)


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


# One exchange


async def test_a_small_answer_comes_whole():
    async def handle(peer: Peer) -> None:
        await peer.head()
        await peer.send(b"HTTP/1.1 201 Made\r\nX-Two: a\r\nx-two: b \r\nX-None:\r\nContent-Length: 5\r\n\r\nhe", b"llo")

    async with client_to(handle) as client:
        response = await client(get())
    assert (response.status, response.body) == (201, b"hello")
    assert response.headers == [(b"x-two", b"a"), (b"x-two", b"b"), (b"x-none", b""), (b"content-length", b"5")]


async def test_connections_are_kept_for_the_next_request():
    async with raw_server(always_ok) as server, client_of(server) as client:
        for _ in range(5):
            assert (await client(get())).body == b"ok"
        assert server.connections == 1


@pytest.mark.parametrize("closing", [b"Connection: close\r\n", b"Keep-Alive: x\r\nConnection: x, Close\r\n"])
async def test_a_connection_that_the_server_ends_is_not_used_again(closing):
    async def handle(peer: Peer) -> None:
        await peer.head()
        await peer.send(b"HTTP/1.1 200 OK\r\n" + closing + b"Content-Length: 2\r\n\r\nok")
        await peer.gone()

    async with raw_server(handle) as server, client_of(server) as client:
        assert (await client(get())).headers == [(b"content-length", b"2")]
        assert (await client(get())).body == b"ok"
        assert server.connections == 2


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n"),
        ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ],
)
async def test_answers_without_a_body_end_with_their_head(method, answer):
    async def handle(peer: Peer) -> None:
        while True:
            await peer.head()
            await peer.send(answer)

    async with raw_server(handle) as server, client_of(server) as client:
        for _ in range(3):
            assert (await client(Request(method, b"/", headers=[HOST]))).body == b""
        assert server.connections == 1


async def test_interim_answers_are_passed_over():
    async def handle(peer: Peer) -> None:
        await peer.head()
        await peer.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", OK)

    async with client_to(handle) as client:
        response = await client(get())
    assert (response.status, response.headers, response.body) == (200, [(b"content-length", b"2")], b"ok")


# Streamed answers


async def test_a_stream_arrives_as_it_is_sent():
    heard = asyncio.Event()

    async def handle(peer: Peer) -> None:
        await peer.head()
        await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"3\r\none\r\n")
        await heard.wait()
        await peer.send(b"3\r\ntwo\r\n", b"0\r\n\r\n")
        await peer.gone()

    async with client_to(handle) as client:
        response = await client(get())
        assert isinstance(response.body, BodyStream)
        chunks = [await anext(response.body)]
        heard.set()
        chunks += [chunk async for chunk in response.body]
    assert b"".join(chunks) == b"onetwo"


async def test_a_stream_without_a_length_ends_with_the_connection():
    async def handle(peer: Peer) -> None:
        await peer.head()
        await peer.send(b"HTTP/1.0 200 OK\r\n\r\n", b"one", b"two")

    async with client_to(handle) as client:
        assert await read((await client(get())).body, 100) == b"onetwo"
        assert await read((await client(get())).body, 100) == b"onetwo"


async def test_a_stream_that_nobody_reads_holds_the_server_back():
    sent = 0
    stalled = asyncio.Event()

    async def handle(peer: Peer) -> None:
        nonlocal sent
        await peer.head()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (64 << 20))
        peer.writer.transport.set_write_buffer_limits(0)
        for _ in range(1024):
            peer.writer.write(bytes(1 << 16))
            drained = asyncio.ensure_future(peer.writer.drain())
            done, _ = await asyncio.wait([drained], timeout=None if stalled.is_set() else 0.2)
            if not done:
                stalled.set()
                await drained
            sent += 1 << 16

    async with client_to(handle) as client:
        response = await client(get())
        await stalled.wait()
        assert sent < 2 << 20
        assert len(await read(response.body, 64 << 20)) == 64 << 20


async def test_closing_a_stream_early_drops_the_connection():
    left = asyncio.Event()

    async def handle(peer: Peer) -> None:
        await peer.head()
        await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"3\r\none\r\n")
        await peer.gone()
        left.set()

    async with client_to(handle) as client:
        response = await client(get())
        assert isinstance(response.body, BodyStream)
        await response.body.aclose()
        await left.wait()
        assert [chunk async for chunk in response.body] == []


# Streamed requests


async def test_a_streamed_body_is_sent_in_chunks():
    seen: list[bytes] = []

    async def handle(peer: Peer) -> None:
        while True:
            seen.append(await peer.head())
            seen.extend([chunk async for chunk in peer.chunks()])
            await peer.send(OK)

    async with raw_server(handle) as server, client_of(server) as client:
        for _ in range(2):
            await client(post(body=pieces(b"one", b"", b"x" * 20)))
        assert server.connections == 1
    assert seen[0] == b"POST / HTTP/1.1\r\nhost: crm.egress\r\ntransfer-encoding: chunked\r\n\r\n"
    assert seen[1:3] == [b"one", b"x" * 20]


async def test_a_streamed_body_may_announce_its_length():
    async def handle(peer: Peer) -> None:
        assert b"content-length: 6\r\n" in await peer.head()
        assert await peer.reader.readexactly(6) == b"onetwo"
        await peer.send(OK)

    async with client_to(handle) as client:
        request = Request("PUT", b"/", headers=[HOST, (b"content-length", b"6")], body=pieces(b"one", b"two"))
        assert (await client(request)).body == b"ok"


@pytest.mark.parametrize("length", [b"5", b"7"])
async def test_a_body_that_is_not_as_long_as_announced_is_not_completed(length):
    async def handle(peer: Peer) -> None:
        await peer.head()
        await peer.gone()

    async with client_to(handle) as client:
        request = Request("PUT", b"/", headers=[HOST, (b"content-length", length)], body=pieces(b"one", b"two"))
        with pytest.raises(Malformed, match="content-length"):
            await client(request)


async def test_a_body_that_fails_takes_the_request_with_it():
    async def broken() -> AsyncIterator[bytes]:
        yield b"one"
        raise Malformed("the caller sent nonsense")

    async def handle(peer: Peer) -> None:
        await peer.head()
        await peer.gone()

    async with client_to(handle) as client:
        with pytest.raises(Malformed, match="nonsense"):
            await client(post(body=broken()))


async def test_an_upload_waits_for_a_slow_server():
    made = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal made
        for _ in range(256):
            made += 1 << 16
            yield bytes(1 << 16)

    async def handle(peer: Peer) -> None:
        await peer.head()
        before = -1
        while made != before:  # until the client has stopped
            before = made
            await asyncio.sleep(0.05)
        assert made < 4 << 20
        assert sum([len(chunk) async for chunk in peer.chunks()]) == 16 << 20
        await peer.send(OK)

    async with client_to(handle) as client:
        assert (await client(post(body=body()))).body == b"ok"


async def test_an_early_answer_ends_the_upload():
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
                await asyncio.sleep(0)
        finally:
            closed.set()

    async def handle(peer: Peer) -> None:
        await peer.head()
        await peer.reader.readline()
        await peer.send(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno")
        await peer.gone()

    async with raw_server(handle) as server, client_of(server) as client:
        response = await client(post(body=endless()))
        assert (response.status, response.body) == (403, b"no")
        await closed.wait()
        await client(post(body=pieces(b"x")))
        assert server.connections == 2


async def test_both_directions_may_stream_at_once():
    async def handle(peer: Peer) -> None:
        await peer.head()
        await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        async for chunk in peer.chunks():
            await peer.send(b"%x\r\n%b\r\n" % (len(chunk), chunk.upper()))
        await peer.send(b"0\r\n\r\n")

    turns: asyncio.Queue[bytes] = asyncio.Queue()

    async def body() -> AsyncIterator[bytes]:
        while chunk := await turns.get():
            yield chunk

    async with client_to(handle) as client:
        response = await client(post(body=body()))
        assert isinstance(response.body, BodyStream)
        for word in (b"one", b"two"):
            turns.put_nowait(word)
            assert await anext(response.body) == word.upper()
        turns.put_nowait(b"")
        assert [chunk async for chunk in response.body] == []


# The pool


async def test_no_more_connections_are_open_than_allowed():
    async def handle(peer: Peer) -> None:
        while True:
            await peer.head()
            await asyncio.sleep(0.001)
            await peer.send(OK)

    async with raw_server(handle) as server, client_of(server, connections_max=3) as client:
        responses = await asyncio.gather(*(client(get()) for _ in range(40)))
        assert {response.body for response in responses} == {b"ok"}
        assert server.most_open == 3


async def test_a_queue_that_is_too_long_is_refused():
    async def handle(peer: Peer) -> None:
        await peer.gone()

    async with raw_server(handle) as server, client_of(server, connections_max=1, waiting_max=2) as client:
        waiting = [asyncio.create_task(client(get())) for _ in range(3)]
        await until(lambda: server.connections == 1)
        with pytest.raises(Unavailable, match="2 requests are waiting") as caught:
            await client(get())
        assert caught.value.upstream == "crm.egress"
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_waiting_for_a_connection_ends_with_the_deadline():
    async def handle(peer: Peer) -> None:
        await peer.gone()

    async with client_to(handle, connections_max=1) as client:
        busy = asyncio.create_task(client(get()))
        await asyncio.sleep(0)
        with pytest.raises(Timeout, match="before a connection was free"):
            await client(get(deadline=within(0.05)))
        busy.cancel()


async def test_one_who_stops_waiting_loses_no_connection():
    release = asyncio.Event()

    async def handle(peer: Peer) -> None:
        while True:
            await peer.head()
            await release.wait()
            await peer.send(OK)

    async with raw_server(handle) as server, client_of(server, connections_max=1) as client:
        tasks = [asyncio.create_task(client(get())) for _ in range(6)]
        await until(lambda: server.connections == 1)
        for task in tasks[1:4]:
            task.cancel()
        release.set()
        responses = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(each, Response) for each in responses] == [True, False, False, False, True, True]
        assert (await client(get())).body == b"ok"
        assert server.most_open == 1


async def test_a_lost_connection_makes_room_for_who_waits():
    async def handle(peer: Peer) -> None:
        if server.connections == 1:
            await peer.head()
        else:
            await always_ok(peer)

    async with raw_server(handle) as server, client_of(server, connections_max=1) as client:
        responses = await asyncio.gather(*(client(get()) for _ in range(3)), return_exceptions=True)
        assert [isinstance(each, UpstreamFailed) for each in responses] == [True, False, False]


async def test_idle_connections_are_closed_after_a_while():
    left = asyncio.Event()

    async def handle(peer: Peer) -> None:
        await peer.head()
        await peer.send(OK)
        await peer.gone()
        left.set()

    async with client_to(handle, idle_timeout=0.01) as client:
        await client(get())
        await asyncio.wait_for(left.wait(), 5)


async def test_a_closed_client_answers_nobody():
    async def handle(peer: Peer) -> None:
        await peer.gone()

    async with raw_server(handle) as server, client_of(server, connections_max=1) as client:
        tasks = [asyncio.create_task(client(get())) for _ in range(2)]
        await until(lambda: server.connections == 1)
        await client.close()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(answer) for answer in answers] == [UpstreamFailed, Unavailable]
        with pytest.raises(Unavailable, match="closed"):
            await client(get())


# A real server


@asynccontextmanager
async def uvicorn_on(path: str) -> AsyncIterator[None]:
    async def echo(request: Request) -> Response:
        body = request.body
        assert not isinstance(body, bytes)
        if request.path == b"/digest":
            digest = hashlib.sha256()
            async for chunk in body:
                digest.update(chunk)
            return Response(200, [], digest.hexdigest().encode())
        return Response(200, [(b"x-path", request.path)], await read(body, 1 << 20))

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        config = uvicorn.Config(asgi_app(echo), log_level="error", lifespan="off", loop="none")
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        task = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        try:
            yield
        finally:
            server.should_exit = True
            await task


async def test_uvicorn_keeps_the_connection_through_all_kinds_of_bodies(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("u") / "s")
    client = Http1Client(path=path, connections_max=1)
    async with uvicorn_on(path):
        for size in (0, 1, 70_000, 1 << 20):
            data = bytes(range(256)) * (size // 256) + bytes(size % 256)
            response = await client(Request("POST", b"/%E4", headers=[HOST], body=data))
            assert (b"x-path", b"/%E4") in response.headers
            assert await read(response.body, 1 << 20) == data
        halves = pieces(*[b"x" * 100_000] * 100)
        response = await client(Request("POST", b"/digest", headers=[HOST], body=halves))
        assert response.body == hashlib.sha256(b"x" * 10_000_000).hexdigest().encode()
        await client.close()
