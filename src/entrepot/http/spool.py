"""Octets on their way, kept where they can be read in any order and more than once."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator

_CHUNK_BYTES = 64 * 1024
_MEMORY_BYTES_MAX = 1024 * 1024


class Spool:
    """A file part on its way: in memory while small, in a temporary file when larger.

    It is closed when nothing refers to it any more: a stream that answers with the file may
    outlive the call.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES_MAX)  # noqa: SIM115
        self.size = 0

    async def write(self, data: bytes) -> None:
        """Adds to the end."""
        self.size += len(data)
        if self.size > _MEMORY_BYTES_MAX:
            await asyncio.to_thread(self._file.write, data)
        else:
            self._file.write(data)

    async def read(self, start: int, stop: int | None) -> AsyncIterator[bytes]:
        """The content between two offsets, in chunks."""
        end = self.size if stop is None else min(stop, self.size)
        while start < end:
            chunk = await asyncio.to_thread(self._read_at, start, min(_CHUNK_BYTES, end - start))
            start += len(chunk)
            yield chunk

    def _read_at(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(length)

    def __del__(self) -> None:
        self._file.close()
