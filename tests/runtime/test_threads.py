from __future__ import annotations

import asyncio
import threading

import pytest

from entrepot import Service, Unavailable
from entrepot.model.call import Call
from entrepot.runtime.local import local_service
from entrepot.runtime.threads import Threads


class Gate:
    """Functions that stay in their thread until the gate opens."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.inside = threading.Semaphore(0)

    def pass_through(self) -> int:
        self.inside.release()
        self.opened.wait(10)
        return threading.get_ident()


def test_no_more_run_at_once_than_there_are_threads_and_no_more_wait_than_may() -> None:
    threads, gate = Threads(2, waiting=1), Gate()
    futures = [threads.start(gate.pass_through) for _ in range(3)]
    for _ in range(2):
        assert gate.inside.acquire(timeout=5)
    assert not gate.inside.acquire(blocking=False)
    with pytest.raises(Unavailable) as refused:
        threads.start(gate.pass_through)
    assert refused.value.retry_after == 1
    assert threads.at_work == 3
    gate.opened.set()
    assert len({future.result(5) for future in futures}) <= 2
    threads.close()


def test_a_place_is_free_again_after_an_end_an_exception_or_a_cancellation() -> None:
    threads, gate = Threads(1, waiting=1), Gate()

    def fail() -> None:
        gate.opened.wait(10)
        raise ValueError

    running, waiting = threads.start(fail), threads.start(fail)
    assert waiting.cancel()
    again = threads.start(gate.pass_through)
    gate.opened.set()
    assert isinstance(running.exception(5), ValueError)
    again.result(5)
    threads.start(gate.pass_through).result(5)
    threads.close()


def test_what_has_begun_may_always_go_on() -> None:
    threads, gate = Threads(1, waiting=0), Gate()
    first = threads.start(gate.pass_through)
    second = threads.go_on(gate.pass_through)
    gate.opened.set()
    assert first.result(5) == second.result(5)
    threads.close()


async def test_a_call_that_finds_no_thread_is_refused() -> None:
    service, gate = Service("gate"), Gate()

    @service.get("/")
    def enter() -> int:
        return gate.pass_through()

    async with local_service(service, threads=Threads(1, waiting=0)) as served:
        call = Call(served.service.operations[0], None)
        first = asyncio.ensure_future(served.invokes["enter"](call))
        await asyncio.to_thread(gate.inside.acquire)
        refused = (await served.invokes["enter"](call)).fault
        assert refused is not None
        assert (refused.kind, refused.retry_after) == ("unavailable", 1)
        gate.opened.set()
        assert (await first).fault is None
