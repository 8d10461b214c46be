"""A bound on the time that patterns may take.

Python's regular expressions try every way to match, and of some patterns there are exponentially
many: `^(a+)+$` keeps a process busy for days with a text of fifty letters. Patterns come from
authors and from foreign documents, texts from anybody. The matcher looks for signals as it goes,
so a timer of the process's own computing time ends it.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

SECONDS_MAX = 0.5
"""Most computing time that matching the patterns of one value may take."""

_SECONDS_EACH = 5e-6
"""What measuring costs, and an innocent match: it is not counted, or long lists would use up the time."""

_TIMER, _SIGNAL = signal.ITIMER_VIRTUAL, signal.SIGVTALRM

Given = TypeVar("Given")
Made = TypeVar("Made")


class Exhausted(Exception):
    """It took too long and was given up."""

    def __init__(self) -> None:
        super().__init__("takes too long to be held against its pattern")


class _Watch:
    """The timer of this process, if it has been installed."""

    thread: int | None = None
    """The thread that signals reach."""
    running = False


def install() -> None:
    """Bound the time from now on. To be called in the main thread; it takes SIGVTALRM for itself."""
    signal.signal(_SIGNAL, _ring)
    _Watch.thread = threading.get_ident()


def run(function: Callable[[Given], Made], given: Given, seconds: float) -> Made:
    """What the function returns. Raises `Exhausted` when that takes longer.

    It does so in the main thread of a process that has installed the timer. Inside another such
    function it shares the time of that one.
    """
    if _Watch.running or threading.get_ident() != _Watch.thread:
        return function(given)
    if seconds <= 0:
        raise Exhausted
    _Watch.running = True
    signal.setitimer(_TIMER, seconds)
    try:
        return function(given)
    finally:
        # A signal that has come already, and finds nothing running, does nothing.
        _Watch.running = False
        signal.setitimer(_TIMER, 0.0)


class Patience:
    """The computing time that is left for matching, text after text."""

    def __init__(self) -> None:
        self._seconds = SECONDS_MAX

    def run(self, function: Callable[[Given], Made], given: Given) -> Made:
        """What the function returns. Raises `Exhausted` when the time is used up before."""
        began = time.process_time()
        try:
            return run(function, given, self._seconds)
        finally:
            self._seconds += _SECONDS_EACH - (time.process_time() - began)


def _ring(_signal: int, _frame: FrameType | None) -> None:
    if _Watch.running:
        _Watch.running = False
        raise Exhausted
