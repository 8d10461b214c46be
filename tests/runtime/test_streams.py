from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from entrepot.model.fault import Fault
from entrepot.model.faults import Internal, Unavailable
from entrepot.runtime.streams import OpenStreams, OutStream
from entrepot.runtime.threads import ThreadedGenerator, Threads


class Numbers:
    """Counts up to two, then waits for ever."""

    def __init__(self) -> None:
        self.closed = False
        self.waiting = asyncio.Event()

    async def __call__(self) -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
            self.waiting.set()
            await asyncio.Event().wait()
        finally:
            self.closed = True


def told(_error: BaseException) -> Fault:
    return Internal()


def opened(items: Any) -> tuple[OutStream, OpenStreams]:
    streams, stream = OpenStreams(), OutStream(items, told)
    streams.add(stream)
    return stream, streams


async def test_a_stream_that_is_waited_for_can_be_told_to_end() -> None:
    numbers = Numbers()
    stream, streams = opened(numbers())
    assert [await anext(stream), await anext(stream)] == [1, 2]
    reader = asyncio.create_task(anext(stream))  # type: ignore[arg-type]
    await numbers.waiting.wait()
    streams.end()
    with pytest.raises(Unavailable, match="being replaced"):
        await reader
    assert numbers.closed
    assert streams.count == 0
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_stream_between_two_items_can_be_told_to_end() -> None:
    numbers = Numbers()
    stream, streams = opened(numbers())
    await anext(stream)
    streams.end()
    with pytest.raises(Unavailable):
        await anext(stream)
    assert numbers.closed


async def test_a_stream_that_has_ended_is_told_nothing() -> None:
    stream, streams = opened(Numbers()())
    await anext(stream)
    await stream.aclose()
    streams.end()
    stream.end(Unavailable("late"))
    assert [item async for item in stream] == []


async def test_a_reader_cancelled_from_outside_is_cancelled() -> None:
    numbers = Numbers()
    stream, streams = opened(numbers())
    await anext(stream)
    await anext(stream)
    reader = asyncio.create_task(anext(stream))  # type: ignore[arg-type]
    await numbers.waiting.wait()
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert streams.count == 1
    await stream.aclose()
    assert streams.count == 0


async def test_what_is_done_at_the_end_may_change_how_it_is_told() -> None:
    stream, _ = opened(Numbers()())
    seen: list[Fault | None] = []

    async def commit(fault: Fault | None) -> Fault | None:
        seen.append(fault)
        return Internal("the commit failed")

    stream.at_end(commit)
    stream.end(Unavailable("stop"))
    with pytest.raises(Internal, match="the commit failed"):
        await anext(stream)
    assert [fault and fault.kind for fault in seen] == ["unavailable"]
    await stream.aclose()
    assert len(seen) == 1


async def test_a_stream_whose_closing_fails_tells_that() -> None:
    async def broken() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            raise ValueError("bug")

    stream, streams = opened(broken())
    await anext(stream)
    streams.end()
    with pytest.raises(Internal):
        await anext(stream)


async def test_a_plain_generator_is_closed_only_after_its_step() -> None:
    threads, may_go_on, told_order = Threads(1), threading.Event(), []
    loop, begun = asyncio.get_running_loop(), asyncio.Event()

    def slow() -> Iterator[int]:
        try:
            loop.call_soon_threadsafe(begun.set)
            may_go_on.wait(10)
            told_order.append("step")
            yield 1
        finally:
            told_order.append("closed")

    generator = ThreadedGenerator(slow(), threads)
    reader = asyncio.ensure_future(anext(generator))  # type: ignore[arg-type]
    await begun.wait()
    reader.cancel()
    closing = asyncio.ensure_future(generator.aclose())
    await asyncio.sleep(0)
    may_go_on.set()
    await asyncio.wait_for(closing, 5)
    assert told_order == ["step", "closed"]
    threads.close()
