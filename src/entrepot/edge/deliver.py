"""Delivery: a release goes live without a failed request, or the last good one keeps serving.

Make before break: new clusters are known and warm before a route leads to them, and old ones go
only when none does. Envoy confirms each file by the version it reports. When it refuses one, or is
silent for too long, every file that was touched gets its last good content back: Envoy itself
would keep serving from memory, but not across its restart.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from entrepot.edge import admin, log, trust
from entrepot.edge.admin import Admin, AdminError
from entrepot.edge.clusters import Workers
from entrepot.edge.emit import BOOTSTRAP, File, Kind, Rendering, cluster_file, clusters_in, emit
from entrepot.edge.run import log_file, program
from entrepot.edge.tree import Tree
from entrepot.edge.validate import misfits, validate
from entrepot.edge.xds import Json
from entrepot.ir.edge import EdgeIR
from entrepot.ir.layout import Layout
from entrepot.kit.clock import Stopwatch, SystemClock

CONFIRMATION_SECONDS = 2.0
"""How long Envoy may take to accept a file; it takes milliseconds, and longer for thousands of routes."""

_OCTETS_PER_SECOND = 200_000
"""How much of a file Envoy takes in within a second at least, on a machine that is busy with other things; thirty
times that is usual. What it refuses is known at once: this bounds its silence alone."""

START_SECONDS = 10.0
"""How long Envoy may take from its start until it has accepted every file."""

UPSTREAM_SECONDS = 1.0
"""How long routes wait for new upstreams to resolve and to pass a probe. Then they go live all the
same: a release must not fail because somebody else's system is down."""

_POLL_SECONDS = 0.005

_RUNNING = "cluster_manager.cds.version_text"
"""Asked for first: a statistic that every Envoy which answers has."""

_EPOCH, _WORKS = "server.hot_restart_epoch", "listener_manager.workers_started"

_BACKWARDS: tuple[tuple[Kind, ...], ...] = (("lds",), ("rds",), ("ecds",), ("eds", "cds"))
"""The order in which last good files come back: routes first, so that they lead to clusters that are still there."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a release at the edge."""

    state: Literal["live", "rejected"]
    reason: str = ""
    """Why it was rejected, in Envoy's words as far as it had any; secrets are left out."""
    seconds: Mapping[str, float] = {}
    """By part: `validate`, `deliver` (until Envoy has confirmed that no request goes the old way), `renew` (another
    Envoy, where one is needed), `settle` (until nothing old is left, and the new is the last good)."""
    live_at: datetime | None = None
    """When Envoy had confirmed it."""


class Renewal(Protocol):
    """Another Envoy in the place of the one that serves: some things are read at its start only."""

    def is_due(self) -> bool:
        """Whether the one that serves has read another bootstrap than stands on the disk, or is another program."""

    async def renew(self) -> str:
        """Have it replaced; "" once another one serves, else why the old one goes on."""


class _Rejection(Exception):
    """Envoy did not accept a file, or a cluster did not become healthy."""


