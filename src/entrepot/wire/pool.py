"""A bounded pool of keep-alive connections to one address.

The last one freed is used first, so that the others grow idle and are closed. Whoever waits is
served in order: a freed connection, or the room that a lost one leaves, is handed to the first.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable

from entrepot.model.faults import Timeout, Unavailable, UpstreamFailed
from entrepot.wire.connection import Connection

Dial = Callable[[Callable[[], Connection]], Awaitable[tuple[asyncio.BaseTransport, Connection]]]
"""Opens a connection with the protocol that the factory makes, as `loop.create_connection` does."""


class NotConnected(UpstreamFailed):
    """No connection could be opened, so nothing was sent."""


class Pool:
    """Connections opened by `dial`: at most `connections_max`, with at most `waiting_max` calls in the queue.

    `connect_timeout` and `idle_timeout` are in seconds.
    """

    def __init__(
        self, dial: Dial, *, connections_max: int, waiting_max: int, connect_timeout: float, idle_timeout: float
    ) -> None:
        self._dial = dial
        self._connections_max = connections_max
        self._waiting_max = waiting_max
        self._connect_timeout = connect_timeout
        self._idle_timeout = idle_timeout
        self._connections: set[Connection] = set()
        self._opening = 0
        self._idle: deque[Connection] = deque()
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._reaper: asyncio.TimerHandle | None = None
        self._closed = False

    def idle(self) -> Connection | None:
        """A connection that is open and free, now the caller's."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
        return None

    async def obtain(self, deadline: float | None, *, fresh: bool = False) -> Connection:
        """A connection, opened or waited for; a `fresh` one has served nobody yet, if there is room.

        Raises `NotConnected` when none can be opened, `Timeout` when the deadline (monotonic
        seconds) passes first, `Unavailable` when the queue is full or the pool is closed.
        """
        if self._closed:
            raise Unavailable("the client has been closed")
        if self._is_full() and fresh and self._idle:
            evicted = self._idle.popleft()
            self._connections.discard(evicted)
            evicted.abort()
        if self._is_full():
            connection = await self._wait(deadline)
            if connection is not None:
                return connection
        else:
            self._opening += 1
        return await self._open(deadline)

    def released(self, connection: Connection) -> None:
        """The connection is free again."""
        if self._closed:
            connection.abort()
        elif not self._hand_over(connection):
            connection.idle_since = time.monotonic()
            self._idle.append(connection)
            if self._reaper is None:
                self._reaper = asyncio.get_running_loop().call_later(self._idle_timeout, self._reap)

    def lost(self, connection: Connection) -> None:
        """The connection has ended."""
        if connection in self._idle:
            self._idle.remove(connection)
        self._connections.discard(connection)
        self._offer_room()

    async def close(self) -> None:
        """Drop every connection; what is in progress or waiting fails. The pool stays closed."""
        self._closed = True
        if self._reaper is not None:
            self._reaper.cancel()
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(Unavailable("the client has been closed"))
        connections = list(self._connections)
        for connection in connections:
            connection.abort()
        await asyncio.gather(*(connection.closed for connection in connections))

    def _is_full(self) -> bool:
        return len(self._connections) + self._opening >= self._connections_max

    async def _open(self, deadline: float | None) -> Connection:
        """Open a connection in a place that is already counted in `_opening`."""
        remaining = _seconds_until(deadline)
        try:
            async with asyncio.timeout(min(self._connect_timeout, remaining)):
                _, connection = await self._dial(lambda: Connection(self))
        except TimeoutError:
            if remaining < self._connect_timeout:
                raise Timeout("the deadline passed before a connection was open") from None
            raise NotConnected(f"no connection within {self._connect_timeout:g} s") from None
        except OSError as error:
            raise NotConnected(f"no connection: {error.strerror or error}") from None
        else:
            if self._closed:
                connection.abort()
                raise Unavailable("the client has been closed")
            self._connections.add(connection)
            return connection
        finally:
            self._opening -= 1
            self._offer_room()

    async def _wait(self, deadline: float | None) -> Connection | None:
        """A freed connection, or None: a place for one, counted in `_opening`."""
        if len(self._waiting) >= self._waiting_max:
            raise Unavailable(f"{self._waiting_max} requests are waiting for a connection already")
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(None if deadline is None else _seconds_until(deadline)):
                return await waiter
        except BaseException as error:
            self._decline(waiter)
            if isinstance(error, TimeoutError):
                raise Timeout("the deadline passed before a connection was free") from None
            raise

    def _decline(self, waiter: asyncio.Future[Connection | None]) -> None:
        """Leave the queue; what was handed over meanwhile goes to the next."""
        if waiter in self._waiting:
            self._waiting.remove(waiter)
        elif waiter.done() and not waiter.cancelled() and waiter.exception() is None:
            connection = waiter.result()
            if connection is not None:
                self.released(connection)
            else:
                self._opening -= 1
                self._offer_room()

    def _hand_over(self, connection: Connection | None) -> bool:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False

    def _offer_room(self) -> None:
        """Let the first in the queue open a connection, if there is a place for one."""
        if not self._is_full() and self._hand_over(None):
            self._opening += 1

    def _reap(self) -> None:
        """Close what has been idle for too long; look again when the next may be."""
        self._reaper = None
        now = time.monotonic()
        while self._idle and self._idle[0].idle_since + self._idle_timeout <= now:
            self._idle.popleft().abort()
        if self._idle:
            wait = self._idle[0].idle_since + self._idle_timeout - now
            self._reaper = asyncio.get_running_loop().call_later(wait, self._reap)


def _seconds_until(deadline: float | None) -> float:
    return math.inf if deadline is None else max(0.0, deadline - time.monotonic())
