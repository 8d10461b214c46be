"""Bringing a release live without a failed request: make before break, and last good on every failure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

import msgspec

from entrepot.control.differences import Difference, differences
from entrepot.control.releases import Live, Releases
from entrepot.control.workers import Generation, Wanted
from entrepot.ir.edge import EdgeIR
from entrepot.ir.release import Release, Sealed
from entrepot.kit.clock import Clock, Stopwatch
from entrepot.kit.diagnostics import Diagnostic, Refused

RETIRE_DELAY = 0.1
"""Seconds from the edge's confirmation to the end of the old workers: its threads learn of a change one by one."""


class Project(Protocol):
    """Where releases come from."""

    async def build(self) -> Sealed:
        """The project as it is on disk. Raises `Refused` when it does not compile."""

    def again(self, release: Release) -> Again:
        """An earlier release as it would run now. Raises `Refused` when it belongs to another way of running."""


class Again(NamedTuple):
    """An earlier release, once more."""

    release: Release
    note: str
    """What is not as it was then."""


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
    seconds: Mapping[str, float] = {}
    """By part of it."""
    live_at: datetime | None = None
    """When no request went the old way any more."""


class EdgeDelivery(Protocol):
    """The edge as control sees it."""

    def is_current(self) -> bool:
        """Whether it is the program that would be started now, on what it would read then."""

    async def check(self, edge: EdgeIR, generation: Generation) -> str:
        """Why the edge would refuse this release; "" when it would not."""

    async def deliver(self, edge: EdgeIR, generation: Generation) -> Delivery:
        """Bring it live, or leave everything as it was."""


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an attempt to apply."""

    state: Literal["live", "unchanged", "rejected", "refused"]
    """Refused: it does not compile. Rejected: it compiled, but could not be brought live."""
    number: int = 0
    """Of the release that serves or was rejected; 0 for one that could not be kept, or was refused."""
    seconds: float = 0.0
    """From the beginning to the end, settling included."""
    parts: Mapping[str, float] = {}
    """The seconds of each part that was gone through: `compile`, `validate` (by the edge), `start` (new workers, until
    they answer), `deliver` (until every edge has confirmed that no request goes the old way), `renew` (another edge,
    where one is needed), `settle`."""
    live_at: datetime | None = None
    """When it was live everywhere."""
    workers_replaced: bool = False
    again: int = 0
    """The release that was rolled back to."""
    note: str = ""
    """What is not as it was when the release that was rolled back to served."""
    reason: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def summary(self) -> str:
        """The first line of what is told of it."""
        seconds = f"{self.seconds:.2f} s"
        match self.state:
            case "live":
                workers = "with new workers" if self.workers_replaced else "at the edge alone"
                again = f": release {self.again} again" if self.again else ""
                parts = ", ".join(f"{name} {took:.2f}" for name, took in self.parts.items())
                return f"release {self.number} is live after {seconds}, {workers}{again}" + (parts and f" ({parts})")
            case "unchanged":
                wanted = "asked for" if self.again else "on disk"
                return f"nothing to do: release {self.number} is what is {wanted}"
            case "rejected":
                rejected = f"release {self.number}" if self.number else "the new release"
                return f"{rejected} was rejected after {seconds}, the one before goes on serving:"
            case _:
                return "nothing was changed: the release that serves goes on serving"


class Unapplied(msgspec.Struct, frozen=True):
    """What an apply would change."""

    differences: list[Difference] = []
    diagnostics: tuple[Diagnostic, ...] = ()
    """Why it does not compile, if it does not."""


class Applier:
    """Compiles, checks, delivers and records, one thing at a time."""

    def __init__(
        self, releases: Releases, project: Project, fleet: WorkerFleet, edge: EdgeDelivery, clock: Clock
    ) -> None:
        self._releases = releases
        self._project = project
        self._fleet = fleet
        self._edge = edge
        self._clock = clock
        self._turn = asyncio.Lock()
        self._watch = Stopwatch(clock)

    async def apply(self) -> Applied:
        """Compile the project and bring it live; whatever fails, the last good release goes on serving."""
        return await self._timed(self._compiled)

    async def rollback(self, number: int) -> Applied:
        """Bring a kept release live again under a number of its own; 0: the one that served before the present one.

        Raises `NoSuchRelease`, or ValueError when its file is damaged or another version's.
        """
        return await self._timed(lambda: self._again(number))

    async def unapplied(self, number: int) -> Unapplied:
        """What is on disk, held against a kept release; 0: the one that serves. Raises `NoSuchRelease`."""
        kept = self._releases.kept(number or self._live().number)
        try:
            return Unapplied(differences(kept, (await self._project.build()).release))
        except Refused as refused:
            return Unapplied(diagnostics=refused.diagnostics)

    async def _timed(self, work: Callable[[], Awaitable[Applied]]) -> Applied:
        async with self._turn:
            self._watch = Stopwatch(self._clock)
            started, newest = self._clock.monotonic(), self._releases.newest()
            try:
                applied = await work()
            except Refused as refused:
                applied = Applied(state="refused", diagnostics=refused.diagnostics)
            except OSError as error:
                number = self._releases.newest()
                await self._recover_from(error)
                applied = Applied(state="rejected", number=number if number > newest else 0, reason=str(error))
            seconds, parts = self._clock.monotonic() - started, self._watch.seconds
            return msgspec.structs.replace(applied, seconds=seconds, parts=parts)

    async def _recover_from(self, error: OSError) -> None:
        """As far as a disk that refuses lets us: what is left in the middle is undone before the next release."""
        with suppress(OSError):
            await self.recover(str(error))

    async def recover(self, reason: str = "it was interrupted while it was being delivered") -> None:
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
        delivery = await self._edge.deliver(serving.edge, generation)
        if delivery.reason:  # requests may still go the other way; who applies tries again
            return
        await self._retire_all_but(generation)
        for record in unfinished:
            self._releases.record(record.number, "rejected", reason)

    async def _compiled(self) -> Applied:
        await self.recover()
        with self._watch.part("compile"):
            sealed = await self._project.build()
        return await self._bring_live(sealed)

    async def _again(self, number: int) -> Applied:
        await self.recover()
        number = number or self._releases.before(self._live().number)
        release, note = self._project.again(self._releases.kept(number))
        applied = await self._bring_live(Sealed(release, {}), again=number)
        return msgspec.structs.replace(applied, again=number, note=note)

    def _live(self) -> Live:
        live = self._releases.live()
        if live is None:
            raise LookupError("no release is recorded as live; start the project again")
        return live

    async def _bring_live(self, sealed: Sealed, again: int = 0) -> Applied:
        release, live = sealed.release, self._live()
        held = again != 0 and release.mode == "serve"  # `dev` is started again to see what is on disk
        serving = self._releases.read(live.number)
        if release.digest == self._releases.digest(live.number) and self._edge.is_current():
            self._releases.go_live(Live(live.number, live.loaded, held))
            return Applied(state="unchanged", number=live.number)
        number = self._releases.add(sealed)
        self._releases.record(number, "delivering", again=again)
        old = Generation.of(live.loaded, serving.worker.pools)
        new = old if same_workers(release, serving) else Generation.of(number, release.worker.pools)
        delivery = await self._shift(release.edge, old, new)
        if delivery.reason:
            self._releases.record(number, "rejected", delivery.reason)
            return Applied(state="rejected", number=number, reason=delivery.reason)
        self._releases.go_live(Live(number, new.release, held))
        replaced = new != old
        if replaced:
            await self._retire_all_but(new)
        return Applied(state="live", number=number, workers_replaced=replaced, live_at=delivery.live_at)

    async def _shift(self, edge: EdgeIR, old: Generation, new: Generation) -> Delivery:
        """Move the traffic from the old workers to the new, or leave it where it is."""
        reason = ""
        if new != old:
            reason = await self._start_beside(old, new, edge)
        delivery = Delivery(reason=reason) if reason else await self._delivered(edge, new)
        if delivery.reason:
            self._fleet.want(Wanted((old,)))
        return delivery

    async def _delivered(self, edge: EdgeIR, generation: Generation) -> Delivery:
        delivery = await self._edge.deliver(edge, generation)
        self._watch.add(delivery.seconds)
        return delivery

    async def _start_beside(self, old: Generation, new: Generation, edge: EdgeIR) -> str:
        """Start new workers; "" or why they, or what the edge would make of them, will not do."""
        with self._watch.part("validate"):
            reason = await self._edge.check(edge, new)
        if reason:
            return reason
        with self._watch.part("start"):
            self._fleet.want(Wanted((old, new)))
            return await self._fleet.until_healthy(new)

    async def _retire_all_but(self, generation: Generation) -> None:
        await self._clock.sleep(RETIRE_DELAY)
        self._fleet.want(Wanted((generation,)))


def same_workers(one: Release, other: Release) -> bool:
    """Whether two releases need no new workers: they differ at the edge alone."""
    return (_files(one), one.dependencies, _tables(one)) == (_files(other), other.dependencies, _tables(other))


def _files(release: Release) -> dict[str, str]:
    """Those that a worker may read: the authorities that upstreams are verified by are for the edge."""
    authorities = {upstream.tls.ca for upstream in release.edge.upstreams if upstream.tls}
    return {path: digest for path, digest in release.files.items() if digest not in authorities}


def _tables(release: Release) -> bytes:
    return msgspec.json.encode(release.worker, order="deterministic")
