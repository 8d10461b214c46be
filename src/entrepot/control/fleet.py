"""The worker processes, made to agree with what control wants."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from entrepot.control import sockets
from entrepot.control.backoff import FAILURES_IN_VAIN, Restarts
from entrepot.control.child import Command
from entrepot.control.events import Report, Stopped
from entrepot.control.keeper import Down, Keeper
from entrepot.control.workers import Wanted, WorkerId, changes

CommandOf = Callable[[WorkerId, int, int], Command]
"""The command that runs a worker, for the number of its release and its socket's descriptor."""
Listen = Callable[[WorkerId], socket.socket]
"""Binds a worker's socket."""


Keep = Callable[[Command, Down], Keeper]
"""Starts a process and keeps it up."""


class Fleet:
    """Every worker's keeper and socket. A worker keeps its socket across restarts, so connections wait for it.

    Not for one that keeps failing: they are turned away, so that callers get an answer.
    """

    def __init__(self, listen: Listen, command_of: CommandOf, keep: Keep, report: Report, grace: float) -> None:
        self._listen = listen
        self._command_of = command_of
        self._keep = keep
        self._report = report
        self._grace = grace
        self._keepers: dict[WorkerId, Keeper] = {}
        self._sockets: dict[WorkerId, socket.socket] = {}
        self._retiring: dict[asyncio.Task[None], Keeper] = {}

    def agree_with(self, wanted: Wanted) -> None:
        """Start what is missing and begin to end what is no longer wanted."""
        todo = changes(wanted, self._keepers)
        for worker, release in todo.start.items():
            listener = self._sockets[worker] = self._listen(worker)
            command = self._command_of(worker, release, listener.fileno())
            self._keepers[worker] = self._keep(command, partial(_down, listener))
        for worker in todo.stop:
            self._retire(worker)

    async def stop(self) -> None:
        """End every worker: what it has in progress may finish within the grace."""
        self.agree_with(Wanted())
        if self._retiring:
            await asyncio.wait(list(self._retiring))

    def kill(self) -> None:
        """End every worker at once."""
        for keeper in (*self._keepers.values(), *self._retiring.values()):
            keeper.kill()

    def _retire(self, worker: WorkerId) -> None:
        keeper, listener = self._keepers.pop(worker), self._sockets.pop(worker)
        sockets.unlink(listener)
        task = asyncio.create_task(self._end(keeper, listener))
        self._retiring[task] = keeper
        task.add_done_callback(self._retiring.pop)

    async def _end(self, keeper: Keeper, listener: socket.socket) -> None:
        try:
            await keeper.stop(self._grace)
        finally:
            listener.close()
        self._report(Stopped(keeper.name))


def _down(listener: socket.socket, restarts: Restarts) -> AbstractContextManager[None]:
    return sockets.turned_away(listener) if restarts.short_lives >= FAILURES_IN_VAIN else nullcontext()
