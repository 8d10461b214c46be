"""Calls in progress: their deadlines, callers that leave, and how many there are.

A call costs one entry in a set, never a task of its own. While there are entries, one sweeper
looks at them every 50 ms: it ends the calls whose deadline has passed and begins to watch for the
caller's departure where a call may be abandoned. Most calls are over before the first sweep.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from entrepot.model.fault import Fault
from entrepot.model.faults import Cancelled, Timeout

SWEEP_SECONDS = 0.05
"""How late a deadline may be noticed, and how long a call runs before its caller is watched."""

Departure = Callable[[], Awaitable[None]]


class Entry(msgspec.Struct, eq=False):
    """One call in progress, run by `task`."""

    task: asyncio.Task[Any] | None
    deadline: float
    departure: Departure | None
    """None: it is of no interest whether the caller leaves."""
    touched: bool = False
    """Whether the sweeper has done anything about it."""
    fault: Fault | None = None
    """Why the call was ended by us."""
    watcher: asyncio.Task[None] | None = None

    def end(self, fault: Fault) -> None:
        """Cancel what the call does; `fault` says why. The first reason stands.

        Nothing happens while somebody else cancels the task, or it could not be told who did.
        """
        if self.fault is None and self.task is not None and not self.task.cancelling():
            self.touched, self.fault = True, fault
            self.task.cancel()

    def watch(self) -> None:
        """Begin to wait for the caller's departure, unless that is done already or of no interest."""
        if self.departure is not None and self.watcher is None:
            self.touched = True
            self.watcher = asyncio.create_task(self._end_at_departure(self.departure))

    async def _end_at_departure(self, departure: Departure) -> None:
        await departure()
        self.end(Cancelled("the caller left"))

    def reason(self) -> Fault | None:
        """Why the call was ended by us; None when it was not, or when somebody else cancels it too.

        To be asked by the task that ran the call, once its work has stopped.
        """
        fault, self.fault = self.fault, None
        if fault is None or self.task is None or self.task.uncancel() > 0:
            return None
        return fault

    def close(self) -> None:
        """The call is over: nobody cares any longer who leaves, and no cancellation of ours remains."""
        if self.watcher is not None:
            self.watcher.cancel()
        self.reason()


class InFlight:
    """The calls that one worker has in progress."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, sweep_seconds: float = SWEEP_SECONDS) -> None:
        self._monotonic = monotonic
        self._sweep_seconds = sweep_seconds
        self._entries: set[Entry] = set()
        self.leave: Callable[[Entry], None] = self._entries.discard
        """The call is over. An entry that is `touched` is to be closed as well."""
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        """The loop that the timer runs in. Asking for the running one costs a system call."""

    @property
    def count(self) -> int:
        """How many calls have not been answered yet."""
        return len(self._entries)

    def enter(self, timeout: float, deadline: float | None, departure: Departure | None) -> Entry:
        """A call begins in the current task. Give the entry back to `leave`.

        It ends `timeout` seconds from now, or at the caller's own `deadline` if that is earlier.
        """
        latest = self._monotonic() + timeout
        if deadline is None or deadline > latest:
            deadline = latest
        if self._timer is None:
            self._loop = asyncio.get_running_loop()
            self._timer = self._loop.call_later(self._sweep_seconds, self._sweep)
        entry = Entry(asyncio.current_task(self._loop), deadline, departure)
        self._entries.add(entry)
        return entry

    def _sweep(self) -> None:
        now = self._monotonic()
        for entry in self._entries:
            if now >= entry.deadline:
                entry.end(Timeout("the operation took longer than allowed"))
            else:
                entry.watch()
        self._timer = None
        if self._entries:
            self._timer = asyncio.get_running_loop().call_later(self._sweep_seconds, self._sweep)
