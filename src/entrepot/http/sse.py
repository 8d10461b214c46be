"""Streams of items as server-sent events (WHATWG HTML, §9.2).

Writers pull one item at a time, so a slow reader holds back the handler. Readers take bytes in any
chunks, hold one item at most, and that one bounded. A stream that fails ends with the event `error`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from entrepot.http.bodies import close
from entrepot.http.lines import Encode, LineDecoder, Problem
from entrepot.model.faults import Malformed, TooLarge

ERROR_EVENT = "error"
HEARTBEAT = b":\n\n"


async def write_events(
    items: AsyncIterator[Any],
    encode: Encode,
    problem: Problem,
    identify: Callable[[Any], str | None] | None,
    heartbeat: float,
) -> AsyncIterator[bytes]:
    """Each item as an event, with an id where one is known, and a comment after `heartbeat` silent seconds."""
    pending: asyncio.Task[Any] | None = None
    try:
        while True:
            pending = asyncio.ensure_future(_next(items))
            while not (await asyncio.wait((pending,), timeout=heartbeat))[0]:
                yield HEARTBEAT
            item = pending.result()
            if item is _END:
                return
            yield event(encode(item), identify(item) if identify else None)
    except Exception as error:
        yield event(problem(error), name=ERROR_EVENT)
    finally:
        if pending is not None and not pending.done():
            pending.cancel()
            await asyncio.wait((pending,))
        await close(items)


def event(data: bytes, id: str | None = None, name: str = "") -> bytes:
    """One server-sent event. JSON holds no line breaks, so its data is one line."""
    head = f"id: {id}\n" if id and not _breaks_line(id) else ""
    kind = f"event: {name}\n" if name else ""
    return f"{head}{kind}data: ".encode() + data + b"\n\n"


_END = object()


async def _next(items: AsyncIterator[Any]) -> Any:
    return await anext(items, _END)


def _breaks_line(text: str) -> bool:
    return any(mark in text for mark in "\r\n\0")


async def read_events(body: AsyncIterator[bytes], limit: int) -> AsyncIterator[tuple[str, bytes]]:
    """The name and data of each event that has data. An event cut off at the end is dropped, as the standard says."""
    decoder = EventDecoder(limit)
    async for chunk in body:
        for found in decoder.feed(chunk):
            yield found


class EventDecoder:
    """Reads server-sent events from bytes in any chunks."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lines = LineDecoder(limit, carriage_return=True)
        self._name = ""
        self._data: list[bytes] = []
        self._size = 0
        self._first = True

    def feed(self, chunk: bytes) -> Iterator[tuple[str, bytes]]:
        """The events that are complete now. Raises `TooLarge`, and `Malformed` on an event name that is not UTF-8."""
        for line in self._lines.feed(chunk):
            if self._first:
                line = line.removeprefix(b"\xef\xbb\xbf")
                self._first = False
            if line:
                self._take(line)
            else:
                yield from self._dispatch()

    def _take(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._size += len(value) + 1
            if self._size > self._limit + 1:
                raise TooLarge(f"an event of the stream is longer than {self._limit} bytes")
            self._data.append(value)
        elif name == b"event":
            try:
                self._name = value.decode()
            except UnicodeDecodeError:
                raise Malformed("an event of the stream has a name that is not UTF-8") from None

    def _dispatch(self) -> Iterator[tuple[str, bytes]]:
        if self._data:
            yield self._name, b"\n".join(self._data)
        self._name, self._data, self._size = "", [], 0
