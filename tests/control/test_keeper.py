from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from entrepot.control.backoff import Restarts
from entrepot.control.child import Command
from entrepot.control.events import Ended, Event, Started
from entrepot.control.keeper import Keeper
from support.virtual_clock import VirtualClock

COMMAND = Command(name="thing", log="thing", argv=("thing",), directory=Path(), environment={})


class Process:
    """Lives for its seconds of virtual time, or, with none, until it is told to end."""

    def __init__(self, clock: VirtualClock, pid: int, lives: float | None, heeds_sigterm: bool = True) -> None:
        self.pid = pid
        self.last_lines: tuple[str, ...] = (f"words of {pid}",)
        self.signals: list[signal.Signals] = []
        self._clock = clock
        self._lives = lives
        self._heeds_sigterm = heeds_sigterm
        self._ended = asyncio.Event()

    async def wait(self) -> int:
        if self._lives is not None:
            await self._clock.sleep(self._lives)
            return 3
        await self._ended.wait()
        return -self.signals[-1]

    def signal(self, number: signal.Signals) -> None:
        self.signals.append(number)
        if self._heeds_sigterm:
            self._ended.set()

    def kill(self) -> None:
        self.signals.append(signal.SIGKILL)
        self._ended.set()


class World:
    """Processes of the given lifetimes, one after the other; the last lives until it is told to end."""

    def __init__(self, *lifetimes: float, heeds_sigterm: bool = True) -> None:
        self.clock = VirtualClock()
        self.events: list[Event] = []
        self.processes: list[Process] = []
        self.settled = asyncio.Event()
        self._lifetimes = list(lifetimes)
        self._heeds_sigterm = heeds_sigterm

    async def spawn(self, _command: Command) -> Process:
        lives = self._lifetimes.pop(0) if self._lifetimes else None
        process = Process(self.clock, len(self.processes), lives, self._heeds_sigterm)
        self.processes.append(process)
        if lives is None:
            self.settled.set()
        return process

    def keeper(self, **options: object) -> Keeper:
        return Keeper(COMMAND, self.spawn, self.clock, self.events.append, **options)  # type: ignore[arg-type]


async def test_what_ends_is_started_again_with_backoff() -> None:
    world = World(0.0, 0.0, 0.0, 60.0, 0.0)
    keeper = world.keeper()
    await world.settled.wait()
    ends = [event for event in world.events if isinstance(event, Ended)]
    assert [end.delay for end in ends] == [0.1, 0.2, 0.4, 0.0, 0.1]
    assert world.clock.seconds == pytest.approx(0.1 + 0.2 + 0.4 + 60.0 + 0.1)
    assert ends[0].cause == "thing ended with exit code 3:\n    words of 0"
    await keeper.stop(1.0)


@pytest.mark.parametrize("code", [-signal.SIGKILL, -signal.SIGTERM])
def test_the_last_lines_of_what_somebody_else_ended_are_not_its_cause(code: int) -> None:
    cause = Ended("thing", code, 1, 0.1, ("a request before",)).cause
    assert cause == f"thing was ended by signal {-code}, which another process or the system sent"


async def test_a_wanted_end_is_not_reported() -> None:
    world = World()
    keeper = world.keeper()
    await world.settled.wait()
    await keeper.stop(1.0)
    assert world.events == [Started("thing", 0)]
    assert world.processes[0].signals == [signal.SIGTERM]


async def test_who_does_not_heed_sigterm_is_killed() -> None:
    world = World(heeds_sigterm=False)
    keeper = world.keeper()
    await world.settled.wait()
    await keeper.stop(0.0)
    assert world.processes[0].signals == [signal.SIGTERM, signal.SIGKILL]


async def test_stopping_while_it_waits_starts_nothing() -> None:
    reached, held = asyncio.Event(), asyncio.Event()

    async def hold(_: Restarts) -> None:
        reached.set()
        await held.wait()

    world = World(0.0)
    keeper = world.keeper(recover=hold)
    await reached.wait()
    stopping = asyncio.create_task(keeper.stop(1.0))
    await asyncio.sleep(0)
    held.set()
    await stopping
    assert len(world.processes) == 1


async def test_each_end_is_a_chance_to_mend() -> None:
    seen: list[int] = []

    async def mend(restarts: Restarts) -> None:
        seen.append(restarts.short_lives)

    world = World(0.0, 0.0, 0.0)
    keeper = world.keeper(recover=mend)
    await world.settled.wait()
    assert seen == [1, 2, 3]
    await keeper.stop(1.0)


async def test_a_system_that_refuses_to_start_it_counts_as_an_end() -> None:
    world = World()
    refusals = [OSError("no memory"), OSError("no memory")]

    async def spawn(command: Command) -> Process:
        if refusals:
            raise refusals.pop()
        return await world.spawn(command)

    keeper = Keeper(COMMAND, spawn, world.clock, world.events.append)
    await world.settled.wait()
    ends = [event for event in world.events if isinstance(event, Ended)]
    assert [end.last_lines for end in ends] == [("it cannot be started: no memory",)] * 2
    await keeper.stop(1.0)
