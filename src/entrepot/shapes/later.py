"""Work that nobody waits for: one thread at a time, the garbage collector off while it builds."""

from __future__ import annotations

import collections
import gc
import logging
import threading
from collections.abc import Callable

Task = Callable[[], None]

_log = logging.getLogger("entrepot.shapes")
_lock = threading.Lock()
_waiting: collections.deque[Task] = collections.deque()
_running: list[threading.Thread] = []


def later(task: Task) -> None:
    """Have the task done by a thread, after those that wait already; its failure is logged."""
    with _lock:
        _waiting.append(task)
        if not _running:
            # A process that ends does not wait for what is made ready only.
            _running.append(threading.Thread(target=_work, name="entrepot-later", daemon=True))
            _running[0].start()


def settle() -> None:
    """Wait until nothing is left to be done."""
    with _lock:
        running = list(_running)
    for thread in running:
        thread.join()


def _work() -> None:
    collecting = gc.isenabled()
    gc.disable()
    try:
        while (task := _next()) is not None:
            try:
                task()
            except Exception:
                _log.exception("a decoder could not be made ready")
    finally:
        if collecting:
            gc.enable()


def _next() -> Task | None:
    with _lock:
        if _waiting:
            return _waiting.popleft()
        _running.clear()
        return None
