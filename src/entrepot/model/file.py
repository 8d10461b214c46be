"""A file on its way through: streamed, never held whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import msgspec

from entrepot.model.faults import TooLarge

Opener = Callable[[int, int | None], AsyncIterator[bytes]]
"""Given a first and a last-plus-one offset (None: to the end), yields the bytes between them."""


class File(msgspec.Struct, kw_only=True):
    """A streamed file. What an upload can be read once; what a store keeps, many times."""

    opener: Opener
    name: str = ""
    media_type: str = "application/octet-stream"
    size: int | None = None
    """Octets, or None while unknown."""
    etag: str = ""

    def open(self, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """The content from `start` up to but not including `stop`, in chunks."""
        return self.opener(start, stop)

    async def read(self, limit: int) -> bytes:
        """The whole content. Raises `TooLarge` when it is longer than `limit` octets."""
        chunks: list[bytes] = []
        total = 0
        async for chunk in self.open():
            total += len(chunk)
            if total > limit:
                raise TooLarge(f"the file is longer than {limit} bytes")
            chunks.append(chunk)
        return b"".join(chunks)

    @classmethod
    def of(cls, content: bytes, *, name: str = "", media_type: str = "application/octet-stream") -> File:
        """A file whose content is already in memory."""

        async def opener(start: int, stop: int | None) -> AsyncIterator[bytes]:
            yield content[start:stop]

        return cls(opener=opener, name=name, media_type=media_type, size=len(content))
