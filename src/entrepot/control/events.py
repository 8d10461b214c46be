"""What the supervisor tells whoever watches it; the command line prints them."""

from __future__ import annotations

import signal
from collections.abc import Callable

import msgspec

from entrepot.ir.release import Release

_SENT_BY_OTHERS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What a process does not bring on itself, as it does SIGSEGV or SIGABRT."""


class Started(msgspec.Struct, frozen=True, tag="started"):
    """A process was started."""

    name: str
    pid: int


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """A process ended that should be running; it will be started again."""

    name: str
    code: int
    """Exit code; negative for the signal that ended it."""
    short_lives: int
    """How often in a row it ended soon after its start."""
    delay: float
    """Seconds until the next start."""
    last_lines: tuple[str, ...] = ()
    """The end of its output."""

    @property
    def cause(self) -> str:
        """How it ended, and its last words, unless somebody else ended it: then they do not tell why."""
        if -self.code in _SENT_BY_OTHERS:
            return f"{self.name} was ended by signal {-self.code}, which another process or the system sent"
        how = f"was ended by signal {-self.code}" if self.code < 0 else f"ended with exit code {self.code}"
        words = "\n".join(f"    {line}" for line in self.last_lines)
        return f"{self.name} {how}" + (f":\n{words}" if words else "")


class Stopped(msgspec.Struct, frozen=True, tag="stopped"):
    """A process ended because it was told to."""

    name: str


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The project answers."""

    base_url: str
    seconds: float
    """Since the start."""
    release: Release
    number: int
    """Of the release."""
    held: bool
    """It is what was rolled back to, whatever is on disk."""
    missing: tuple[str, ...] = ()
    """What is not served for want of an edge."""


class Draining(msgspec.Struct, frozen=True, tag="draining"):
    """The system was told to end and lets what is in progress finish."""


class Restored(msgspec.Struct, frozen=True, tag="restored"):
    """The edge kept failing, so its files are the last good ones again."""


class Serving(msgspec.Struct, frozen=True, tag="serving"):
    """Which Envoy the edge is, told whenever that may have changed."""

    identity: str
    """Its bootstrap and its program."""
    renewals: int = 0
    """How often another one was to take its place."""
    refusal: str = ""
    """Why the last one of them did not; "" when it did."""


Event = Started | Ended | Stopped | Ready | Draining | Restored | Serving
Report = Callable[[Event], None]
