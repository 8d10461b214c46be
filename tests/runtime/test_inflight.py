from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from entrepot import Context, File, Reply, Service
from entrepot.model.call import Call
from entrepot.ports.protocol import ServedService
from entrepot.runtime.inflight import InFlight
from entrepot.runtime.local import local_service
from support.calls import call, kind_of
from support.stepping_clock import SteppingClock

SOON = 0.001


class Waiter:
    """A service whose operations wait until the test lets them go on, or for ever."""

    served: ServedService

    def __init__(self) -> None:
        self.clock = SteppingClock()
        self.inflight = InFlight(self.clock.monotonic, SOON)
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.cancelled = False
        self.service = Service("waiter")
        self.service.operation(name="safe", safe=True)(self._wait_function())
        self.service.operation(name="unsafe")(self._wait_function())
        self.service.operation(name="quick", timeout=1)(self._wait_function())

        @self.service.operation(timeout=1)
        async def stubborn() -> int:
            self.begun.set()
            try:
                await self.go_on.wait()
            except asyncio.CancelledError:
                self.cancelled = True
            return 1

        @self.service.operation(timeout=1)
        async def disguising() -> int:
            self.begun.set()
            try:
                await self.go_on.wait()
            except asyncio.CancelledError:
                raise ValueError("something else") from None
            return 1

        @self.service.operation(timeout=1)
        async def deadline(context: Context) -> float | None:
            return context.deadline

        @self.service.operation(timeout=1, safe=True)
        async def stream() -> AsyncIterator[int]:
            yield 1
            await self.go_on.wait()
            yield 2

    def _wait_function(self) -> Any:
        async def wait() -> int:
            self.begun.set()
            try:
                await self.go_on.wait()
            except asyncio.CancelledError:
                self.cancelled = True
                raise
            return 1

        return wait

    async def call(self, name: str, context: Context | None = None) -> Reply:
        return await call(self.served, name, context)

    async def begin(self, name: str, context: Context | None = None) -> asyncio.Task[Reply]:
        """A call of which the handler has begun."""
        running = asyncio.create_task(self.call(name, context))
        await self.begun.wait()
        return running


class Caller:
    """Leaves when the test says so."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.watched = asyncio.Event()

    async def departure(self) -> None:
        self.watched.set()
        await self.left.wait()


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.fixture
async def waiter() -> AsyncIterator[Waiter]:
    waiter = Waiter()
    async with local_service(waiter.service, inflight=waiter.inflight) as served:
        waiter.served = served
        yield waiter


async def test_a_call_past_its_deadline_ends_with_a_timeout(waiter: Waiter) -> None:
    running = await waiter.begin("quick")
    waiter.clock.step(1)
    assert kind_of(await running) == "timeout"
    assert waiter.cancelled
    assert running.cancelling() == 0


async def test_a_call_within_its_deadline_goes_on(waiter: Waiter) -> None:
    running = await waiter.begin("quick")
    waiter.clock.step(0.9)
    await asyncio.sleep(SOON * 5)
    waiter.go_on.set()
    assert (await running).output == 1


@pytest.mark.parametrize(("own", "callers", "expected"), [(1, None, 1), (1, 0.5, 0.5), (1, 7, 1)])
async def test_the_deadline_is_the_earlier_of_the_callers_and_the_operations(
    waiter: Waiter, own: float, callers: float | None, expected: float
) -> None:
    assert (await waiter.call("deadline", Context(deadline=callers))).output == expected


async def test_a_handler_that_answers_in_spite_of_its_cancellation_is_heard(waiter: Waiter) -> None:
    running = await waiter.begin("stubborn")
    waiter.clock.step(1)
    assert (await running).output == 1
    assert waiter.cancelled
    assert running.cancelling() == 0


async def test_a_cancellation_in_disguise_is_a_timeout_still(waiter: Waiter) -> None:
    running = await waiter.begin("disguising")
    waiter.clock.step(1)
    assert kind_of(await running) == "timeout"
    assert running.cancelling() == 0


async def test_a_safe_call_ends_when_its_caller_leaves(waiter: Waiter, caller: Caller) -> None:
    running = asyncio.create_task(waiter.call("safe", Context(departure=caller.departure)))
    await asyncio.wait_for(caller.watched.wait(), 5)
    caller.left.set()
    assert kind_of(await running) == "cancelled"
    assert waiter.cancelled


async def test_an_unsafe_call_goes_on_when_its_caller_leaves(waiter: Waiter, caller: Caller) -> None:
    running = await waiter.begin("unsafe", Context(departure=caller.departure))
    caller.left.set()
    await asyncio.sleep(SOON * 5)
    assert not caller.watched.is_set()
    waiter.go_on.set()
    assert (await running).output == 1


async def test_a_call_that_is_over_soon_is_never_watched(waiter: Waiter, caller: Caller) -> None:
    waiter.go_on.set()
    reply = await waiter.call("safe", Context(departure=caller.departure))
    await asyncio.sleep(SOON * 5)
    assert reply.output == 1
    assert not caller.watched.is_set()


async def test_nobody_watches_after_the_call(waiter: Waiter, caller: Caller) -> None:
    running = asyncio.create_task(waiter.call("safe", Context(departure=caller.departure)))
    await asyncio.wait_for(caller.watched.wait(), 5)
    waiter.go_on.set()
    assert (await running).output == 1
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 1


async def test_a_cancellation_by_somebody_else_stays_one(waiter: Waiter) -> None:
    running = await waiter.begin("quick")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_two_calls_in_one_task_each_have_their_own_deadline(waiter: Waiter) -> None:
    async def both() -> list[str]:
        return [kind_of(await waiter.call("quick")), kind_of(await waiter.call("deadline"))]

    running = asyncio.create_task(both())
    await waiter.begun.wait()
    waiter.clock.step(1)
    assert await running == ["timeout", ""]


async def test_a_stream_has_no_deadline_once_it_has_begun(waiter: Waiter) -> None:
    reply = await waiter.call("stream")
    assert await anext(reply.output) == 1
    waiter.clock.step(100)
    waiting = asyncio.ensure_future(anext(reply.output))
    await asyncio.sleep(SOON * 5)
    waiter.go_on.set()
    assert await waiting == 2


async def test_calls_are_counted_while_they_run_and_swept_no_longer(waiter: Waiter) -> None:
    running = [asyncio.create_task(waiter.call("safe")) for _ in range(3)]
    await waiter.begun.wait()
    await asyncio.sleep(0)
    assert waiter.inflight.count == 3
    waiter.go_on.set()
    await asyncio.gather(*running)
    assert waiter.inflight.count == 0
    await asyncio.sleep(SOON * 5)
    assert waiter.inflight._timer is None


async def test_a_file_is_no_reason_to_watch_less(caller: Caller) -> None:
    service = Service("files")

    @service.operation(safe=True)
    async def size(file: File) -> int:
        await asyncio.Event().wait()
        return 1

    async with local_service(service, inflight=InFlight(sweep_seconds=SOON)) as served:
        operation = served.service.operations[0]
        value = served.values.codec(operation.input).type(file=File.of(b""))
        running = asyncio.create_task(
            served.invokes["size"](Call(operation, value, context=Context(departure=caller.departure)))
        )
        await asyncio.wait_for(caller.watched.wait(), 5)
        caller.left.set()
        assert kind_of(await running) == "cancelled"
