"""How answers are read, whatever the pieces they come in. No sockets: octets in, responses out."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.http.bodies import read
from entrepot.model.fault import Fault
from entrepot.model.faults import UpstreamFailed
from entrepot.ports.exchange import Request, Response
from entrepot.wire.connection import BUFFER_BYTES_MAX, BodyStream, Connection


class Transport(asyncio.Transport):
    """Keeps what is written, and what the connection asks of it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.reading = True
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


class Owner:
    def __init__(self) -> None:
        self.released_count = 0

    def released(self, connection: Connection) -> None:
        self.released_count += 1

    def lost(self, connection: Connection) -> None:
        pass


def connected() -> tuple[Connection, Transport, Owner]:
    owner, transport = Owner(), Transport()
    connection = Connection(owner)
    connection.connection_made(transport)
    return connection, transport, owner


async def exchanged(connection: Connection, pieces: list[bytes], method: str = "GET", *, ends: bool = True) -> Response:
    call = asyncio.ensure_future(connection.exchange(b"head", Request(method, b"/"), 0, "crm"))
    await asyncio.sleep(0)
    for piece in pieces:
        connection.data_received(piece)
    if ends:
        connection.eof_received()
    return await call


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ANSWERS = {
    "a length": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello", b"hello"),
    "chunks": (CHUNKED + b"2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nX-T: v\r\n\r\n", b"hello"),
    "until the end": (b"HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nhello", b"hello"),
    "an interim answer": (b"HTTP/1.1 103 Hi\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
    "nothing": (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    "a long body": (b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70_000, b"x" * 70_000),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "body"), ANSWERS.values(), ids=ANSWERS)
@given(data=st.data())
def test_an_answer_is_the_same_in_all_its_chunkings(answer, body, data):
    cuts = data.draw(st.lists(st.integers(0, min(len(answer), 300)), max_size=12).map(sorted))
    pieces = [answer[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(answer)], strict=True) if start < stop]

    async def check() -> None:
        connection, _, _ = connected()
        response = await exchanged(connection, pieces)
        assert (response.status // 100, await read(response.body, 1 << 20)) == (2, body)

    asyncio.run(check())


@pytest.mark.parametrize("answer", [answer for answer, _ in ANSWERS.values() if len(answer) < 1000])
async def test_an_answer_is_the_same_octet_by_octet(answer):
    connection, _, _ = connected()
    whole = await exchanged(connected()[0], [answer])
    single = await exchanged(connection, [answer[i : i + 1] for i in range(len(answer))])
    assert (single.status, single.headers) == (whole.status, whole.headers)
    assert await read(single.body, 100) == await read(whole.body, 100)


@given(
    data=st.binary(max_size=200),
    start=st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", CHUNKED]),
)
def test_any_octets_give_an_answer_or_a_fault(data, start):
    async def check() -> None:
        connection, transport, owner = connected()
        try:
            response = await exchanged(connection, [start + data])
            await read(response.body, 1000)
        except Fault as error:
            fault = error
        else:
            return
        assert (fault.kind, fault.upstream) == ("upstream_failed", "crm")
        assert transport.aborted
        assert owner.released_count == 0

    asyncio.run(check())


async def test_reading_pauses_while_nobody_takes_the_body():
    connection, transport, owner = connected()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    response = await exchanged(connection, [head, b"x" * 60_000], ends=False)
    assert isinstance(response.body, BodyStream)
    assert transport.reading
    connection.data_received(b"x" * (BUFFER_BYTES_MAX - 60_000 + 1))
    assert not transport.reading
    assert len(await anext(response.body)) == BUFFER_BYTES_MAX + 1
    assert transport.reading
    connection.data_received(b"x" * (1_000_000 - BUFFER_BYTES_MAX - 1))
    assert owner.released_count == 1
    assert transport.reading, "the next exchange would wait for ever"


async def test_what_arrived_before_a_stream_broke_is_given_out_first():
    connection, _, _ = connected()
    response = await exchanged(connection, [b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"hello"])
    assert isinstance(response.body, BodyStream)
    assert await anext(response.body) == b"hello"
    with pytest.raises(UpstreamFailed, match="broke off"):
        await anext(response.body)


async def test_the_end_of_a_stream_frees_the_connection_before_it_is_read():
    connection, transport, owner = connected()
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
    response = await exchanged(connection, [chunked, b"0\r\n\r\n"], ends=False)
    assert owner.released_count == 1
    assert await read(response.body, 10) == b"hello"
    assert not transport.aborted


async def test_a_call_that_is_cancelled_too_late_leaves_the_connection_alone():
    """It has been released already, and may be at work for another call."""
    connection, transport, owner = connected()
    call = asyncio.ensure_future(connection.exchange(b"head", Request("GET", b"/"), 0, "crm"))
    await asyncio.sleep(0)
    connection.data_received(b"HTTP/1.1 204 No Content\r\n\r\n")
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert owner.released_count == 1
    assert not transport.aborted


async def test_a_call_that_is_cancelled_as_its_stream_begins_drops_the_connection():
    connection, transport, owner = connected()
    call = asyncio.ensure_future(connection.exchange(b"head", Request("GET", b"/"), 0, "crm"))
    await asyncio.sleep(0)
    connection.data_received(CHUNKED)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert transport.aborted
    assert owner.released_count == 0
