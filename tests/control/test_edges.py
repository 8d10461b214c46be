"""One Envoy in the place of another, whoever ends at whatever moment."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from entrepot.control import edges
from entrepot.control.backoff import Restarts
from entrepot.control.child import Command
from entrepot.control.edges import Edges
from entrepot.control.events import Ended, Event, Report, Serving, Started, Stopped
from entrepot.control.keeper import Keeper, Recover, Running
from support.edge import until
from support.virtual_clock import VirtualClock


class Process:
    """Lives until it is ended."""

    def __init__(self, pid: int, epoch: int) -> None:
        self.pid = pid
        self.epoch = epoch
        self.code: int | None = None
        self.last_lines: tuple[str, ...] = (f"words of {pid}",)
        self._ended = asyncio.Event()

    async def wait(self) -> int:
        await self._ended.wait()
        assert self.code is not None
        return self.code

    def end(self, code: int) -> None:
        self.code = code if self.code is None else self.code
        self._ended.set()

    def signal(self, number: signal.Signals) -> None:
        self.end(0)

    def kill(self) -> None:
        self.end(-signal.SIGKILL)


class World:
    """Processes that pretend to be Envoys."""

    def __init__(self) -> None:
        self.on_disk = "first"
        self.gone = False
        """Whether there is nothing to start."""
        self.processes: list[Process] = []
        self.events: list[Event] = []
        self.steerable = True
        self.refusals: dict[int, str] = {}
        """By epoch: why it does not serve."""
        self.held: dict[int, asyncio.Event] = {}
        """By epoch: what it waits for until it serves."""
        self.stood_in_for: list[int] = []
        self.heard: list[socket.socket] = []
        self.restored = self.unmarked = 0
        self.forgotten = False
        self.drained = asyncio.Event()
        self.drained.set()
        self.edges = Edges(self, self.command, self.keep, self.events.append, self.mend)

    @property
    def environment(self) -> dict[str, str]:
        return {}

    @property
    def leave_seconds(self) -> float:
        return 60.0

    def argv(self, epoch: int) -> list[str]:
        return [str(epoch)]

    def identity(self) -> str:
        if self.gone:
            raise FileNotFoundError("no such program")
        return self.on_disk

    async def until_serving(self, epoch: int) -> str:
        await until(lambda: self.processes[-1].epoch == epoch)
        if epoch in self.held:
            await self.held[epoch].wait()
        return self.refusals.get(epoch, "")

    async def answers(self) -> bool:
        return self.steerable

    def stand_in(self, epoch: int) -> socket.socket:
        self.stood_in_for.append(epoch)
        self.heard.append(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        return self.heard[-1]

    def unmark(self) -> None:
        self.unmarked += 1

    def restore(self) -> None:
        self.restored += 1
        raise OSError("no space left on device")

    async def keep_logs_bounded(self) -> None:
        raise AssertionError

    async def drain(self) -> None:
        await self.drained.wait()

    def forget(self) -> None:
        self.forgotten = True

    def command(self, name: str, epoch: int) -> Command:
        return Command(name=name, log="edge", argv=self.argv(epoch), directory=Path(), environment={})

    def keep(self, command: Command, report: Report, recover: Recover) -> Keeper:
        return Keeper(command, self.spawn, VirtualClock(), report, recover)

    async def spawn(self, command: Command) -> Running:
        self.processes.append(Process(len(self.processes), int(command.argv[0])))
        return self.processes[-1]

    async def mend(self, _: Restarts) -> None:
        pass

    @property
    def told(self) -> Serving:
        return [event for event in self.events if isinstance(event, Serving)][-1]

    @property
    def running(self) -> list[tuple[int, int]]:
        """Pid and epoch of each that runs."""
        return [(each.pid, each.epoch) for each in self.processes if each.code is None]

    async def change(self, on_disk: str, renewals: int = 1) -> None:
        """Another bootstrap, and what comes of it."""
        self.on_disk = on_disk
        self.edges.look()
        await until(lambda: self.told.renewals == renewals)

    def names(self, kind: type[Started | Stopped | Ended]) -> list[str]:
        return [event.name for event in self.events if isinstance(event, kind)]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await until(lambda: bool(world.processes))
    yield world
    world.edges.kill()
    await world.edges.stop(drained=False)


async def test_the_same_as_before_is_left_alone(world: World) -> None:
    world.edges.look()
    await asyncio.sleep(0.02)
    assert (world.running, world.told) == ([(0, 0)], Serving("first"))


async def test_another_one_takes_the_place_and_the_old_one_leaves(world: World) -> None:
    await world.change("second")
    assert world.told == Serving("second", 1)
    assert world.running == [(0, 0), (1, 1)]
    world.processes[0].end(0)
    await until(lambda: world.names(Stopped) == ["edge"])
    assert (world.stood_in_for, world.names(Started)) == ([0], ["edge", "edge 2"])
    await world.change("third", 2)
    world.processes[1].end(-signal.SIGKILL)
    await until(lambda: world.stood_in_for == [0, 1])
    assert world.running == [(2, 2)]
    assert [each.fileno() == -1 for each in world.heard] == [True, False]
    assert world.names(Ended) == []


async def test_one_that_ends_is_refused_with_its_words_and_not_started_again(world: World) -> None:
    world.held[1] = asyncio.Event()
    changing = asyncio.create_task(world.change("second"))
    await until(lambda: len(world.processes) == 2)
    world.processes[1].end(7)
    await changing
    assert world.told == Serving("first", 1, "edge 2 ended with exit code 7:\n    words of 1")
    assert (world.running, world.restored, world.unmarked) == ([(0, 0)], 0, 1)
    assert (world.names(Ended), world.names(Stopped)) == ([], ["edge 2"])


async def test_one_that_does_not_serve_is_ended(world: World) -> None:
    world.refusals[1] = "it has no listener"
    await world.change("second")
    assert world.told == Serving("first", 1, "it has no listener")
    assert world.running == [(0, 0)]


async def test_an_old_one_that_cannot_be_steered_any_more_is_started_again_on_the_last_good_files(world: World) -> None:
    world.refusals[1] = "it came half way"
    world.steerable = False
    await world.change("second")
    assert world.told.refusal == "it came half way"
    assert (world.running, world.restored) == ([(2, 0)], 1)


async def test_an_old_one_that_ends_meanwhile_starts_on_what_is_there_by_then(world: World) -> None:
    world.held[1] = asyncio.Event()
    changing = asyncio.create_task(world.change("second"))
    await until(lambda: len(world.processes) == 2)
    world.processes[0].end(-signal.SIGKILL)
    await changing
    assert world.told == Serving("second", 1)
    assert (world.running, world.restored) == ([(2, 0)], 0)
    assert world.names(Ended) == ["edge"]


async def test_a_new_one_that_ends_later_starts_at_epoch_0_alone(world: World) -> None:
    await world.change("second")
    world.processes[1].end(-signal.SIGSEGV)
    await until(lambda: world.running == [(2, 0)])
    assert world.processes[0].code == -signal.SIGKILL
    assert [each.fileno() for each in world.heard] == [-1], "its name is needed at epoch 0"
    assert world.names(Ended) == ["edge 2"]
    await world.change("third", 2)
    assert world.running == [(2, 0), (3, 1)]


async def test_a_program_that_is_gone_is_told(world: World) -> None:
    world.gone = True
    world.edges.look()
    await until(lambda: world.told.refusal == "no such program")
    assert world.running == [(0, 0)]
    world.processes[0].end(1)
    await until(lambda: len(world.processes) == 2)
    assert world.told.identity == "first"


async def test_what_nobody_foresaw_is_told_and_the_next_change_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> str:
        raise RuntimeError("unforeseen")

    with monkeypatch.context() as patch:
        patch.setattr(world, "identity", broken)
        world.edges.look()
        await until(lambda: world.told.refusal == "unforeseen")
    await world.change("second")
    assert world.told == Serving("second", 1)


async def test_one_whose_name_is_taken_leaves_all_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(epoch: int) -> socket.socket:
        raise OSError("address already in use")

    monkeypatch.setattr(world, "stand_in", taken)
    await world.change("second")
    world.processes[0].end(0)
    await until(lambda: world.names(Stopped) == ["edge"])
    await world.change("third", 2)


async def test_a_third_waits_until_the_first_has_left(world: World) -> None:
    await world.change("second")
    changing = asyncio.create_task(world.change("third", 2))
    await asyncio.sleep(0.02)
    assert world.running == [(0, 0), (1, 1)]
    world.processes[0].end(0)
    await changing
    assert world.running == [(1, 1), (2, 2)]


async def test_one_that_does_not_leave_is_ended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edges, "EDGE_GRACE", -59.99)
    await world.change("second")
    await until(lambda: world.running == [(1, 1)])
    assert world.processes[0].code == -signal.SIGKILL


async def test_ending_waits_for_what_both_have_begun(world: World) -> None:
    await world.change("second")
    world.drained.clear()
    stopping = asyncio.create_task(world.edges.stop(drained=True))
    await asyncio.sleep(0.01)
    world.drained.set()
    await asyncio.sleep(0.01)
    assert world.running == [(0, 0), (1, 1)]
    world.processes[0].end(0)
    await stopping
    assert (world.running, world.forgotten) == ([], True)
    assert world.processes[1].code == 0


async def test_ending_lets_a_renewal_come_to_its_end_first(world: World) -> None:
    world.held[1] = asyncio.Event()
    world.on_disk = "second"
    world.edges.look()
    await until(lambda: len(world.processes) == 2)
    stopping = asyncio.create_task(world.edges.stop(drained=False))
    await asyncio.sleep(0.01)
    assert world.running == [(0, 0), (1, 1)]
    world.held[1].set()
    await stopping
    assert world.running == []


async def test_all_end_at_once_when_they_are_killed(world: World) -> None:
    await world.change("second")
    world.processes[0].end(0)
    await until(lambda: world.stood_in_for == [0])
    world.held[2] = asyncio.Event()
    world.on_disk = "third"
    world.edges.look()
    await until(lambda: len(world.processes) == 3)
    world.edges.kill()
    await world.edges.stop(drained=True)
    assert world.running == []
