"""A load whose every answer is checked: what a change must not disturb."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import uvloop


class Size(NamedTuple):
    """How large one load is."""

    rate: int
    """Requests a second; fewer where the machine has no more."""
    connections: int


SIZE = Size(rate=500, connections=4)
"""At a reduced size."""
FULL_SIZE = Size(rate=2500, connections=32)
CALLS_ON_A_CONNECTION = 10
PATIENCE = 30.0
"""Seconds for an answer, and until so many more have come."""
Problem = Callable[[int, bytes], str]
"""What is wrong with an answer of this status and content; "" when nothing is."""
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n")


class NotTaken(ConnectionResetError):
    """A new connection was reset before a word of an answer, as those are that wait in a listener that closes."""


class Load(NamedTuple):
    """A request that is sent again and again, and what is wrong with an answer to it."""

    method: str
    path: str
    body: bytes
    problem: Problem

    @property
    def octets(self) -> bytes:
        head = [f"{self.method} {self.path} HTTP/1.1", "host: load", f"content-length: {len(self.body)}"]
        head += ["content-type: application/json"] if self.body else []
        return "\r\n".join([*head, "", ""]).encode() + self.body


class CheckedLoad:
    """Calls over a few connections, each used some times and then opened anew, until it is stopped; keeps what
    went wrong."""

    def __init__(self, port: int, load: Load, connections: int) -> None:
        self.calls = 0
        self.failures: list[str] = []
        self._port = port
        self._load = load
        self._connections = connections
        self._pause = connections / SIZE.rate
        self._stopping = self._ending = False
        self._counted = threading.Condition()

    def until_more(self, calls: int) -> None:
        """Return once so many further calls are answered."""
        with self._counted:
            goal = self.calls + calls
            assert self._counted.wait_for(lambda: self.calls >= goal, timeout=PATIENCE), self.failures

    def expect_end(self) -> None:
        """From now on a connection that is refused or not taken is no failure: it ends, as who answers is to end."""
        self._ending = True

    def stop(self) -> None:
        """Let every connection end with its present call."""
        self._stopping = True

    def run(self) -> None:
        """All calls, in an event loop of their own."""
        uvloop.run(self._run())

    async def _run(self) -> None:
        await asyncio.gather(*(self._call() for _ in range(self._connections)))

    async def _call(self) -> None:
        """One connection's calls."""
        loop, connection, octets = asyncio.get_running_loop(), _Connection(self._port), self._load.octets
        due = loop.time()
        while not self._stopping:
            try:
                async with asyncio.timeout(PATIENCE):
                    problem = self._load.problem(*await connection.exchange(octets))
            except (ConnectionRefusedError, NotTaken) as error:
                if self._ending:
                    return
                problem = repr(error)
            except (OSError, ValueError) as error:
                problem = repr(error)
            self._count(problem)
            if problem or self.calls % CALLS_ON_A_CONNECTION == 0:
                connection.close()
            due = max(due + self._pause, loop.time())
            await asyncio.sleep(due - loop.time())
        connection.close()

    def _count(self, problem: str) -> None:
        with self._counted:
            self.calls += 1
            if problem:
                self.failures.append(problem)
            self._counted.notify_all()


class _Connection:
    """One to the loopback, opened when it is needed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    async def exchange(self, octets: bytes) -> tuple[int, bytes]:
        """Status and content of the answer. Raises ValueError for what is none, and `NotTaken`."""
        fresh, received = self._socket is None, b""
        try:
            await self._send(octets)
            received = await self._more(received)
        except ConnectionResetError as error:
            raise NotTaken(*error.args) if fresh else error from None
        while not (separated := received.partition(b"\r\n\r\n"))[1]:
            received += await self._more(received)
        head, content = (separated[0] + b"\r\n").lower(), separated[2]
        length = _LENGTH.search(head)
        if not head.startswith(b"http/1.1 ") or length is None:
            raise ValueError(f"no answer with a length: {head!r}")
        while len(content) < int(length[1]):
            content += await self._more(content)
        if b"\r\nconnection: close\r\n" in head:
            self.close()
        return int(head[9:12]), content

    async def _send(self, octets: bytes) -> None:
        loop = asyncio.get_running_loop()
        if self._socket is None:
            self._socket = socket.socket()
            self._socket.setblocking(False)
            await loop.sock_connect(self._socket, ("127.0.0.1", self._port))
        await loop.sock_sendall(self._socket, octets)

    async def _more(self, received: bytes) -> bytes:
        assert self._socket is not None
        more = await asyncio.get_running_loop().sock_recv(self._socket, 65536)
        if not more:
            raise ConnectionError(f"the connection ended after {received!r}")
        return more

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


@contextmanager
def checked_load(port: int, method: str, accepts: Callable[[Any], bool], connections: int = 0) -> Iterator[CheckedLoad]:
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
def checked_gets(port: int, path: str, content: bytes, connections: int = 0) -> Iterator[CheckedLoad]:
    """Requests for a path for as long as the block lasts, each of which must get this content."""
    with _under(port, Load("GET", path, b"", _only(content)), connections) as load:
        yield load


@contextmanager
def checked_posts(port: int, path: str, content: bytes, connections: int = 0) -> Iterator[CheckedLoad]:
    """The same for what must not be repeated."""
    with _under(port, Load("POST", path, b"", _only(content)), connections) as load:
        yield load


def _only(content: bytes) -> Problem:
    return lambda status, found: "" if (status, found) == (200, content) else f"{status} {found[:200]!r}"


@contextmanager
def _under(port: int, what: Load, connections: int) -> Iterator[CheckedLoad]:
    load = CheckedLoad(port, what, connections or SIZE.connections)
    thread = threading.Thread(target=load.run)
    thread.start()
    try:
        yield load
    finally:
        load.stop()
        thread.join()
