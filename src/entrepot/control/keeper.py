"""Keeps one process up: starts it, starts it again when it ends, ends it when told."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from entrepot.control.backoff import Restarts
from entrepot.control.child import Command
from entrepot.control.events import Ended, Report, Started
from entrepot.kit.clock import Clock


class Running(Protocol):
    """A process as the keeper sees it; `Child` is one."""

    pid: int

    @property
    def last_lines(self) -> tuple[str, ...]:
        """The end of its output."""

    async def wait(self) -> int: ...

    def signal(self, number: signal.Signals) -> None: ...

    def kill(self) -> None: ...


Spawn = Callable[[Command], Awaitable[Running]]
Recover = Callable[[Restarts], Awaitable[None]]
"""Called after each end, before the next start: the place to mend what makes the process fail."""


Down = Callable[[Restarts], AbstractContextManager[None]]
"""What holds while the process waits for its next start."""


def nothing_meanwhile(_: Restarts) -> AbstractContextManager[None]:
    """The `Down` of a process that nobody waits for."""
    return nullcontext()


async def nothing_to_mend(_: Restarts) -> None:
    """The `Recover` of a process that needs none."""


class Keeper:
    """One process that should be running, and the task that keeps it so."""

    def __init__(
        self,
        command: Command,
        spawn: Spawn,
        clock: Clock,
        report: Report,
        recover: Recover = nothing_to_mend,
        down: Down = nothing_meanwhile,
    ) -> None:
        self.name = command.name
        self.command = command
        """What is started next; whoever recovers it may change that."""
        self._spawn = spawn
        self._clock = clock
        self._report = report
        self._recover = recover
        self._down = down
        self._process: Running | None = None
        self._stopping = asyncio.Event()
        self._task = asyncio.create_task(self._keep(), name=f"keep {command.name}")

    def expect_end(self) -> None:
        """Take the next end as wanted: the process is not started again."""
        self._stopping.set()

    def start_again(self) -> None:
        """End the process at once; another one is started."""
        if self._process is not None:
            self._process.kill()

    async def ended(self) -> None:
        """Return when the process has ended for good."""
        await asyncio.shield(self._task)

    async def stop(self, grace: float) -> None:
        """SIGTERM, and after `grace` seconds the end of the whole group."""
        self.expect_end()
        if self._process is not None:
            self._process.signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.ended(), grace)
        except TimeoutError:
            self.kill()
            await self.ended()

    def kill(self) -> None:
        """End the process and all that it started, at once and for good."""
        self.expect_end()
        if self._process is not None:
            self._process.kill()

    async def _keep(self) -> None:
        restarts = Restarts()
        while not self._stopping.is_set():
            started = self._clock.monotonic()
            code, last_lines = await self._run_once()
            if self._stopping.is_set():
                break
            restarts = restarts.after(self._clock.monotonic() - started)
            self._report(Ended(self.name, code, restarts.short_lives, restarts.delay, last_lines))
            await self._recover(restarts)
            with self._down(restarts):
                await self._pause(restarts.delay)

    async def _run_once(self) -> tuple[int, tuple[str, ...]]:
        try:
            process = self._process = await self._spawn(self.command)
        except OSError as error:
            return 1, (f"it cannot be started: {error}",)
        if self._stopping.is_set():  # told to stop while it was being started
            process.kill()
        self._report(Started(self.name, process.pid))
        code = await process.wait()
        self._process = None
        return code, process.last_lines

    async def _pause(self, seconds: float) -> None:
        if not seconds:
            return
        waits = {
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self._stopping.wait()),
        }
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
