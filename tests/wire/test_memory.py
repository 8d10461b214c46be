"""The wire without a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from entrepot.http.bodies import read
from entrepot.model.faults import NotFound
from entrepot.ports.exchange import Request, Response
from entrepot.wire.memory import memory_wire, octets


async def echo(request: Request) -> Response:
    return Response(200, [(b"x-path", request.path)], await read(request.body, 1000))


@pytest.mark.parametrize("chunking", [None, octets, lambda data: [data[:2], data[2:]], lambda data: [b"", data, b""]])
@pytest.mark.parametrize("body", [b"", b"x", b"hello"])
async def test_what_goes_in_comes_out(chunking, body):
    response = await memory_wire(echo, chunking)(Request("POST", b"/%2F", body=body))
    assert (response.status, response.headers) == (200, [(b"x-path", b"/%2F")])
    assert await read(response.body, 1000) == body


async def test_bodies_are_cut_as_told():
    seen: list[bytes] = []

    async def server(request: Request) -> Response:
        assert not isinstance(request.body, bytes)
        seen.extend([chunk async for chunk in request.body])
        return Response(200, body=b"ab")

    response = await memory_wire(server, octets)(Request("POST", b"/", body=b"xyz"))
    assert not isinstance(response.body, bytes)
    assert [chunk async for chunk in response.body] == [b"a", b"b"]
    assert seen == [b"x", b"y", b"z"]


async def test_a_stream_is_made_as_it_is_read_and_closed_with_its_reader():
    made: list[int] = []
    closed = False

    async def body() -> AsyncIterator[bytes]:
        nonlocal closed
        try:
            for index in range(100):
                made.append(index)
                yield b"%d" % index
        finally:
            closed = True

    async def server(request: Request) -> Response:
        return Response(200, body=body())

    response = await memory_wire(server)(Request("GET", b"/"))
    assert made == []
    async for _ in response.body:  # type: ignore[union-attr]
        break
    await response.body.aclose()  # type: ignore[union-attr]
    assert (made, closed) == ([0], True)


async def test_the_server_hears_that_the_caller_has_left():
    departures: list[object] = []

    async def body() -> AsyncIterator[bytes]:
        while True:
            yield b"x"

    async def server(request: Request) -> Response:
        assert request.departure is not None
        departures.append(asyncio.ensure_future(request.departure()))
        return Response(200, body=body())

    response = await memory_wire(server)(Request("GET", b"/"))
    await anext(response.body)  # type: ignore[arg-type]
    assert not departures[0].done()  # type: ignore[attr-defined]
    await response.body.aclose()  # type: ignore[union-attr]
    await departures[0]  # type: ignore[misc]


async def test_faults_pass():
    async def server(request: Request) -> Response:
        raise NotFound("gone")

    with pytest.raises(NotFound):
        await memory_wire(server, octets)(Request("GET", b"/"))
