"""The edge kept up, and another Envoy put in its place without a failed request.

The bootstrap is read, and a program loaded, at a start only. So another Envoy is started beside the one that serves; it
takes the listening sockets over, and the old one has some time to let what it has begun end (a hot restart).
Why it is done so: docs/decisions/0016-another-envoy.md.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Protocol

from entrepot.control.backoff import Restarts
from entrepot.control.child import Command
from entrepot.control.events import Ended, Event, Report, Serving, Stopped
from entrepot.control.keeper import Keeper, Recover

log = logging.getLogger("entrepot.control")

EDGE_GRACE = 5.0
"""Seconds from SIGTERM to SIGKILL."""


class Edge(Protocol):
    """Envoy as the supervisor sees it."""

    @property
    def environment(self) -> dict[str, str]:
        """All that it may know of ours."""

    @property
    def leave_seconds(self) -> float:
        """How long one whose place was taken may go on."""

    def argv(self, epoch: int) -> list[str]:
        """The command line; one of another epoch than 0 takes the place of the one before it."""

    def identity(self) -> str:
        """What one that is started now has for its whole life. Raises OSError when none can be started."""

    async def until_serving(self, epoch: int) -> str:
        """Wait until the one of this epoch serves; "", or why it does not."""

    async def answers(self) -> bool:
        """Whether one can be steered."""

    def stand_in(self, epoch: int) -> socket.socket:
        """In the place of one that has ended: what the one that took its place wants to tell it must be heard."""

    def unmark(self) -> None:
        """Have another successor be possible after one that came to nothing."""

    def restore(self) -> None:
        """Put the last good files back."""

    async def keep_logs_bounded(self) -> None:
        """Move the logs that it writes itself aside when they are full; never returns."""

    async def drain(self) -> None:
        """Take no new clients, and return when those that are there have their answers."""

    def forget(self) -> None:
        """Remove what all have left behind that have ended."""


CommandOf = Callable[[str, int], Command]
"""The command that runs an Envoy of this name and epoch."""
Keep = Callable[[Command, Report, Recover], Keeper]
"""Starts a process and keeps it up."""


class Edges:
    """The Envoy that serves, the one that is to take its place, and the one whose place was taken."""

    def __init__(self, edge: Edge, command_of: CommandOf, keep: Keep, report: Report, mend: Recover) -> None:
        """`mend` is asked after each end of the one that serves, before its next start."""
        self._edge = edge
        self._command_of = command_of
        self._keep = keep
        self._report = report
        self._mend = mend
        self._identity = edge.identity()
        self._epoch = 0
        self._renewals = 0
        self._refusal = ""
        self._died = False
        """Whether the one that serves has ended during the renewal."""
        self._failed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Why the renewal comes to nothing, as soon as that is known."""
        self._turn = asyncio.Lock()
        self._asked = asyncio.Event()
        self._successor: Keeper | None = None
        self._leaving: tuple[Keeper, asyncio.Task[None]] | None = None
        self._heard: socket.socket | None = None
        self._serving = self._start(0)
        self._following = asyncio.create_task(self._follow())
        self._tell()

    def look(self) -> None:
        """See whether what an Envoy has for its whole life is another by now."""
        self._asked.set()

    async def stop(self, *, drained: bool) -> None:
        """End all; `drained`, once what is in progress has ended."""
        async with self._turn:
            self._following.cancel()
            self._serving.expect_end()
            if drained:
                await asyncio.gather(self._edge.drain(), self._until_left())
            await self._serving.stop(EDGE_GRACE)
            await self._end_others()
        self._edge.forget()

    def kill(self) -> None:
        """End all at once."""
        self._following.cancel()
        for keeper in (self._serving, self._successor, self._leaving and self._leaving[0]):
            if keeper is not None:
                keeper.kill()

    def _start(self, epoch: int) -> Keeper:
        name = f"edge {self._renewals + 1}" if self._renewals else "edge"
        return self._keep(self._command_of(name, epoch), self._observe, partial(self._recover, name))

    def _tell(self) -> None:
        self._report(Serving(self._identity, self._renewals, self._refusal))

    async def _follow(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self._until_left()  # a third beside two would end the first at once
            async with self._turn:
                try:
                    if self._edge.identity() != self._identity:
                        await self._renew()
                except Exception as error:  # whatever it is, the next release must find somebody who looks
                    log.exception("another edge could not take over")
                    self._refusal = str(error) or type(error).__name__
                    self._tell()

    async def _renew(self) -> None:
        """Put another one in the place of the one that serves, or let that one go on."""
        self._renewals += 1
        self._died, self._failed = False, asyncio.get_running_loop().create_future()
        identity, epoch = self._edge.identity(), self._epoch + 1
        successor = self._successor = self._start(epoch)
        self._refusal = await self._refused(epoch)
        self._successor = None
        if self._refusal:
            await _end(successor)
            self._report(Stopped(successor.name))
            await self._go_on()
        else:
            self._retire(self._serving)
            self._serving, self._epoch, self._identity = successor, epoch, identity
        self._tell()

    async def _refused(self, epoch: int) -> str:
        """Why the successor does not serve; "" when it does."""
        serving = asyncio.ensure_future(self._edge.until_serving(epoch))
        try:
            await asyncio.wait({serving, self._failed}, return_when=asyncio.FIRST_COMPLETED)
            return self._failed.result() if self._failed.done() else serving.result()
        finally:
            serving.cancel()

    async def _go_on(self) -> None:
        """Have the one serve that served: it does, unless its successor came so far as to take something from it."""
        if self._died:  # it has started again, on what is on the disk by now
            self._refusal = await self._edge.until_serving(0)
        elif not await self._edge.answers():
            with suppress(OSError, ValueError):  # then it starts on what is there
                self._edge.restore()
            self._serving.start_again()
            await self._edge.until_serving(0)
        else:
            self._edge.unmark()

    def _retire(self, keeper: Keeper) -> None:
        keeper.expect_end()
        self._leaving = keeper, asyncio.create_task(self._leave(keeper, self._epoch))

    async def _leave(self, keeper: Keeper, epoch: int) -> None:
        """Wait until its successor has told it to end, and see that it does."""
        with suppress(TimeoutError):
            await asyncio.wait_for(keeper.ended(), self._edge.leave_seconds + EDGE_GRACE)
        await _end(keeper)
        try:
            self._hear(self._edge.stand_in(epoch))
        except OSError:
            log.exception("nothing stands in for the edge that has left")
        self._report(Stopped(keeper.name))
        self._leaving = None

    def _hear(self, heard: socket.socket | None) -> None:
        if self._heard is not None:
            self._heard.close()
        self._heard = heard

    async def _until_left(self) -> None:
        if self._leaving is not None:
            await asyncio.wait([self._leaving[1]])

    def _observe(self, event: Event) -> None:
        """A successor that ends is not started again, and nobody else's business."""
        if isinstance(event, Ended) and self._successor is not None and event.name == self._successor.name:
            self._successor.expect_end()
            self._fail(event.cause)
        else:
            self._report(event)

    async def _recover(self, name: str, restarts: Restarts) -> None:
        """Make ready for another start of the one that serves; one at epoch 0 needs the names of all others."""
        if name != self._serving.name:
            return
        self._died = True
        self._fail("the edge ended while another one was to take its place")
        await self._end_others()
        self._epoch = 0
        self._serving.command = self._command_of(name, 0)
        await self._mend(restarts)
        with suppress(OSError):  # then it does not start either, which is told
            self._identity = self._edge.identity()
        if self._successor is None:
            self._tell()

    def _fail(self, cause: str) -> None:
        if not self._failed.done():
            self._failed.set_result(cause)

    async def _end_others(self) -> None:
        if self._successor is not None:
            await _end(self._successor)
        if self._leaving is not None:
            self._leaving[0].kill()
            await self._until_left()
        self._hear(None)


async def _end(keeper: Keeper) -> None:
    keeper.kill()
    await keeper.ended()
