"""Bringing a release live without a failed request: make before break, and last good on every failure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

import msgspec

from entrepot.control.releases import Live, Releases
from entrepot.control.workers import Generation, Wanted
from entrepot.ir.edge import EdgeIR
from entrepot.ir.release import Release, Sealed
from entrepot.kit.clock import Clock
from entrepot.kit.diagnostics import Diagnostic, Refused

Build = Callable[[], Awaitable[Sealed]]
"""Compiles the project as it is now. Raises `Refused`."""

RETIRE_DELAY = 0.1
"""Seconds from the edge's confirmation to the end of the old workers: its threads learn of a change one by one."""


class WorkerFleet(Protocol):
    """The workers as control sees them: it says what it wants, the supervisor acts."""

    def wanted(self) -> Wanted:
        """The generations that should run now."""

    def want(self, wanted: Wanted) -> None:
        """Say which generations should run."""

    async def until_healthy(self, generation: Generation) -> str:
        """Wait for every worker of a generation; "" when all answer, else why not."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a delivery at the edge."""

    reason: str = ""
    """Why nothing has changed; "" when no request goes the old way any more."""
    note: str = ""
    """What takes effect later only."""


class EdgeDelivery(Protocol):
    """The edge as control sees it."""

    async def check(self, edge: EdgeIR, generation: Generation) -> str:
        """Why the edge would refuse this release; "" when it would not."""

    async def deliver(self, edge: EdgeIR, generation: Generation) -> Delivery:
        """Bring it live, or leave everything as it was."""


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an attempt to apply."""

    state: Literal["live", "unchanged", "rejected", "refused"]
    """Refused: it does not compile. Rejected: it compiled, but could not be brought live."""
    number: int = 0
    """Of the release that serves or was rejected; 0 when there is none."""
    seconds: float = 0.0
    workers_replaced: bool = False
    note: str = ""
    """What takes effect later only."""
    reason: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()


class Applier:
    """Compiles, checks, delivers and records. One `apply` at a time."""

    def __init__(self, releases: Releases, build: Build, fleet: WorkerFleet, edge: EdgeDelivery, clock: Clock) -> None:
        self._releases = releases
        self._build = build
        self._fleet = fleet
        self._edge = edge
        self._clock = clock

    async def apply(self) -> Applied:
        """Compile the project and bring it live; whatever fails, the last good release goes on serving."""
        started = self._clock.monotonic()
        try:
            applied = await self._apply()
        except Refused as refused:
            applied = Applied(state="refused", diagnostics=refused.diagnostics)
        except OSError as error:
            await self.recover()
            applied = Applied(state="rejected", reason=str(error))
        return msgspec.structs.replace(applied, seconds=self._clock.monotonic() - started)

    async def recover(self) -> None:
        """Undo what was left in the middle, by us or by a control process before us: the recorded release serves."""
        live, wanted = self._releases.live(), self._fleet.wanted()
        if live is None:
            return
        try:
            serving = self._releases.read(live.number)
        except (OSError, ValueError):  # no way back to it; who applies is told
            return
        generation = Generation.of(live.loaded, serving.worker.pools)
        unfinished = [record for record in self._releases.records() if record.state == "delivering"]
        if not unfinished and wanted == Wanted((generation,)):
            return
        self._fleet.want(Wanted((*(each for each in wanted.generations if each != generation), generation)))
        await self._fleet.until_healthy(generation)
        await self._edge.deliver(serving.edge, generation)
        await self._retire_all_but(generation)
        for record in unfinished:
            self._releases.record(record.number, "rejected", "it was interrupted while it was being delivered")

    async def _apply(self) -> Applied:
        sealed = await self._build()
        release = sealed.release
        live = self._releases.live()
        if live is None:
            raise LookupError("no release is recorded as live; start the project again")
        serving = self._releases.read(live.number)
        if release.digest == serving.digest:
            return Applied(state="unchanged", number=live.number)
        number = self._releases.add(sealed)
        self._releases.record(number, "delivering")
        old = Generation.of(live.loaded, serving.worker.pools)
        new = old if same_workers(release, serving) else Generation.of(number, release.worker.pools)
        delivery = await self._shift(release.edge, old, new)
        if delivery.reason:
            self._releases.record(number, "rejected", delivery.reason)
            return Applied(state="rejected", number=number, reason=delivery.reason)
        self._releases.go_live(Live(number, new.release))
        await self._retire_all_but(new)
        return Applied(state="live", number=number, workers_replaced=new != old, note=delivery.note)

    async def _shift(self, edge: EdgeIR, old: Generation, new: Generation) -> Delivery:
        """Move the traffic from the old workers to the new, or leave it where it is."""
        reason = ""
        if new != old:
            reason = await self._start_beside(old, new, edge)
        delivery = Delivery(reason=reason) if reason else await self._edge.deliver(edge, new)
        if delivery.reason:
            self._fleet.want(Wanted((old,)))
        return delivery

    async def _start_beside(self, old: Generation, new: Generation, edge: EdgeIR) -> str:
        """Start new workers; "" or why they, or what the edge would make of them, will not do."""
        reason = await self._edge.check(edge, new)
        if reason:
            return reason
        self._fleet.want(Wanted((old, new)))
        return await self._fleet.until_healthy(new)

    async def _retire_all_but(self, generation: Generation) -> None:
        await self._clock.sleep(RETIRE_DELAY)
        self._fleet.want(Wanted((generation,)))


def same_workers(one: Release, other: Release) -> bool:
    """Whether two releases need no new workers: they differ at the edge alone."""
    return (one.files, one.dependencies, _tables(one)) == (other.files, other.dependencies, _tables(other))


def _tables(release: Release) -> bytes:
    return msgspec.json.encode(release.worker, order="deterministic")
