"""When a process that ended is started again: a pure decision."""

from __future__ import annotations

import msgspec

SHORT_LIFE = 10.0
"""Seconds. A process that ended sooner after its start is failing rather than unlucky."""
FAILURES_IN_VAIN = 3
"""Short lives in a row after which nobody should wait for the next one."""
DELAY_FIRST = 0.1
DELAY_MAX = 5.0
"""Seconds."""


class Restarts(msgspec.Struct, frozen=True):
    """What is remembered of a process's earlier ends."""

    short_lives: int = 0
    """Ends within `SHORT_LIFE` of the start, without a longer life between them."""

    def after(self, lived: float) -> Restarts:
        """The memory once the process has ended again, `lived` seconds after its start."""
        return Restarts(self.short_lives + 1 if lived < SHORT_LIFE else 0)

    @property
    def delay(self) -> float:
        """Seconds to wait before the next start: none after a long life, then doubled up to the most."""
        if self.short_lives == 0:
            return 0.0
        return float(min(DELAY_FIRST * 2 ** min(self.short_lives - 1, 16), DELAY_MAX))
