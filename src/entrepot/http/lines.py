"""Streams of JSON items as lines of JSON.

Writers pull one item at a time, so a slow reader holds back the handler. Readers take bytes in any
chunks, hold one item at most, and that one bounded.

A stream that fails ends with its problem: a line whose first octets are those of `TRAILER`. An
item that happens to begin so is written after a space.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from entrepot.http.bodies import close
from entrepot.model.faults import TooLarge

TRAILER = b'{"entrepot:fault":'

Encode = Callable[[Any], bytes]
Problem = Callable[[Exception], bytes]
"""Writes the problem for whatever ended a stream."""


async def write_lines(items: AsyncIterator[Any], encode: Encode, problem: Problem) -> AsyncIterator[bytes]:
    """Each item as a line of JSON; a fault at the end as the trailer line."""
    try:
        async for item in items:
            line = encode(item)
            yield b" " + line + b"\n" if line.startswith(TRAILER) else line + b"\n"
    except Exception as error:
        yield TRAILER + problem(error) + b"}\n"
    finally:
        await close(items)


class LineDecoder:
    """Splits bytes into lines. LF and CR LF end one, and with `carriage_return` a CR alone does too."""

    def __init__(self, limit: int, *, carriage_return: bool = False) -> None:
        self._limit = limit
        self._carriage_return = carriage_return
        self._after_return = False
        self._held: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The lines that are complete now, without their ends. Raises `TooLarge`."""
        if self._carriage_return:
            chunk = self._unify(chunk)
        first, *others = chunk.split(b"\n")
        self._hold(first)
        for part in others:
            yield self.end()
            self._hold(part)

    def end(self) -> bytes:
        """What was read since the last line end; forgets it."""
        line = b"".join(self._held)
        self._held, self._size = [], 0
        return line

    def _unify(self, chunk: bytes) -> bytes:
        if self._after_return:
            # The CR that ended the last chunk was perhaps the first half of a CR LF.
            chunk = chunk.removeprefix(b"\n")
        self._after_return = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _hold(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._limit:
            raise TooLarge(f"an item of the stream is longer than {self._limit} bytes")
        if part:
            self._held.append(part)


async def read_lines(body: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    """The lines of JSON in a body, blank ones left out."""
    decoder = LineDecoder(limit)
    async for chunk in body:
        for line in decoder.feed(chunk):
            if line.strip():
                yield line
    rest = decoder.end()
    if rest.strip():
        yield rest
