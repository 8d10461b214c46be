"""A small load whose every answer is checked: what a change must not disturb."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class CheckedLoad:
    """Calls over a few keep-alive connections until it is stopped; counts, and keeps what went wrong."""

    def __init__(self, port: int, method: str, accepts: Callable[[Any], bool]) -> None:
        self.calls = 0
        self.failures: list[str] = []
        self._port = port
        self._body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method}).encode()
        self._accepts = accepts
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._counted = threading.Condition(self._lock)

    def until_more(self, calls: int) -> None:
        """Return once so many further calls are answered."""
        with self._counted:
            goal = self.calls + calls
            assert self._counted.wait_for(lambda: self.calls >= goal, timeout=30), self.failures

    def run(self) -> None:
        """One connection's calls."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self._stopping.is_set():
            try:
                connection.request("POST", "/jsonrpc", self._body, {"content-type": "application/json"})
                response = connection.getresponse()
                content = response.read()
                problem = self._problem(response.status, content)
            except (OSError, http.client.HTTPException) as error:
                problem = repr(error)
                connection.close()
            with self._counted:
                self.calls += 1
                if problem:
                    self.failures.append(problem)
                self._counted.notify_all()
        connection.close()

    def stop(self) -> None:
        """Let every connection end with its present call."""
        self._stopping.set()

    def _problem(self, status: int, content: bytes) -> str:
        try:
            fine = status == 200 and self._accepts(json.loads(content)["result"])
        except (ValueError, KeyError):
            fine = False
        return "" if fine else f"{status} {content[:200]!r}"


@contextmanager
def checked_load(port: int, method: str, accepts: Callable[[Any], bool], connections: int = 4) -> Iterator[CheckedLoad]:
    """The load for as long as the block lasts."""
    load = CheckedLoad(port, method, accepts)
    threads = [threading.Thread(target=load.run) for _ in range(connections)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.stop()
        for thread in threads:
            thread.join()
