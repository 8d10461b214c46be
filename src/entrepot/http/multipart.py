"""Multipart forms (RFC 7578), read as they come.

Text parts are held in memory, all together within one bound; files are kept in temporary files,
each within another, so that they can be read in any order and more than once.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from entrepot.http.disposition import escape, unescape
from entrepot.http.forms import PAIRS_MAX
from entrepot.http.spool import Spool
from entrepot.kit.limits import Limits
from entrepot.model.faults import Malformed, TooLarge
from entrepot.model.file import File
from entrepot.model.headers import Headers

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_HEADER_BYTES_MAX = 8 * 1024


class Part(msgspec.Struct):
    """One part of a multipart form; a file's content is in its spool."""

    name: str = ""
    file_name: str = ""
    media_type: str = ""
    content: bytearray = msgspec.field(default_factory=bytearray)
    spool: Spool | None = None
    headers: dict[bytes, bytes] = {}
    """All that came, by their names in lower case."""

    def file(self) -> File:
        """The part as a file."""
        media_type = self.media_type or "application/octet-stream"
        if self.spool is None:
            return File.of(bytes(self.content), name=self.file_name, media_type=media_type)
        return File(opener=self.spool.read, name=self.file_name, media_type=media_type, size=self.spool.size)


async def read_multipart(
    body: AsyncIterator[bytes], content_type: bytes, uploads: Mapping[str, int], limits: Limits
) -> list[Part]:
    """The parts of a form; those named in `uploads` are files, each of at most so many octets.

    Raises `Malformed` or `TooLarge`.
    """
    media_type, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise Malformed("the Content-Type of the form names no boundary")
    reader = _MultipartReader(boundary, uploads, limits, is_form=media_type.lower() == b"multipart/form-data")
    async for chunk in body:
        await reader.feed(chunk)
    return reader.end()


class _MultipartReader:
    """Collects what the parser calls back, and writes files between two chunks."""

    def __init__(self, boundary: bytes, uploads: Mapping[str, int], limits: Limits, *, is_form: bool) -> None:
        self._is_form = is_form
        self._uploads = uploads
        self._limits = limits
        self._memory = 0
        self._ended = False
        self._epilogue = 0
        self._parts: list[Part] = []
        self._headers: dict[bytes, bytes] = {}
        self._field = b""
        self._value = b""
        self._pending: list[tuple[Part, bytes]] = []
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._begin_part,
            "on_part_data": self._take_data,
            "on_header_field": self._take_header_field,
            "on_header_value": self._take_header_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_end": self._end,
        }
        try:
            self._parser = MultipartParser(boundary, callbacks, max_header_size=_HEADER_BYTES_MAX)
        except FormParserError:
            raise Malformed("the boundary of the form is too long") from None

    async def feed(self, chunk: bytes) -> None:
        if self._ended:
            self._refuse_epilogue(chunk)
            return
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise Malformed(f"the form is not well-formed: {error}") from None
        for part, data in self._pending:
            await self._store(part, data)
        self._pending.clear()

    def _refuse_epilogue(self, chunk: bytes) -> None:
        self._epilogue += len(chunk)
        if self._epilogue > _HEADER_BYTES_MAX:
            raise TooLarge(f"the form goes on for more than {_HEADER_BYTES_MAX} bytes after its end")

    def end(self) -> list[Part]:
        if not self._ended:
            raise Malformed("the form ends before its last boundary")
        return self._parts

    async def _store(self, part: Part, data: bytes) -> None:
        if part.spool is None:
            self._memory += len(data)
            if self._memory > self._limits.body_bytes_max:
                raise TooLarge(f"the fields of the form are longer than {self._limits.body_bytes_max} bytes")
            part.content += data
        else:
            await part.spool.write(data)
            if part.spool.size > self._uploads[part.name]:
                raise TooLarge(f"the file {part.name} is longer than {self._uploads[part.name]} bytes")

    def _begin_part(self) -> None:
        if len(self._parts) == PAIRS_MAX:
            raise TooLarge(f"the form has more than {PAIRS_MAX} parts")
        self._parts.append(Part())
        self._headers = {}

    def _take_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _take_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._field.lower()] = self._value
        self._field = self._value = b""

    def _end_headers(self) -> None:
        part = self._parts[-1]
        disposition, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if (self._is_form and disposition != b"form-data") or b"name" not in options:
            raise Malformed("a part of the form has no name (Content-Disposition: form-data; name=…)")
        part.name = unescape(options[b"name"])
        part.headers = self._headers
        part.file_name = unescape(options.get(b"filename", b""))
        part.media_type = self._headers.get(b"content-type", b"").decode("latin-1").strip()
        if part.name in self._uploads:
            part.spool = Spool()

    def _take_data(self, data: bytes, start: int, end: int) -> None:
        self._pending.append((self._parts[-1], data[start:end]))

    def _end(self) -> None:
        self._ended = True


async def write_multipart(
    parts: Iterable[Part | tuple[str, File]], boundary: str, headers: Mapping[str, Headers] = {}
) -> AsyncIterator[bytes]:
    """A form's octets: parts held in memory, and files streamed under their names; `headers` are more, by part."""
    for part in parts:
        yield _head(part, boundary, headers)
        if isinstance(part, Part):
            yield bytes(part.content)
        else:
            async for chunk in part[1].open():
                yield chunk
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def new_boundary() -> str:
    """A boundary that no content holds, but by an accident of one in 2^128."""
    return f"entrepot-{secrets.token_hex(16)}"


def _head(part: Part | tuple[str, File], boundary: str, headers: Mapping[str, Headers]) -> bytes:
    if isinstance(part, Part):
        name, file_name, media_type = part.name, part.file_name, part.media_type
    else:
        name, file_name, media_type = part[0], part[1].name or "file", part[1].media_type
    lines = [f"--{boundary}", f'Content-Disposition: form-data; name="{escape(name)}"']
    if file_name:
        lines[1] += f'; filename="{escape(file_name)}"'
    if media_type:
        lines.append(f"Content-Type: {media_type}")
    more = b"".join(b"%s: %s\r\n" % line for line in headers.get(name, ()))
    return "\r\n".join([*lines, ""]).encode() + more + b"\r\n"
