"""Control's side of the worker fleet: it writes down what it wants, and watches how the workers fare."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from entrepot.control import readiness, status, workers
from entrepot.control.workers import Generation, Wanted
from entrepot.ir.layout import Layout
from entrepot.ir.worker import HEALTH_PATH

START_TIMEOUT = 60.0
"""Seconds that a new generation may take until every worker answers."""
_WATCH_INTERVAL = 0.05


class WantedFleet:
    """Implements `applying.WorkerFleet`."""

    def __init__(self, layout: Layout, notify: int) -> None:
        self._layout = layout
        self._notify = notify

    def wanted(self) -> Wanted:
        try:
            return workers.read(self._layout.processes)
        except ValueError:  # damaged: recovering says it anew
            return Wanted()

    def want(self, wanted: Wanted) -> None:
        workers.write(self._layout.processes, wanted)
        os.write(self._notify, b"\0")

    async def until_healthy(self, generation: Generation) -> str:
        ids = list(Wanted((generation,)).workers())
        healthy = asyncio.ensure_future(self._all_answer([self._layout.worker_socket(*worker) for worker in ids]))
        failed = asyncio.ensure_future(self._first_failure({str(worker) for worker in ids}))
        done, pending = await asyncio.wait(
            {healthy, failed}, timeout=START_TIMEOUT, return_when=asyncio.FIRST_COMPLETED
        )
        for task in pending:
            task.cancel()
        if healthy in done:
            return ""
        return failed.result() if failed in done else f"no answer from the new workers within {START_TIMEOUT:g} s"

    async def _all_answer(self, sockets: list[Path]) -> None:
        await asyncio.gather(*(readiness.until_answering(path, HEALTH_PATH) for path in sockets))

    async def _first_failure(self, names: set[str]) -> str:
        """Wait until a process of these names has ended, and give the cause."""
        while True:
            now = status.read(self._layout)
            for name in names.intersection(now.processes if now else ()):
                process = now.processes[name] if now else None
                if process is not None and process.ends:
                    return process.cause
            await asyncio.sleep(_WATCH_INTERVAL)
