"""Streams: server-sent events and lines of JSON, of an operation and of an upstream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from entrepot.kit.limits import Limits
from entrepot.model.call import Reply
from entrepot.model.fault import Fault
from entrepot.model.faults import Conflict
from entrepot.ports.exchange import Response
from entrepot.protocols.rest.body import stream
from support.rest_shop import Shop, chunks, dialled


async def ticks(shop: Shop, count: int, fault: Fault | None = None) -> AsyncIterator[Any]:
    for at in range(count):
        yield shop.tick(at)
    if fault is not None:
        raise fault


async def streamed(
    shop: Shop, items: AsyncIterator[Any], query: bytes = b"", **headers: str
) -> tuple[dict[bytes, bytes], bytes]:
    shop.reply = Reply(items)
    status, answered, body = await shop.send("GET", b"/ticks/x", query, **headers)
    assert status == 200
    return answered, body


async def test_events_carry_the_cursor_as_their_id():
    shop = Shop()
    headers, body = await streamed(shop, ticks(shop, 2))
    assert headers[b"content-type"] == b"text/event-stream"
    assert body == b'id: 0\ndata: {"at":0,"price":"1.50"}\n\nid: 1\ndata: {"at":1,"price":"1.50"}\n\n'


async def test_lines_by_accept():
    shop = Shop()
    headers, body = await streamed(shop, ticks(shop, 2), accept="application/x-ndjson, text/event-stream;q=0.5")
    assert headers[b"content-type"] == b"application/x-ndjson"
    assert body == b'{"at":0,"price":"1.50"}\n{"at":1,"price":"1.50"}\n'


@pytest.mark.parametrize("accept", ["text/event-stream", "application/x-ndjson"])
async def test_a_stream_that_fails_ends_with_its_problem(accept):
    shop = Shop()
    _, body = await streamed(shop, ticks(shop, 1, Conflict("sold")), accept=accept)
    last = body.strip().rpartition(b"\n")[2]
    if accept == "text/event-stream":
        assert b"\nevent: error\ndata: " in body
        problem = msgspec.json.decode(last.removeprefix(b"data: "))
    else:
        problem = msgspec.json.decode(last)["entrepot:fault"]
    assert (problem["kind"], problem["detail"]) == ("conflict", "sold")


@pytest.mark.parametrize("accept", ["text/event-stream", "application/x-ndjson"])
async def test_what_nobody_foresaw_ends_a_stream_without_telling(accept, caplog):
    async def breaks() -> AsyncIterator[Any]:
        yield shop.tick(1)
        raise ZeroDivisionError("the password is hunter2")

    shop = Shop()
    _, body = await streamed(shop, breaks(), accept=accept)
    assert b'"kind":"internal"' in body
    assert b"hunter2" not in body
    assert "ZeroDivisionError" in caplog.text


async def test_last_event_id_says_where_to_go_on_even_against_the_query():
    shop = Shop()
    await streamed(shop, ticks(shop, 0), b"after=1", last_event_id="17")
    assert shop.calls[0].input.after == 17
    problem = await shop.problem("GET", b"/ticks/x", last_event_id="x")
    assert problem["errors"][0]["pointer"] == "/after"


async def test_silence_is_filled_with_comments_and_loses_nothing(monkeypatch):
    gate = asyncio.Event()

    async def slow() -> AsyncIterator[Any]:
        await gate.wait()
        yield shop.tick(1)

    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.001)
    shop = Shop()
    shop.reply = Reply(slow())
    response = await shop.exchange(shop.request("GET", b"/ticks/x"))
    assert not isinstance(response.body, bytes)
    assert [await anext(response.body), await anext(response.body)] == [b":\n\n", b":\n\n"]
    gate.set()
    rest = b"".join([chunk async for chunk in response.body])
    assert rest.replace(b":\n\n", b"") == b'id: 1\ndata: {"at":1,"price":"1.50"}\n\n'


@pytest.mark.parametrize("accept", ["text/event-stream", "application/x-ndjson"])
async def test_items_are_pulled_one_at_a_time_and_closed_when_the_reader_leaves(accept):
    made: list[int] = []
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[Any]:
        try:
            while True:
                made.append(1)
                yield shop.tick(len(made))
        finally:
            closed.set()

    shop = Shop()
    shop.reply = Reply(endless())
    response = await shop.exchange(shop.request("GET", b"/ticks/x", accept=accept))
    assert not isinstance(response.body, bytes)
    for expected in (1, 2, 3):
        await anext(response.body)
        assert len(made) == expected
    await response.body.aclose()  # type: ignore[attr-defined]
    assert closed.is_set()


async def test_an_item_in_the_making_is_given_up_when_the_reader_leaves(monkeypatch):
    left = asyncio.Event()

    async def waits() -> AsyncIterator[Any]:
        try:
            await asyncio.Event().wait()
            yield None
        finally:
            left.set()

    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.001)
    shop = Shop()
    shop.reply = Reply(waits())
    response = await shop.exchange(shop.request("GET", b"/ticks/x"))
    assert not isinstance(response.body, bytes)
    await anext(response.body)
    await response.body.aclose()  # type: ignore[attr-defined]
    assert left.is_set()


async def test_head_of_a_stream_closes_it():
    closed = asyncio.Event()

    async def once() -> AsyncIterator[Any]:
        try:
            yield shop.tick(1)
        finally:
            closed.set()

    shop = Shop()
    items = once()
    await anext(items)
    shop.reply = Reply(items)
    assert (await shop.send("HEAD", b"/ticks/x"))[2] == b""


# The client's side


async def stream_through_the_client(
    content_type: str, *parts: bytes, limits: Limits = Limits()
) -> tuple[list[int], Fault | None]:
    invokes, _ = dialled(Response(200, [(b"content-type", content_type.encode())], chunks(*parts)), limits=limits)
    reply = await invokes["ticks"](Shop().call("ticks", symbol="x"))
    if reply.fault is not None:
        return [], reply.fault
    found: list[int] = []
    try:
        async for item in reply.output:
            found.append(item.at)
    except Fault as fault:
        return found, fault
    return found, None


TICK = b'{"at":1,"price":"1"}'


async def test_a_foreign_stream_is_read_by_its_media_type():
    assert await stream_through_the_client("text/event-stream", b"data: " + TICK, b"\n\n: x\n\n") == ([1], None)
    assert await stream_through_the_client("application/x-ndjson; charset=utf-8", TICK, b"\n\n" + TICK) == (
        [1, 1],
        None,
    )


@pytest.mark.parametrize(
    ("content_type", "part", "items", "detail"),
    [
        ("text/event-stream", b"data: {}\n\n", [], "outside its contract"),
        ("application/x-ndjson", TICK + b'\n{"at":"x","price":"1"}\n', [1], "outside its contract"),
        ("application/x-ndjson", b"{\n", [], "outside its contract"),
        ("text/event-stream", b"data: " + b"x" * 200, [], "too long"),
        ("application/json", b"[]", [], "instead of a stream"),
    ],
)
async def test_a_stream_outside_its_contract_is_the_upstreams_failure(content_type, part, items, detail):
    found, fault = await stream_through_the_client(content_type, part, limits=Limits(stream_item_bytes_max=100))
    assert found == items
    assert fault is not None
    assert (fault.kind, fault.upstream) == ("upstream_failed", "shop.example")
    assert detail in fault.detail


async def test_a_broken_item_is_pointed_at():
    _, fault = await stream_through_the_client("application/x-ndjson", TICK + b'\n{"at":"x","price":"1"}\n')
    assert fault is not None
    assert [issue.pointer for issue in fault.issues] == ["/1/at"]


async def test_leaving_a_stream_closes_the_answer():
    closed = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        try:
            yield TICK + b"\n" + TICK + b"\n"
            yield TICK + b"\n"
        finally:
            closed.set()

    invokes, _ = dialled(Response(200, [(b"content-type", b"application/x-ndjson")], body()))
    reply = await invokes["ticks"](Shop().call("ticks", symbol="x"))
    assert (await anext(reply.output)).at == 1
    await reply.output.aclose()
    assert closed.is_set()


# Inbound


async def test_an_inbound_stream_is_read_line_by_line_as_it_comes():
    shop = Shop()
    sent: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        for at in range(3):
            sent.append(at)
            yield b'{"at":%d,"pri' % at
            yield b'ce":"1"}\n'

    async def count(call: Any) -> Reply:
        seen = []
        async for item in call.stream:
            assert len(sent) == len(seen) + 1
            seen.append(item.at)
        return Reply(len(seen))

    shop.reply = count
    status, _, answer = await shop.send("POST", b"/ticks", b"source=a", body(), content_type="application/x-ndjson")
    assert (status, answer) == (200, b"3")


@pytest.mark.parametrize(
    ("body", "kind", "pointer"),
    [
        (TICK + b'\n{"at":"x","price":"1"}\n', "invalid", "/stream/1/at"),
        (b"{\n", "malformed", "/stream/0"),
        (b"x" * 200, "too_large", None),
    ],
)
async def test_a_broken_inbound_item_is_a_fault_with_its_place(body, kind, pointer):
    async def count(call: Any) -> Reply:
        try:
            return Reply(len([item async for item in call.stream]))
        except Fault as fault:
            return Reply(fault=fault)

    shop = Shop(limits=Limits(stream_item_bytes_max=100))
    shop.reply = count
    problem = await shop.problem("POST", b"/ticks", b"source=a", body, content_type="application/x-ndjson")
    assert problem["kind"] == kind
    if pointer is not None:
        assert [error["pointer"] for error in problem["errors"]] == [pointer]


async def test_streams_both_ways_through_client_and_server():
    shop = Shop()

    async def count(call: Any) -> Reply:
        return Reply(sum([item.at async for item in call.stream]))

    shop.reply = count
    invokes, _ = dialled(shop.exchange)
    call = shop.call("record_ticks", source="a")
    call.stream = ticks(shop, 5)
    assert (await invokes["record_ticks"](call)).output == 10
