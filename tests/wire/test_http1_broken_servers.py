"""The HTTP/1.1 client against servers that are slow, half-open, rude, mad or dead."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Awaitable, Callable

import pytest

from entrepot.http.bodies import read
from entrepot.model.fault import Fault
from entrepot.model.faults import Timeout, UpstreamFailed
from entrepot.ports.exchange import Request, Response
from entrepot.wire.connection import BUFFER_BYTES_MAX
from entrepot.wire.http1 import Http1Client
from entrepot.wire.response_parser import HEAD_BYTES_MAX
from support.http1 import HOST, OK, client_of, client_to, get, post
from support.raw_server import Peer, raw_server, until


def answering(*pieces: bytes) -> Callable[[Peer], Awaitable[None]]:
    """A server that reads one request, sends this and ends the connection."""

    async def handle(peer: Peer) -> None:
        await peer.head()
        await peer.send(*pieces)

    return handle


async def whole(client: Http1Client, request: Request) -> tuple[Response, bytes]:
    response = await client(request)
    return response, await read(response.body, 1 << 24)


BROKEN_OFF = {
    "nothing at all": (b"",),
    "half a status line": (b"HTTP/1.1 20",),
    "half a head": (b"HTTP/1.1 200 OK\r\nContent-Le",),
    "a body shorter than announced": (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",),
    "a long body shorter than announced": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x" * 99_999),
    "no last chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",),
    "half a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",),
    "half a trailer": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-T",),
    "only an interim answer": (b"HTTP/1.1 100 Continue\r\n\r\n",),
}


@pytest.mark.parametrize("pieces", BROKEN_OFF.values(), ids=BROKEN_OFF)
async def test_an_answer_that_breaks_off(pieces):
    async with client_to(answering(*pieces)) as client:
        with pytest.raises(UpstreamFailed, match=r"ended before an answer|broke off") as caught:
            await whole(client, get())
    assert caught.value.upstream == "crm.egress"


NOT_HTTP = {
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "a version of the future": b"HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "a status that is no number": b"HTTP/1.1 OK 200\r\n\r\n",
    "a status too low": b"HTTP/1.1 099 Low\r\nContent-Length: 2\r\n\r\nok",
    "a status too high": b"HTTP/1.1 999 High\r\nContent-Length: 2\r\n\r\nok",
    "another protocol": b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "another protocol, unnamed": b"HTTP/1.1 101 Switching\r\n\r\n",
    "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    "a length below nothing": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
    "a length beyond measure": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok",
    "a coding we do not know": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok",
    "two codings": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a chunk without a size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "a folded header": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
    "a header without a colon": b"HTTP/1.1 200 OK\r\nX\r\n\r\n",
    "a NUL in a header": b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok",
    "a body to an interim answer": b"HTTP/1.1 100 Continue\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n",
}  # fmt: skip


@pytest.mark.parametrize("answer", NOT_HTTP.values(), ids=NOT_HTTP)
@pytest.mark.parametrize("cut", [1, 1000])
async def test_an_answer_that_is_not_one(answer, cut):
    pieces = [answer[i : i + cut] for i in range(0, len(answer), cut)]
    async with client_to(answering(*pieces)) as client:
        with pytest.raises(UpstreamFailed) as caught:
            await whole(client, get())
    assert caught.value.detail
    assert caught.value.upstream == "crm.egress"


ENDLESS = {
    "head": (b"HTTP/1.1 200 OK\r\n", b"X-Long: " + b"x" * 1000 + b"\r\n"),
    "header": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 1000),
    "status line": (b"HTTP/1.1 200 ", b"x" * 1000),
    "run of interim answers": (b"", b"HTTP/1.1 102 Wait\r\n\r\n" * 50),
    "chunk extension": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x" * 1000),
    "trailer": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Long: " + b"x" * 1000 + b"\r\n"),
}


@pytest.mark.parametrize(("start", "more"), ENDLESS.values(), ids=ENDLESS)
async def test_an_endless_part_is_cut_short(start, more):
    sent = 0

    async def handle(peer: Peer) -> None:
        nonlocal sent
        await peer.head()
        await peer.send(start)
        while True:
            await peer.send(more)
            sent += len(more)

    async with client_to(handle) as client:
        with pytest.raises(UpstreamFailed, match=r"more than|not HTTP"):
            await whole(client, get())
    assert sent < HEAD_BYTES_MAX * 20


async def test_more_octets_than_announced_are_not_the_next_answer():
    async def handle(peer: Peer) -> None:
        await peer.head()
        await peer.send(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
        await peer.gone()

    async with raw_server(handle) as server, client_of(server) as client:
        assert (await client(get())).body == b"ok"
        assert (await client(get())).body == b"ok"
        assert server.connections == 2


async def test_an_answer_nobody_asked_for_drops_the_connection():
    async def handle(peer: Peer) -> None:
        await peer.head()
        await peer.send(OK)
        await asyncio.sleep(0.01)
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
        await peer.gone()
        gone.set()

    gone = asyncio.Event()
    async with raw_server(handle) as server, client_of(server) as client:
        assert (await client(get())).body == b"ok"
        await gone.wait()
        assert (await client(get())).body == b"ok"
        assert server.connections == 2


async def test_a_body_after_the_answer_to_head_is_not_the_next_answer():
    async def handle(peer: Peer) -> None:
        await peer.head()
        await peer.send(OK)
        await peer.gone()

    async with raw_server(handle) as server, client_of(server) as client:
        for _ in range(2):
            assert (await client(Request("HEAD", b"/", headers=[HOST]))).body == b""
        assert server.connections == 2


# Time


async def test_a_server_that_never_answers():
    left = asyncio.Event()

    async def handle(peer: Peer) -> None:
        await peer.gone()
        left.set()

    async with raw_server(handle) as server, client_of(server) as client:
        with pytest.raises(Timeout) as caught:
            await client(get(deadline=time.monotonic() + 0.05, idempotent=True))
        await left.wait()
        assert caught.value.upstream == "crm.egress"
        assert server.connections == 1


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"],
    ids=["in its head", "in a small body", "in a streamed body"],
)  # fmt: skip
async def test_a_server_that_drips(head):
    async def handle(peer: Peer) -> None:
        await peer.head()
        await peer.send(head)
        while True:
            await peer.send(b"x")
            await asyncio.sleep(0.005)

    async with client_to(handle) as client:
        with pytest.raises(Timeout):
            await whole(client, get(deadline=time.monotonic() + 0.1))


async def test_a_deadline_that_has_passed():
    async with client_to(answering(OK)) as client:
        with pytest.raises(Timeout):
            await client(get(deadline=time.monotonic() - 1))


async def test_a_cancelled_call_ends_its_connection():
    left = asyncio.Event()
    asked = asyncio.Event()

    async def handle(peer: Peer) -> None:
        await peer.head()
        asked.set()
        await peer.gone()
        left.set()

    async with client_to(handle) as client:
        call = asyncio.create_task(client(get()))
        await asked.wait()
        call.cancel()
        await left.wait()
        with pytest.raises(asyncio.CancelledError):
            await call


# Connections that die between two requests


def dying_after_one(on_first: Callable[[Peer], Awaitable[None]]) -> Callable[[Peer], Awaitable[None]]:
    """The first connection answers once and then does `on_first` with the next request; others behave."""
    first = True

    async def handle(peer: Peer) -> None:
        nonlocal first
        mine, first = first, False
        await peer.head()
        await peer.send(OK)
        if mine:
            await peer.head()
            await on_first(peer)
            return
        while True:
            await peer.head()
            await peer.send(OK)

    return handle


async def say_nothing(peer: Peer) -> None:
    pass


async def say_half(peer: Peer) -> None:
    await peer.send(b"HTTP/1.1 200")


async def test_an_idempotent_request_is_sent_again_when_a_kept_connection_dies():
    async with raw_server(dying_after_one(say_nothing)) as server, client_of(server) as client:
        await client(get())
        assert (await client(get(idempotent=True))).body == b"ok"
        assert server.connections == 2


async def test_another_request_is_not_sent_again():
    async with raw_server(dying_after_one(say_nothing)) as server, client_of(server) as client:
        await client(post())
        with pytest.raises(UpstreamFailed, match="before an answer"):
            await client(post())
        assert server.connections == 1


async def test_nothing_is_sent_again_once_an_answer_has_begun():
    async with raw_server(dying_after_one(say_half)) as server, client_of(server) as client:
        await client(get())
        with pytest.raises(UpstreamFailed, match="broke off"):
            await client(get(idempotent=True))
        assert server.connections == 1


async def test_nothing_is_sent_again_after_a_fresh_connection_died():
    async with raw_server(answering(b"")) as server, client_of(server) as client:
        with pytest.raises(UpstreamFailed):
            await client(get(idempotent=True))
        assert server.connections == 1


async def test_a_request_is_sent_again_only_once():
    first = True

    async def handle(peer: Peer) -> None:
        nonlocal first
        if first:
            first = False
            await peer.head()
            await peer.send(OK)
        await peer.head()

    async with raw_server(handle) as server, client_of(server) as client:
        await client(get())
        with pytest.raises(UpstreamFailed):
            await client(get(idempotent=True))
        assert server.connections == 2


async def test_a_connection_that_died_while_idle_is_not_used():
    async def handle(peer: Peer) -> None:
        await peer.head()
        await peer.send(OK)

    async with raw_server(handle) as server, client_of(server) as client:
        for expected in (1, 2, 3):
            assert (await client(post())).body == b"ok"
            await until(lambda: server.open == 0)
            await asyncio.sleep(0.01)
            assert server.connections == expected


async def test_a_reset_connection():
    """Over TCP, with a real RST in the middle of a body."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhello")
        await writer.drain()
        await asyncio.sleep(0.01)
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    client = Http1Client(host="127.0.0.1", port=port)
    with pytest.raises(UpstreamFailed, match="broke off"):
        await whole(client, Request("GET", b"/"))
    await client.close()
    listener.close()


