"""What becomes of the traffic, the workers and the record, whatever fails and whoever is killed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.control import directories
from entrepot.control.applying import Again, Applier, Delivery, same_workers
from entrepot.control.releases import Live, NoSuchRelease, Releases
from entrepot.control.workers import Generation, Wanted
from entrepot.ir.edge import EdgeIR
from entrepot.ir.release import Release, Sealed
from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.model.upstream import Endpoint, Tls, Upstream
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
        self.refused_then = ""
        self.takes_dev = False
        self.aged = ""
        """What is not as it was when an earlier release was made."""
        self.current = True
        """Whether the edge is the program that would be started now."""
        self._running = Wanted()
        self._serve(release())

    def _serve(self, first: Release) -> None:
        number = self.releases.add(Sealed(first, {}))
        generation = Generation.of(number, first.worker.pools)
        self._running, self.routed = Wanted((generation,)), (first.edge, generation.name)
        self.releases.go_live(Live(number, number))

    def applier(self) -> Applier:
        return Applier(self.releases, self, self, self, self.clock)

    def names(self) -> tuple[str, ...]:
        return tuple(generation.name for generation in self._running.generations)

    def _step(self, name: str) -> str:
        if self.killed_at == name:
            raise Killed
        if self.refused_at == name:
            self.refused_at, self.refused_then = self.refused_then, ""
            raise OSError("No space left on device")
        return self.fails.get(name, "")

    def again(self, release: Release) -> Again:
        if release.mode == "dev" and not self.takes_dev:
            raise Refused([Diagnostic("E2", "made otherwise")])
        return Again(release, self.aged)

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

    def is_current(self) -> bool:
        return self.current

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


def test_an_authority_that_upstreams_are_verified_by_is_the_edges_alone() -> None:
    def trusting(ca: str, module: str = "a") -> Release:
        tls = Tls(server_name="bank.test", ca_file="ca.pem", ca=ca)
        bank = Upstream(name="bank", endpoints=(Endpoint("127.0.0.1", 1),), tls=tls)
        return release_of(edge=edge_table(upstreams=(bank,)), files={"ca.pem": ca, "p.py": module})

    assert same_workers(trusting("old"), trusting("new"))
    assert not same_workers(trusting("old"), trusting("old", module="b"))


async def test_another_program_at_the_edge_is_brought_live_though_nothing_else_has_changed(world: World) -> None:
    assert (await world.applier().apply()).state == "unchanged"
    world.current = False
    applied = await world.applier().apply()
    assert (applied.state, applied.number, applied.workers_replaced) == ("live", 2, False)
    _assert_consistent(world)


async def test_no_worker_goes_while_the_edge_cannot_be_led_back_from_it(world: World) -> None:
    world.on_disk, world.killed_at = release("b"), "after the edge"
    with pytest.raises(Killed):
        await world.applier().apply()
    world.killed_at, world.fails["deliver"] = "", "it does not answer"
    await world.applier().recover()
    _assert_served_by_running_workers(world)
    world.fails.clear()
    await world.applier().recover()
    assert world.names() == ("000001",)
    _assert_consistent(world)


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


async def test_a_disk_that_refuses_everything_is_told_and_made_good_later(world: World) -> None:
    world.on_disk = release("b")
    world.refused_at = "start"
    world.refused_then = "want"
    applied = await world.applier().apply()
    assert (applied.state, applied.number, applied.reason) == ("rejected", 2, "No space left on device")
    assert (await world.applier().apply()).state == "live"
    _assert_consistent(world)


async def test_a_release_that_could_not_be_kept_has_no_number(world: World) -> None:
    world.on_disk = release("b")
    world.refused_at = "build"
    applied = await world.applier().apply()
    assert (applied.state, applied.number) == ("rejected", 0)


async def two_releases(world: World) -> Applier:
    world.on_disk = release("b")
    applier = world.applier()
    assert (await applier.apply()).number == 2
    return applier


@pytest.mark.parametrize("number", [0, 1])
async def test_a_rollback_is_a_release_of_its_own_and_is_held(world: World, number: int) -> None:
    applier = await two_releases(world)
    world.aged = "it was made with lib 1"
    applied = await applier.rollback(number)
    assert (applied.state, applied.number, applied.again, applied.workers_replaced) == ("live", 3, 1, True)
    assert applied.note == "it was made with lib 1"
    assert world.releases.live() == Live(3, 3, held=True)
    assert world.releases.read(3) == release()
    assert [(record.number, record.state, record.again) for record in world.releases.records()] == [
        (3, "live", 1),
        (2, "replaced", 0),
        (1, "replaced", 0),
    ]
    _assert_consistent(world)


async def test_the_next_apply_ends_the_hold(world: World) -> None:
    applier = await two_releases(world)
    await applier.rollback(0)
    assert (await applier.apply()).state == "live"
    assert world.releases.live() == Live(4, 4)
    await applier.rollback(3)
    world.on_disk = release()
    assert (await applier.apply()).state == "unchanged"
    assert world.releases.live() == Live(5, 5)


async def test_a_rollback_to_what_serves_holds_it(world: World) -> None:
    applier = await two_releases(world)
    assert (await applier.rollback(2)).state == "unchanged"
    assert world.releases.live() == Live(2, 2, held=True)


async def test_a_rollback_at_the_edge_alone_keeps_the_workers(world: World) -> None:
    world.on_disk = release(port=9000)
    applier = world.applier()
    await applier.apply()
    applied = await applier.rollback(0)
    assert (applied.state, applied.workers_replaced) == ("live", False)
    assert world.releases.live() == Live(3, 1, held=True)


@pytest.mark.parametrize("step", ["check", "start", "deliver"])
async def test_a_rollback_that_fails_changes_nothing(world: World, step: str) -> None:
    applier = await two_releases(world)
    world.fails[step] = "because"
    applied = await applier.rollback(1)
    assert (applied.state, applied.number, applied.reason) == ("rejected", 3, "because")
    assert world.releases.live() == Live(2, 2)
    _assert_consistent(world)


async def test_dev_holds_nothing(world: World) -> None:
    world.on_disk = msgspec.structs.replace(release("b"), mode="dev")
    applier = world.applier()
    await applier.apply()
    world.on_disk = msgspec.structs.replace(release("c"), mode="dev")
    await applier.apply()
    world.takes_dev = True
    assert (await applier.rollback(2)).state == "live"
    assert world.releases.live() == Live(4, 4)


async def test_a_release_that_was_made_otherwise_is_refused(world: World) -> None:
    applier = await two_releases(world)
    world.releases.add(Sealed(msgspec.structs.replace(release("c"), mode="dev"), {}))
    assert (await applier.rollback(3)).state == "refused"
    assert world.releases.live() == Live(2, 2)


async def test_a_rollback_needs_a_release_that_is_kept(world: World) -> None:
    applier = world.applier()
    with pytest.raises(NoSuchRelease, match="release 7 is not kept"):
        await applier.rollback(7)
    with pytest.raises(NoSuchRelease, match="before release 1"):
        await applier.rollback(0)


async def test_what_an_apply_would_change_is_told(world: World) -> None:
    applier = await two_releases(world)
    world.on_disk = release("c", port=9000)
    [file, port] = (await applier.unapplied(0)).differences
    assert (file.what, file.before, file.after) == ("files.p.py", "b", "c")
    assert (port.what, port.before, port.after) == ("port", 8080, 9000)
    assert [each.before for each in (await applier.unapplied(1)).differences] == ["a", 8080]
    world.on_disk = Refused([Diagnostic("E1", "no")])
    assert [each.code for each in (await applier.unapplied(0)).diagnostics] == ["E1"]


async def test_one_thing_at_a_time(world: World) -> None:
    applier = await two_releases(world)
    world.on_disk = release("c")
    states = [each.state for each in await asyncio.gather(applier.rollback(1), applier.apply(), applier.rollback(1))]
    assert states == ["live"] * 3
    _assert_consistent(world)


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
