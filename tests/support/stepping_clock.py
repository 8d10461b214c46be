"""A clock that moves when the test says so, for whoever only asks what time it is."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)


class SteppingClock:
    """Implements `kit.clock.Clock`; a sleeper is woken at once and finds the time it slept gone."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def step(self, seconds: float) -> None:
        """Let this much time pass."""
        self._seconds += seconds

    def now(self) -> datetime:
        return START + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        self.step(seconds)
        await asyncio.sleep(0)
