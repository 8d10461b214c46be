from __future__ import annotations

import asyncio

import pytest

from entrepot.control.coalesce import Coalesced


class Job:
    """Gives the number of its run; each run waits for a permit."""

    def __init__(self) -> None:
        self.runs = 0
        self.at_work = 0
        self.permits = asyncio.Semaphore(0)

    async def __call__(self) -> int:
        self.runs += 1
        number = self.runs
        self.at_work += 1
        assert self.at_work == 1, "two runs at once"
        await self.permits.acquire()
        self.at_work -= 1
        return number


async def test_who_asks_during_a_run_shares_the_next_one() -> None:
    job = Job()
    coalesced = Coalesced(job)
    first = asyncio.create_task(coalesced.run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    later = [asyncio.create_task(coalesced.run()) for _ in range(5)]
    await asyncio.sleep(0)
    job.permits.release()
    job.permits.release()
    assert await first == 1
    assert await asyncio.gather(*later) == [2] * 5
    assert job.runs == 2


async def test_a_failure_goes_to_those_who_asked_and_the_next_run_is_fresh() -> None:
    answers: list[Exception | int] = [ValueError("no"), 7]

    async def job() -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    coalesced = Coalesced(job)
    with pytest.raises(ValueError, match="no"):
        await coalesced.run()
    assert await coalesced.run() == 7


async def test_a_caller_who_leaves_does_not_stop_the_run() -> None:
    job = Job()
    coalesced = Coalesced(job)
    leaving = asyncio.create_task(coalesced.run())
    staying = asyncio.create_task(coalesced.run())
    await asyncio.sleep(0)
    leaving.cancel()
    job.permits.release()
    assert await staying == 1
