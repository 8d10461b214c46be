"""What becomes of the traffic, the workers and the record, whatever fails and whoever is killed."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.control import directories
from entrepot.control.applying import Applier, Delivery
from entrepot.control.releases import Live, Releases
from entrepot.control.workers import Generation, Wanted
from entrepot.ir.edge import EdgeIR
from entrepot.ir.release import Release, Sealed
from entrepot.kit.diagnostics import Diagnostic, Refused
from support.tables import edge_table, release_of, worker_pool, worker_table
from support.virtual_clock import VirtualClock

POOLS = (worker_pool("operations", processes=2),)


def release(code: str = "a", port: int = 8080) -> Release:
    return release_of(code, edge=edge_table(port=port), worker=worker_table(pools=POOLS))


class Killed(BaseException):
    """The control process ends here."""


class World:
    """A project that serves a release, and what is done to it."""

    def __init__(self, root: Path) -> None:
        self.project = root / "project"
        self.project.mkdir(parents=True)
        layout = directories.layout_of(self.project)
        layout = msgspec.structs.replace(layout, run=root / "run")
        directories.create(layout)
        self.clock = VirtualClock()
        self.releases = Releases(layout, self.clock)
        self.on_disk: Release | Refused = release()
        self.routed: tuple[EdgeIR, str] = (edge_table(), "")
        """What the edge does: its table, and the generation that gets the requests."""
        self.wishes: list[tuple[str, ...]] = []
        self.fails: dict[str, str] = {}
        """By step: why it fails."""
        self.killed_at = ""
        self.refused_at = ""
        self._running = Wanted()
        self._serve(release())

    def _serve(self, first: Release) -> None:
        number = self.releases.add(Sealed(first, {}))
        generation = Generation.of(number, first.worker.pools)
        self._running, self.routed = Wanted((generation,)), (first.edge, generation.name)
        self.releases.go_live(Live(number, number))

    def applier(self) -> Applier:
        return Applier(self.releases, self.build, self, self, self.clock)

    def names(self) -> tuple[str, ...]:
        return tuple(generation.name for generation in self._running.generations)

    def _step(self, name: str) -> str:
        if self.killed_at == name:
            raise Killed
        if self.refused_at == name:
            self.refused_at = ""
            raise OSError("No space left on device")
        return self.fails.get(name, "")

    async def build(self) -> Sealed:
        self._step("build")
        if isinstance(self.on_disk, Refused):
            raise self.on_disk
        return Sealed(self.on_disk, {})

    def wanted(self) -> Wanted:
        return self._running

    def want(self, wanted: Wanted) -> None:
        self._running = wanted
        self.wishes.append(self.names())
        self._step("want")

    async def until_healthy(self, generation: Generation) -> str:
        assert generation in self._running.generations
        return self._step("start")

    async def check(self, edge: EdgeIR, generation: Generation) -> str:
        return self._step("check")

    async def deliver(self, edge: EdgeIR, generation: Generation) -> Delivery:
        assert generation in self._running.generations, "traffic is led to workers that nobody wants"
        self._step("before the edge")
        reason = self.fails.get("deliver", "")
        if not reason:
            self.routed = (edge, generation.name)
        self._step("after the edge")
        return Delivery(reason=reason)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_what_serves_is_left_alone_when_the_record_of_it_is_damaged(world: World) -> None:
    world.releases.path(1).write_bytes(b'{"project"')
    await world.applier().recover()
    assert world.wishes == []
    with pytest.raises(ValueError, match=r"000001\.json is damaged"):
        await world.applier().apply()
    assert world.wishes == []


async def test_new_code_gets_new_workers_and_the_old_ones_go_last(world: World) -> None:
    world.on_disk = release("b")
    applied = await world.applier().apply()
    assert (applied.state, applied.number, applied.workers_replaced) == ("live", 2, True)
    assert world.wishes == [("000001", "000002"), ("000002",)]
    assert world.routed == (release("b").edge, "000002")
    assert world.releases.live() == Live(2, 2)
    assert [(record.number, record.state) for record in world.releases.records()] == [(2, "live"), (1, "replaced")]


async def test_a_change_at_the_edge_alone_keeps_the_workers(world: World) -> None:
    world.on_disk = release(port=9000)
    applied = await world.applier().apply()
    assert (applied.state, applied.workers_replaced) == ("live", False)
    assert world.names() == ("000001",)
    assert world.routed == (edge_table(port=9000), "000001")
    assert world.releases.live() == Live(2, 1)


async def test_later_changes_of_the_edge_still_know_their_workers(world: World) -> None:
    for port in (9000, 9001, 9002):
        world.on_disk = release(port=port)
        assert (await world.applier().apply()).state == "live"
    world.on_disk = release("b")
    await world.applier().apply()
    assert world.wishes[-2:] == [("000001", "000005"), ("000005",)]


async def test_what_is_live_already_is_left_alone(world: World) -> None:
    applied = await world.applier().apply()
    assert (applied.state, applied.number) == ("unchanged", 1)
    assert world.wishes == []


async def test_what_does_not_compile_changes_nothing(world: World) -> None:
    diagnostic = Diagnostic("E1", "no")
    world.on_disk = Refused([diagnostic])
    applied = await world.applier().apply()
    assert (applied.state, applied.diagnostics) == ("refused", (diagnostic,))
    assert world.releases.live() == Live(1, 1)
    assert world.wishes == []


@pytest.mark.parametrize("step", ["check", "start", "deliver"])
async def test_whatever_fails_the_old_release_serves_and_the_reason_is_kept(world: World, step: str) -> None:
    world.on_disk = release("b")
    world.fails[step] = "because"
    applied = await world.applier().apply()
    assert (applied.state, applied.reason) == ("rejected", "because")
    assert world.names() == ("000001",)
    assert world.routed == (edge_table(), "000001")
    assert world.releases.live() == Live(1, 1)
    assert [(record.state, record.reason) for record in world.releases.records()] == [
        ("rejected", "because"),
        ("live", ""),
    ]


async def test_after_a_rejection_the_next_release_goes_live(world: World) -> None:
    world.on_disk = release("b")
    world.fails["start"] = "because"
    await world.applier().apply()
    world.fails.clear()
    assert (await world.applier().apply()).state == "live"
    assert world.names() == ("000003",)


@pytest.mark.parametrize("step", ["want", "start", "before the edge", "after the edge"])
async def test_a_disk_that_refuses_in_the_middle_leaves_the_old_release_serving(world: World, step: str) -> None:
    world.on_disk = release("b")
    world.refused_at = step
    applied = await world.applier().apply()
    assert (applied.state, applied.reason) == ("rejected", "No space left on device")
    _assert_consistent(world)
    assert world.routed == (edge_table(), "000001")


STEPS = ["build", "check", "want", "start", "before the edge", "after the edge"]


@given(steps=st.lists(st.sampled_from(STEPS), min_size=1, max_size=4), edge_only=st.booleans())
async def test_wherever_control_is_killed_one_release_serves_in_the_end(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], edge_only: bool
) -> None:
    world = World(tmp_path_factory.mktemp("world"))
    world.on_disk = release(port=9000) if edge_only else release("b")
    for step in steps:
        world.killed_at = step
        try:
            await world.applier().recover()
            await world.applier().apply()
        except Killed:
            pass
        _assert_served_by_running_workers(world)
    world.killed_at = ""
    await world.applier().recover()
    _assert_consistent(world)
    assert (await world.applier().apply()).state in ("live", "unchanged")
    _assert_consistent(world)
    assert world.routed[0] == world.on_disk.edge


def _assert_served_by_running_workers(world: World) -> None:
    assert world.routed[1] in world.names()


def _assert_consistent(world: World) -> None:
    live = world.releases.live()
    assert live is not None
    assert world.names() == (f"{live.loaded:06d}",)
    assert world.routed == (world.releases.read(live.number).edge, f"{live.loaded:06d}")
    assert all(record.state != "delivering" for record in world.releases.records())
