"""Time as a parameter, so that whatever waits can be tested without waiting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time and lets it pass."""

    def now(self) -> datetime:
        """The present moment, with a zone."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Stopwatch:
    """How long each part of some work takes."""

    def __init__(self, clock: Clock) -> None:
        self.seconds: dict[str, float] = {}
        """By part, in the order in which they began."""
        self._clock = clock

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """What is done in the block belongs to this part, however it ends."""
        begun = self._clock.monotonic()
        try:
            yield
        finally:
            self.add({name: self._clock.monotonic() - begun})

    def add(self, seconds: Mapping[str, float]) -> None:
        """What parts took that somebody else has timed."""
        for name, took in seconds.items():
            self.seconds[name] = self.seconds.get(name, 0.0) + took
