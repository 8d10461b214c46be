"""Streams out: what a handler yields, with one way to end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from entrepot.model.fault import Fault
from entrepot.model.faults import Cancelled, Unavailable
from entrepot.ports.faults import called_off
from entrepot.runtime.output import OutputCheck

FIRST_ITEM_SECONDS = 0.1
"""How long a reply waits for the first item of its stream."""

OnEnd = Callable[[Fault | None], Awaitable[Fault | None]]
"""Told how a stream ended (None: as it should); what it returns is how the reader is told."""


class OutStream:
    """The items of a reply. Its end may raise a Fault, and nothing else.

    It must be read to its end or closed, because resources of the call stay open until then.
    """

    def __init__(
        self,
        items: AsyncIterator[Any],
        fault_of: Callable[[BaseException], Fault],
        check: OutputCheck | None = None,
    ) -> None:
        self._items = items
        self._fault_of = fault_of
        self._check = check
        self._at_end: list[OnEnd] = []
        self._first: asyncio.Task[Any] | None = None
        self._reader: asyncio.Task[Any] | None = None
        self._reason: Fault | None = None
        self.ended = False
        """Whether there is nothing more to come, and what was to be done at the end is done."""

    async def begin(self, seconds: float = FIRST_ITEM_SECONDS) -> Fault | None:
        """Wait a moment for the first item, and return the fault if there is one in its place.

        So what is found out at once (no such thing, not allowed) is a failed call in every
        protocol, and not a stream that breaks; one whose first item takes longer begins empty.
        """
        self._first = asyncio.ensure_future(self._read())
        try:
            await asyncio.wait((self._first,), timeout=seconds)
        except asyncio.CancelledError:
            await self.aclose()
            raise
        failed = self._first.exception() if self._first.done() else None
        return failed if isinstance(failed, Fault) else None

    def at_end(self, action: OnEnd) -> None:
        """Do this when the stream ends, however it does. It must not have ended yet."""
        self._at_end.append(action)

    def end(self, fault: Fault) -> None:
        """Make the stream end now, with a fault, even if it is being waited for."""
        if self._reason is None and not self.ended:
            self._reason = fault
            if self._reader is not None:
                self._reader.cancel()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        if self._first is not None:
            item, self._first = self._first, None
            return await item
        return await self._read()

    async def _read(self) -> Any:
        if self.ended:
            raise StopAsyncIteration
        if self._reason is not None:
            raise await self._close(self._reason) or self._reason
        self._reader = task = asyncio.current_task()
        cancelling = task.cancelling() if task is not None else 0
        try:
            item = await anext(self._items)
            if self._check is not None and not self._check.fits(item):
                raise self._check.mismatch(item)
            return item
        except StopAsyncIteration:
            failed = await self._finish(None)
        except BaseException as error:
            reason = self._reason if isinstance(error, asyncio.CancelledError) else None
            if reason is None or task is None or task.uncancel() > cancelling:
                if called_off(error):
                    raise
                reason = self._fault_of(error)
            failed = await self._close(reason)
        finally:
            self._reader = None
        if failed is not None:
            raise failed
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """End it because nobody reads on."""
        first, self._first = self._first, None
        if first is not None:
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
        if not self.ended:
            await self._close(Cancelled("the caller left"))

    async def _close(self, fault: Fault) -> Fault | None:
        close = getattr(self._items, "aclose", None)
        try:
            if close is not None:
                await close()
        except BaseException as error:
            if called_off(error):
                raise
            fault = self._fault_of(error)
        return await self._finish(fault)

    async def _finish(self, fault: Fault | None) -> Fault | None:
        self.ended = True
        for action in self._at_end:
            fault = await action(fault)
        return fault


class OpenStreams:
    """The streams that a worker is sending."""

    def __init__(self) -> None:
        self._streams: set[OutStream] = set()

    @property
    def count(self) -> int:
        """How many have not ended yet."""
        return len(self._streams)

    def add(self, stream: OutStream) -> None:
        """Keep count of the stream until it ends."""

        async def forget(fault: Fault | None) -> Fault | None:
            self._streams.discard(stream)
            return fault

        self._streams.add(stream)
        stream.at_end(forget)

    def end(self) -> None:
        """Tell every stream to end, with a fault that makes its reader come back."""
        for stream in tuple(self._streams):
            stream.end(Unavailable("this worker is being replaced; call again", retry_after=0))
