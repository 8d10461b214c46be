"""The parent of all: starts edge and workers side by side, then control; keeps them up; ends them in order.

Control is not needed to serve, so it does not compete with what is: it starts once clients get answers.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec

from entrepot.control import sockets, workers
from entrepot.control.backoff import Restarts
from entrepot.control.child import Command, spawn
from entrepot.control.commands import Programs
from entrepot.control.edges import Edge, Edges
from entrepot.control.events import Draining, Ended, Event, Report, Restored
from entrepot.control.fleet import Fleet
from entrepot.control.keeper import Down, Keeper, Recover, Running, nothing_meanwhile, nothing_to_mend
from entrepot.control.logs import LogBook
from entrepot.control.releases import Releases
from entrepot.control.status import Board
from entrepot.control.workers import WorkerId
from entrepot.ir.layout import Layout
from entrepot.kit.clock import Clock, SystemClock

FAILURES_BEFORE_RESTORE = 3
"""Short lives of the edge after which its files are the last good ones again."""
FAILURES_BEFORE_GIVING_UP = 3
"""Short lives of a process after which a start, not yet ready, has failed."""
CONTROL_GRACE = 5.0
"""Seconds from SIGTERM to SIGKILL."""
WORKER_GRACE = 10.0
"""Seconds from the end of a worker's own drain to SIGKILL."""


class StartFailed(Exception):
    """The project never became ready."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a project is supervised."""

    layout: Layout
    programs: Programs
    edge: Edge | None
    """None: no edge; a worker listens on TCP itself."""
    address: tuple[str, int]
    """Where clients come in."""


class Supervisor:
    """One running project."""

    def __init__(self, settings: Settings, logs: LogBook, report: Report, clock: Clock | None = None) -> None:
        self._settings = settings
        self._layout = settings.layout
        self._grace = settings.programs.drain + WORKER_GRACE
        self._logs = logs
        self._listener = report
        self._clock = clock or SystemClock()
        self._board = Board(settings.layout, self._clock.now(), edge=settings.edge is not None)
        self._releases = Releases(settings.layout)
        self._fleet = Fleet(self._listen, self._worker_command, self._keep_worker, self.report, self._grace)
        self._edges: Edges | None = None
        self._control: Keeper | None = None
        self._control_listener: socket.socket | None = None
        """Each new control process inherits it, and a pipe."""
        self.ended_by: signal.Signals | None = None
        """The signal that told the system to end."""
        self._stopping = asyncio.Event()
        self._failed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._ready = False

    def start_workers(self) -> None:
        """Start the workers that control wants, as the file says."""
        self._fleet.agree_with(workers.read(self._layout.processes))

    def start_edge(self) -> None:
        """Start the edge; its files must be there. Whoever sees it serve may ask control, which waits to start."""
        edge = self._settings.edge
        if edge is not None:
            self._control_listener = sockets.listen_unix(self._layout.control_socket)
            self._edges = Edges(edge, partial(self._edge_command, edge), self._keep_edge, self.report, self._mend_edge)

    def start_control(self) -> None:
        """Start control; from now on a change of the workers' file takes effect, and of what an edge starts with."""
        assert self._control_listener is not None  # it is there with the edge
        reader, notify = os.pipe()
        asyncio.get_running_loop().add_reader(reader, self._notified, reader)
        self._control = self._keep(self._settings.programs.control(self._control_listener.fileno(), notify))

    async def until_ready(self, ready: Awaitable[None]) -> bool:
        """Wait for `ready`; false when told to end before. Raises `StartFailed` when a process keeps failing."""
        becoming_ready = asyncio.ensure_future(ready)
        told_to_end = asyncio.ensure_future(self._stopping.wait())
        waits: set[asyncio.Future[Any]] = {becoming_ready, told_to_end, self._failed}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        told_to_end.cancel()
        if not becoming_ready.done():
            becoming_ready.cancel()
            if self._failed.done():
                raise StartFailed(self._failed.result())
            return False
        becoming_ready.result()
        self._ready = True
        return True

    async def until_told_to_end(self) -> None:
        """Serve until a signal comes."""
        edge = self._settings.edge
        housekeeping = asyncio.create_task(edge.keep_logs_bounded()) if edge is not None else None
        await self._stopping.wait()
        if housekeeping is not None:
            housekeeping.cancel()

    def listen_to_signals(self) -> None:
        """End on SIGTERM, SIGINT or SIGHUP: in order at the first, at once at the second."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # `nohup` wants it so
                loop.add_signal_handler(number, self._told_to_end, number)

    async def drain(self) -> None:
        """End everything in order: control, then the edge's clients and the edge, then the workers."""
        self.report(Draining())
        if self._control is not None:
            await self._control.stop(CONTROL_GRACE)
        if self._edges is not None:
            await self._edges.stop(drained=self.ended_by is not None)  # a start that failed has no clients
        await self._fleet.stop()

    def kill(self) -> None:
        """End everything at once."""
        if self._control is not None:
            self._control.kill()
        if self._edges is not None:
            self._edges.kill()
        self._fleet.kill()

    def report(self, event: Event) -> None:
        """Tell whoever watches, and keep the status file true."""
        with suppress(OSError):  # a full disk or a closed terminal must not stop what serves
            self._board.observe(event)
            self._listener(event)
        if isinstance(event, Ended) and not self._ready and event.short_lives == FAILURES_BEFORE_GIVING_UP:
            self._give_up(event.cause)

    def _told_to_end(self, number: signal.Signals) -> None:
        if self._stopping.is_set():
            self.kill()
        self.ended_by = self.ended_by or number
        self._stopping.set()

    def _notified(self, reader: int) -> None:
        os.read(reader, 4096)
        if not self._stopping.is_set():
            self.start_workers()
            if self._edges is not None:
                self._edges.look()

    def _keep(self, command: Command, down: Down = nothing_meanwhile) -> Keeper:
        return Keeper(command, self._spawn, self._clock, self.report, nothing_to_mend, down)

    def _keep_edge(self, command: Command, report: Report, recover: Recover) -> Keeper:
        return Keeper(command, self._spawn, self._clock, report, recover)

    async def _spawn(self, command: Command) -> Running:
        return await spawn(command, self._logs)

    def _edge_command(self, edge: Edge, name: str, epoch: int) -> Command:
        return self._settings.programs.edge(name, edge.argv(epoch), edge.environment)

    def _keep_worker(self, command: Command, down: Down) -> Keeper:
        return self._keep(command, down=down)

    def _listen(self, worker: WorkerId) -> socket.socket:
        if self._settings.edge is None:
            return sockets.listen_tcp(*self._settings.address)
        return sockets.listen_unix(self._layout.worker_socket(*worker))

    def _worker_command(self, worker: WorkerId, release: int, descriptor: int) -> Command:
        return self._settings.programs.worker(worker, self._releases.path(release), descriptor)

    async def _mend_edge(self, restarts: Restarts) -> None:
        edge = self._settings.edge
        if edge is not None and self._ready and restarts.short_lives == FAILURES_BEFORE_RESTORE:
            with suppress(OSError):
                edge.restore()
                self.report(Restored())

    def _give_up(self, cause: str) -> None:
        if not self._failed.done():
            self._failed.set_result(f"{cause}\nevery log is in {self._layout.logs}")
