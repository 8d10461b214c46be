"""The edge as control sees it: what it would refuse, and releases delivered to it."""

from __future__ import annotations

from pathlib import Path

from entrepot.control.applying import Delivery
from entrepot.control.workers import Generation
from entrepot.edge.clusters import Workers
from entrepot.edge.deliver import Deliverer
from entrepot.edge.trust import NoTrust
from entrepot.ir.edge import EdgeIR
from entrepot.ir.layout import Layout


class EnvoyDelivery:
    """Implements `applying.EdgeDelivery`."""

    def __init__(self, layout: Layout, binary: Path) -> None:
        self._layout = layout
        self._deliverer = Deliverer(layout, binary)

    async def check(self, edge: EdgeIR, generation: Generation) -> str:
        try:
            return await self._deliverer.check(edge, workers_of(generation, self._layout))
        except NoTrust as error:
            return str(error)

    async def deliver(self, edge: EdgeIR, generation: Generation) -> Delivery:
        outcome = await self._deliverer.deliver(edge, workers_of(generation, self._layout))
        note = "a new connection limit takes effect when the project is started again"
        return Delivery(
            reason="" if outcome.state == "live" else outcome.reason or "the edge gave no reason",
            note=note if outcome.restart_needed else "",
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