# Servers that are not there


async def test_a_socket_that_does_not_exist(tmp_path):
    client = Http1Client(path=str(tmp_path / "none"))
    with pytest.raises(UpstreamFailed, match="no connection") as caught:
        await client(get())
    assert caught.value.upstream == "crm.egress"
    await client.close()


async def test_a_port_that_refuses():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client = Http1Client(host="127.0.0.1", port=taken.getsockname()[1], connections_max=1)
        answers = await asyncio.gather(*(client(get()) for _ in range(5)), return_exceptions=True)
        assert [type(answer).__mro__[1] for answer in answers] == [UpstreamFailed] * 5
        await client.close()


async def test_a_server_that_does_not_accept():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        blockers = [socket.socket() for _ in range(4)]
        for blocker in blockers:
            blocker.setblocking(False)
            blocker.connect_ex(full.getsockname())
        client = Http1Client(host="127.0.0.1", port=full.getsockname()[1], connect_timeout=0.05)
        with pytest.raises(UpstreamFailed, match="no connection within"):
            await client(get())
        with pytest.raises(Timeout, match="before a connection was open"):
            await client(get(deadline=time.monotonic() + 0.01))
        await client.close()
        for blocker in blockers:
            blocker.close()


@pytest.mark.parametrize("size", [0, 1, BUFFER_BYTES_MAX, 10 * BUFFER_BYTES_MAX])
async def test_the_client_works_on_after_any_of_this(size):
    """A broken exchange leaves nothing behind in the pool."""
    turns = iter([b"junk", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", b""] * 4)

    async def handle(peer: Peer) -> None:
        await peer.head()
        answer = next(turns, None)
        if answer is not None:
            await peer.send(answer)
        else:
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size, bytes(size))

    async with client_to(handle, connections_max=1) as client:
        for _ in range(12):
            with pytest.raises(Fault):
                await whole(client, get())
        assert len((await whole(client, get()))[1]) == size
