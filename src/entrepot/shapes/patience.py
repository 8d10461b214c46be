"""A bound on the time that a value may take to be read.

Python's regular expressions try every way to match, and of some patterns there are exponentially
many: `^(a+)+$` keeps a process busy for days with a text of fifty letters. Patterns come from
authors and from foreign documents, texts from anybody. The matcher looks for signals as it goes,
so a timer of the process's own computing time ends it. So does it the search for
everything that is wrong with a very long text.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

SECONDS_MAX = 0.5
"""Most computing time that reading one value, or explaining what is wrong with it, may take."""

_TIMER, _SIGNAL = signal.ITIMER_VIRTUAL, signal.SIGVTALRM

Given = TypeVar("Given")
Made = TypeVar("Made")


class Exhausted(Exception):
    """It took too long and was given up."""

    def __init__(self) -> None:
        super().__init__("takes too long to be checked")


class _Watch:
    """The timer of this process, if it has been installed."""

    thread: int | None = None
    """The thread that signals reach."""
    running = False


def install() -> None:
    """Bound the time from now on. To be called in the main thread; it takes SIGVTALRM for itself."""
    signal.signal(_SIGNAL, _ring)
    _Watch.thread = threading.get_ident()


def bounded(function: Callable[[Given], Made]) -> Callable[[Given], Made]:
    """The function, which raises `Exhausted` in the main thread of a process that has installed the timer.

    Inside another bounded function it shares the time of that one.
    """

    def call(given: Given) -> Made:
        if _Watch.running or threading.get_ident() != _Watch.thread:
            return function(given)
        _Watch.running = True
        signal.setitimer(_TIMER, SECONDS_MAX)
        try:
            return function(given)
        finally:
            # A signal that has come already, and finds nothing running, does nothing.
            _Watch.running = False
            signal.setitimer(_TIMER, 0.0)

    return call


def _ring(_signal: int, _frame: FrameType | None) -> None:
    if _Watch.running:
        _Watch.running = False
        raise Exhausted
