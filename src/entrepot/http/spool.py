"""Octets on their way, kept where they can be read in any order and more than once."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_CHUNK_BYTES = 64 * 1024
_MEMORY_BYTES_MAX = 1024 * 1024


class Spool:
    """In memory while small, in a temporary file when longer than `memory_max` octets.

    It is closed when nothing refers to it any more: a stream that answers with the file may
    outlive the call.
    """

    def __init__(self, memory_max: int = _MEMORY_BYTES_MAX) -> None:
        self._memory_max = memory_max
        self._file = tempfile.SpooledTemporaryFile(max_size=memory_max)  # noqa: SIM115
        self._reading = threading.Lock()
        self.size = 0

    async def write(self, data: bytes) -> None:
        """Adds to the end."""
        self.size += len(data)
        await self._do(self._file.write, data)

    async def read(self, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """The content between two offsets, in chunks."""
        end = self.size if stop is None else min(stop, self.size)
        while start < end:
            chunk = await self._do(self._read_at, start, min(_CHUNK_BYTES, end - start))
            start += len(chunk)
            yield chunk

    async def _do(self, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """In a thread, where it is work with a disk."""
        return await asyncio.to_thread(work, *args, **named) if self.size > self._memory_max else work(*args, **named)

    def _read_at(self, offset: int, length: int) -> bytes:
        with self._reading:
            self._file.seek(offset)
            return self._file.read(length)

    def __del__(self) -> None:
        self._file.close()
