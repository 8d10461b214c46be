"""A message's body as a streamed file, and what its headers tell of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from entrepot.http.bodies import chunks_of, close
from entrepot.http.disposition import attachment, file_name
from entrepot.http.headers import content_length
from entrepot.model.faults import TooLarge
from entrepot.model.file import File
from entrepot.model.headers import Headers, header
from entrepot.ports.exchange import Body
from entrepot.protocols.rest import etags
from entrepot.protocols.rest.binding.bound import OCTETS


def file_of(headers: Headers, body: Body, limit: int | None = None) -> File:
    """The body as a file that can be read once; reading it raises `TooLarge` beyond `limit` octets."""
    return File(
        opener=_Once(body, limit).open,
        name=file_name(header(headers, b"content-disposition") or b""),
        media_type=(header(headers, b"content-type") or OCTETS.encode()).decode("latin-1"),
        size=content_length(header(headers, b"content-length") or b""),
        etag=etags.opaque(header(headers, b"etag") or b""),
    )


def headers_of(file: File) -> Headers:
    """The headers that describe a file as a body. Raises ValueError when one would break out of its line."""
    headers: Headers = [] if file.size is None else [(b"content-length", b"%d" % file.size)]
    media_type = file.media_type.encode()
    if any(mark in media_type for mark in b"\r\n\0"):
        raise ValueError(f"the media type {file.media_type!r} holds a line break")
    headers.append((b"content-type", media_type))
    if file.name:
        headers.append((b"content-disposition", attachment(file.name)))
    if file.etag:
        headers.append((b"etag", etags.write(file.etag)))
    return headers


class _Once:
    """Opens a body that passes by one time."""

    def __init__(self, body: Body, limit: int | None) -> None:
        self._body = body
        self._limit = limit
        self._opened = False

    async def open(self, start: int, stop: int | None) -> AsyncIterator[bytes]:
        if self._opened and not isinstance(self._body, bytes):
            raise ValueError("this file is on its way and can be read once; keep what is needed again")
        self._opened = True
        position = 0
        try:
            async for chunk in chunks_of(self._body):
                begin, end = start - position, None if stop is None else stop - position
                position += len(chunk)
                if self._limit is not None and position > self._limit:
                    raise TooLarge(f"the file is longer than {self._limit} bytes")
                wanted = chunk[max(0, begin) : None if end is None else max(0, end)]
                if wanted:
                    yield wanted
        finally:
            if not isinstance(self._body, bytes):
                await close(self._body)
