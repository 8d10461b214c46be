"""A small load whose every answer is checked: what a change must not disturb."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

JSON = {"content-type": "application/json"}
Problem = Callable[[int, bytes], str]
"""What is wrong with an answer of this status and content; "" when nothing is."""


class Load(NamedTuple):
    """A request that is sent again and again, and what is wrong with an answer to it."""

    method: str
    path: str
    body: bytes | None
    problem: Problem


class CheckedLoad:
    """Calls over a few connections until it is stopped; counts, and keeps what went wrong."""

    def __init__(self, port: int, load: Load) -> None:
        self.calls = 0
        self.failures: list[str] = []
        self._port = port
        self._load = load
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._ending = threading.Event()
        self._counted = threading.Condition(self._lock)

    def until_more(self, calls: int) -> None:
        """Return once so many further calls are answered."""
        with self._counted:
            goal = self.calls + calls
            assert self._counted.wait_for(lambda: self.calls >= goal, timeout=30), self.failures

    def run(self, fresh: bool) -> None:
        """One connection's calls; with `fresh`, each on a new one."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self._stopping.is_set():
            try:
                load = self._load
                connection.request(load.method, load.path, load.body, {} if load.body is None else JSON)
                response = connection.getresponse()
                problem = load.problem(response.status, response.read())
            except (OSError, http.client.HTTPException) as error:
                if isinstance(error, ConnectionRefusedError) and self._ending.is_set():
                    return
                problem = repr(error)
                connection.close()
            if fresh:
                connection.close()
            with self._counted:
                self.calls += 1
                if problem:
                    self.failures.append(problem)
                self._counted.notify_all()
        connection.close()

    def expect_end(self) -> None:
        """From now on a connection that is refused is no failure: it ends, as whoever answers is to end."""
        self._ending.set()

    def stop(self) -> None:
        """Let every connection end with its present call."""
        self._stopping.set()


@contextmanager
def checked_load(port: int, method: str, accepts: Callable[[Any], bool], connections: int = 4) -> Iterator[CheckedLoad]:
    """JSON-RPC calls for as long as the block lasts; `accepts` looks at the result."""

    def problem(status: int, content: bytes) -> str:
        try:
            fine = status == 200 and accepts(json.loads(content)["result"])
        except (ValueError, KeyError):
            fine = False
        return "" if fine else f"{status} {content[:200]!r}"

    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method}).encode()
    with _under(port, Load("POST", "/jsonrpc", body, problem), connections) as load:
        yield load


@contextmanager
def checked_gets(port: int, path: str, content: bytes, connections: int = 2) -> Iterator[CheckedLoad]:
    """Requests for a path for as long as the block lasts, each of which must get this content."""
    with _under(port, Load("GET", path, None, _only(content)), connections) as load:
        yield load


@contextmanager
def checked_posts(port: int, path: str, content: bytes, connections: int = 2) -> Iterator[CheckedLoad]:
    """The same for what must not be repeated."""
    with _under(port, Load("POST", path, None, _only(content)), connections) as load:
        yield load


def _only(content: bytes) -> Problem:
    return lambda status, found: "" if (status, found) == (200, content) else f"{status} {found[:200]!r}"


@contextmanager
def _under(port: int, what: Load, connections: int) -> Iterator[CheckedLoad]:
    """Every other connection is kept alive."""
    load = CheckedLoad(port, what)
    threads = [threading.Thread(target=load.run, args=(bool(number % 2),)) for number in range(connections)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.stop()
        for thread in threads:
            thread.join()
