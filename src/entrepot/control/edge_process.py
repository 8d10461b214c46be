"""The edge as the supervisor drives it: Envoy's command line, its last good files, its drain, and its successor."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from pathlib import Path

import msgspec

from entrepot.control.edge_delivery import workers_of
from entrepot.control.logs import move_full_aside
from entrepot.control.workers import Generation
from entrepot.edge import run
from entrepot.edge.admin import Admin, AdminError
from entrepot.edge.chain import EGRESS, INGRESS
from entrepot.edge.deliver import Deliverer
from entrepot.edge.listeners import access_log
from entrepot.ir.edge import EdgeIR
from entrepot.ir.layout import Layout

LOG_CHECK_INTERVAL = 10.0
"""Seconds between two looks at the size of Envoy's logs."""


class Drain(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds that ending in order may take."""

    listener: int
    """New connections are still taken for so long, so that whoever balances load can notice."""
    calls: int
    """What is in progress may go on for so long."""


class EnvoyProcess:
    """Implements `edges.Edge`."""

    def __init__(self, layout: Layout, binary: Path, drain: Drain) -> None:
        self._layout = layout
        self._binary = binary
        self._drain = drain
        self._deliverer = Deliverer(layout, binary)

    @property
    def environment(self) -> dict[str, str]:
        return run.environment()

    @property
    def leave_seconds(self) -> int:
        return self._drain.listener + self._drain.calls

    def argv(self, epoch: int) -> list[str]:
        drain, leave = self._drain.listener, self.leave_seconds
        return run.command(self._layout, self._binary, epoch=epoch, drain_seconds=drain, leave_seconds=leave)

    def identity(self) -> str:
        return run.identity(self._layout, self._binary)

    async def until_serving(self, epoch: int) -> str:
        return await self._deliverer.until_serving(epoch)

    async def answers(self) -> bool:
        return await Admin(self._layout.edge_admin_socket).answers()

    def stand_in(self, epoch: int) -> socket.socket:
        return run.stand_in(self._layout, epoch)

    def unmark(self) -> None:
        run.unmark(self._layout)

    def forget(self) -> None:
        run.forget(self._layout)

    def start_files(self, edge: EdgeIR, generation: Generation) -> None:
        """Write all that Envoy reads at its start."""
        self._deliverer.start_files(edge, workers_of(generation, self._layout))

    async def until_accepted(self, edge: EdgeIR, generation: Generation) -> str:
        """Wait for an Envoy that was just started; "" when it took every file, else why not.

        Nothing serves yet, so Envoy itself is the check; the static one only finds better words.
        """
        outcome = await self._deliverer.confirm()
        if outcome.state == "live":
            return ""
        return await self._deliverer.check(edge, workers_of(generation, self._layout)) or outcome.reason

    def restore(self) -> None:
        self._deliverer.restore()

    async def keep_logs_bounded(self) -> None:
        """Move the logs that Envoy writes itself aside when they are full; never returns."""
        files = [run.log_file(self._layout), *(access_log(self._layout, name) for name in (INGRESS, EGRESS))]
        while True:
            await asyncio.sleep(LOG_CHECK_INTERVAL)
            if move_full_aside(files):
                with suppress(AdminError):  # it dies or restarts just now: the next round tries again
                    await Admin(self._layout.edge_admin_socket).switch("reopen_logs")

    async def drain(self) -> None:
        await run.drain(self._layout, self.leave_seconds)
