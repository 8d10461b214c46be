"""Runs of one job, one at a time; those who ask while it runs share the next run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Coalesced(Generic[Result]):
    """A job whose result is good for everybody who asked before it began.

    A run that has begun may have read the old state already, so who asks later waits for a fresh
    one: at most one runs and one waits, however many ask.
    """

    def __init__(self, job: Callable[[], Awaitable[Result]]) -> None:
        self._job = job
        self._running = asyncio.Lock()
        self._next: asyncio.Task[Result] | None = None

    async def run(self) -> Result:
        """The result of a run that begins after this call. A caller that leaves does not cancel it."""
        if self._next is None:
            self._next = asyncio.create_task(self._run_next())
        return await asyncio.shield(self._next)

    async def _run_next(self) -> Result:
        async with self._running:
            self._next = None
            return await self._job()
