"""The edge as control sees it: what it would refuse, releases delivered to it, another Envoy where they need one."""

from __future__ import annotations

import os
from pathlib import Path

from entrepot.control import status
from entrepot.control.applying import Delivery
from entrepot.control.events import Serving
from entrepot.control.workers import Generation
from entrepot.edge import run
from entrepot.edge.clusters import Workers
from entrepot.edge.deliver import Deliverer
from entrepot.edge.trust import NoTrust
from entrepot.ir.edge import EdgeIR
from entrepot.ir.layout import Layout
from entrepot.kit.clock import Clock

RENEWAL_SECONDS = 80.0
"""How long the supervisor may take to put another Envoy in the place of the one that serves. It takes a tenth of a
second, unless one whose place was taken shortly before is still leaving."""
_WATCH_INTERVAL = 0.01


class EnvoyRenewal:
    """Implements `deliver.Renewal`: the supervisor is told to look, and its status says what came of it."""

    def __init__(self, layout: Layout, binary: Path, notify: int, clock: Clock) -> None:
        self._layout = layout
        self._binary = binary
        self._notify = notify
        self._clock = clock

    def is_due(self) -> bool:
        serving = self._serving()  # none when the supervisor could not write it: it would be asked in vain
        return serving is not None and serving.identity != run.identity(self._layout, self._binary)

    async def renew(self) -> str:
        before, limit = self._serving(), self._clock.monotonic() + RENEWAL_SECONDS
        os.write(self._notify, b"\0")
        while self.is_due():
            now = self._serving()
            if now and before and now.refusal and now.renewals > before.renewals:
                return f"another Envoy could not take the place of the one that serves: {now.refusal}"
            if self._clock.monotonic() > limit:
                return f"no other Envoy has taken the place of the one that serves within {RENEWAL_SECONDS:g} s"
            await self._clock.sleep(_WATCH_INTERVAL)
        return ""

    def _serving(self) -> Serving | None:
        now = status.read(self._layout)
        return now.serving if now is not None else None


class EnvoyDelivery:
    """Implements `applying.EdgeDelivery`."""

    def __init__(self, layout: Layout, binary: Path, notify: int, clock: Clock) -> None:
        """A byte on `notify` tells the supervisor to look at what should run."""
        self._layout = layout
        self._renewal = EnvoyRenewal(layout, binary, notify, clock)
        self._deliverer = Deliverer(layout, binary, renewal=self._renewal)

    def is_current(self) -> bool:
        return not self._renewal.is_due()

    async def check(self, edge: EdgeIR, generation: Generation) -> str:
        try:
            return await self._deliverer.check(edge, workers_of(generation, self._layout))
        except NoTrust as error:
            return str(error)

    async def deliver(self, edge: EdgeIR, generation: Generation) -> Delivery:
        outcome = await self._deliverer.deliver(edge, workers_of(generation, self._layout))
        return Delivery(
            reason="" if outcome.state == "live" else outcome.reason or "the edge gave no reason",
            seconds=outcome.seconds,
            live_at=outcome.live_at,
        )


def workers_of(generation: Generation, layout: Layout) -> Workers:
    """A generation as the edge sees it: the sockets of each pool."""
    return Workers(
        generation.name,
        {
            pool.name: tuple(layout.worker_socket(generation.name, pool.name, n) for n in range(pool.processes))
            for pool in generation.pools
        },
    )