class Deliverer:
    """Brings releases to the Envoy of one layout, one at a time."""

    def __init__(
        self, layout: Layout, binary: Path, *, renewal: Renewal | None = None, ca_bundle: Path | None = None
    ) -> None:
        """`ca_bundle` verifies upstreams that name none; by default it is the system's."""
        self._layout = layout
        self._binary = binary
        self._renewal = renewal
        self._ca_bundle = ca_bundle
        self._clock = SystemClock()
        self._admin = Admin(layout.edge_admin_socket)
        self._live = Tree(layout.edge)
        self._good = Tree(layout.edge / "good")
        self._turn = asyncio.Lock()
        self._logged_before_start = 0
        self._taken = b""
        """Digest of the static rendering that Envoy took last."""

    async def check(self, edge: EdgeIR, workers: Workers) -> str:
        """Why this Envoy would refuse the release; "" when it would take it. Changes nothing."""
        static = self._render(edge, workers).static
        wrong = await asyncio.to_thread(misfits, self._binary, static)
        return "\n".join(wrong) or await self._validated(static)

    def start_files(self, edge: EdgeIR, workers: Workers) -> None:
        """Write every file of a release, for an Envoy that does not run yet."""
        rendering = self._render(edge, workers)
        self._live.become(rendering.files, rendering.bootstrap)
        self._logged_before_start = log.size(log_file(self._layout))

    async def confirm(self) -> Outcome:
        """Wait until an Envoy that was just started has accepted its files, which are then the last good.

        An Envoy may run and call itself live without a listener: its port was taken, or a file is broken.
        """
        try:
            await self._accepted(self._live.files(), {}, START_SECONDS)
        except _Rejection as rejection:
            return self._rejected(str(rejection), logged_from=self._logged_before_start)
        self._good.become(self._live.files(), self._live.read(BOOTSTRAP) or b"")
        return Outcome(state="live", live_at=self._clock.now())

    async def until_serving(self, epoch: int) -> str:
        """Wait until the Envoy of this epoch takes connections and has accepted every file; "", or why it does not."""
        logged = log.size(log_file(self._layout))
        wanted = {_EPOCH: str(epoch), _WORKS: "1"}
        limit = self._clock.monotonic() + START_SECONDS
        while await self._statistics(list(wanted), "Gauges") != wanted:
            if self._clock.monotonic() > limit:
                return self._rejected(f"it did not serve within {START_SECONDS:g} s", logged_from=logged).reason
            await self._clock.sleep(_POLL_SECONDS)
        try:
            await self._accepted(self._live.files(), {}, START_SECONDS)
        except (_Rejection, OSError, msgspec.DecodeError) as error:
            return self._rejected(str(error), logged_from=logged).reason
        return ""

    async def deliver(self, edge: EdgeIR, workers: Workers) -> Outcome:
        """Bring a release to a running Envoy. The workers must answer on their sockets already."""
        async with self._turn:
            watch = Stopwatch(self._clock)
            try:
                with watch.part("validate"):
                    rendering = self._render(edge, workers)
                    refusal = await self._validated(rendering.static)
            except trust.NoTrust as error:
                return Outcome(state="rejected", reason=str(error))
            if refusal:
                return Outcome(state="rejected", reason=refusal, seconds=watch.seconds)
            return msgspec.structs.replace(await self._deliver(rendering, watch), seconds=watch.seconds)

    def restore(self) -> bool:
        """Put the last good files in the place of the live ones; False when there are none yet."""
        bootstrap = self._good.read(BOOTSTRAP)
        if bootstrap is None:
            return False
        self._live.become(self._good.files(), bootstrap)
        return True

    def _render(self, edge: EdgeIR, workers: Workers) -> Rendering:
        verified = any(upstream.tls and not upstream.tls.ca for upstream in edge.upstreams)
        bundle = self._ca_bundle or (trust.system_bundle() if verified else Path())
        return emit(edge, workers, self._layout, bundle)

    async def _validated(self, static: bytes) -> str:
        """Why Envoy refuses it; "" when it takes it, as it did when it was asked the same before."""
        digest = hashlib.sha256(program(self._binary).encode() + static).digest()
        if digest == self._taken:
            return ""
        refusal = await validate(self._binary, static)
        self._taken = b"" if refusal else digest
        return refusal

    async def _deliver(self, rendering: Rendering, watch: Stopwatch) -> Outcome:
        logged = log.size(log_file(self._layout))
        try:
            with watch.part("deliver"):
                await self._admin.statistics([_RUNNING], "TextReadouts")
                await self._go_live(rendering)
                self._live.write(BOOTSTRAP, rendering.bootstrap)
            await self._renew(watch)
            live_at = self._clock.now()
            with watch.part("settle"):
                await self._apply([cluster_file(rendering.clusters)])
                self._live.remove_all_but(rendering.files)
        except (_Rejection, AdminError, OSError, msgspec.DecodeError) as error:
            return self._rejected(f"{error}{await self._take_back()}", logged_from=logged)
        with watch.part("settle"):
            self._good.become(rendering.files, rendering.bootstrap)
        return Outcome(state="live", live_at=live_at)

    async def _go_live(self, rendering: Rendering) -> None:
        old = clusters_in(self._live.read(cluster_file({}).path) or b'{"resources":[]}')
        both = cluster_file({**old, **rendering.clusters})
        await self._apply([*rendering.endpoints, both])
        await self._warm(rendering, old)
        await self._apply(rendering.settings)
        await self._apply(rendering.routes)
        await self._apply([rendering.listeners])

    async def _renew(self, watch: Stopwatch) -> None:
        if self._renewal is not None and self._renewal.is_due():
            with watch.part("renew"):
                reason = await self._renewal.renew()
            if reason:
                raise _Rejection(reason)

    async def _apply(self, files: Sequence[File]) -> None:
        """Write what differs from the live files, and wait until Envoy has accepted it."""
        changed = [file for file in files if self._live.read(file.path) != file.content]
        if changed:
            before = await self._admin.statistics(_refusals(changed), "Counters")
            for file in changed:
                self._live.write(file.path, file.content)
            size = sum(len(file.content) for file in changed)
            await self._accepted(changed, before, CONFIRMATION_SECONDS + size / _OCTETS_PER_SECOND)

    async def _accepted(self, files: Sequence[File], before: Mapping[str, str], seconds: float) -> None:
        limit = self._clock.monotonic() + seconds
        while True:
            versions = await self._statistics([_version(file) for file in files], "TextReadouts")
            pending = [file for file in files if versions.get(_version(file)) != file.version]
            if not pending:
                return
            seen = await self._statistics(_refusals(pending), "Counters")
            for file in pending:
                if any(int(seen.get(name, "0")) > int(before.get(name, "0")) for name in _refusals([file])):
                    raise _Rejection(f"Envoy refused {file.path.parent}")
            if self._clock.monotonic() > limit:
                names = ", ".join(str(file.path.parent) for file in pending)
                raise _Rejection(f"Envoy did not confirm {names} within {seconds:g} s")
            await self._clock.sleep(_POLL_SECONDS)

    async def _warm(self, rendering: Rendering, old: Mapping[str, Json]) -> None:
        idle = await self._unhealthy(rendering.worker_clusters, CONFIRMATION_SECONDS)
        if idle:
            raise _Rejection(f"no worker is healthy in {', '.join(idle)}")
        new = [name for name in rendering.upstream_clusters if name not in old]
        await self._unhealthy(new, UPSTREAM_SECONDS)

    async def _unhealthy(self, clusters: Sequence[str], seconds: float) -> list[str]:
        """Which clusters have no healthy member when the time is over; none as soon as all have one."""
        limit = self._clock.monotonic() + seconds
        while True:
            seen = await self._statistics([f"cluster.{name}.membership_healthy" for name in clusters], "Gauges")
            empty = [name for name in clusters if seen.get(f"cluster.{name}.membership_healthy", "0") == "0"]
            if not empty or self._clock.monotonic() > limit:
                return empty
            await self._clock.sleep(_POLL_SECONDS)

    async def _statistics(self, names: Sequence[str], kind: admin.Kind) -> dict[str, str]:
        """The present values; none while Envoy does not answer, as it does not while it restarts."""
        try:
            return await self._admin.statistics(names, kind)
        except AdminError:
            return {}

    async def _take_back(self) -> str:
        """Give every touched file its last good content; what stood in the way of it, to be added to the reason.

        What Envoy makes of the files is awaited, but they stay whatever it says.
        """
        try:
            good = self._good.files()
            for kinds in _BACKWARDS:
                with suppress(_Rejection, AdminError):
                    await self._apply([file for file in good if file.kind in kinds])
            self.restore()
        except (OSError, msgspec.DecodeError) as error:
            return f"; its files could not be replaced by the last good ones: {error}"
        return ""

    def _rejected(self, reason: str, *, logged_from: int) -> Outcome:
        said = log.reason(log.since(log_file(self._layout), logged_from))
        reasons = "\n".join(part for part in (reason, said) if part)
        return Outcome(state="rejected", reason=reasons)


def _version(file: File) -> str:
    return f"{file.statistics}.version_text"


def _refusals(files: Sequence[File]) -> list[str]:
    return [f"{file.statistics}.{name}" for file in files for name in ("update_rejected", "update_failure")]
