"""Octets as they are: held in memory (raw), or a file that streams."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import msgspec

from entrepot.http.bodies import chunks_of, close, read_reply, refuse_announced
from entrepot.http.disposition import attachment, file_name
from entrepot.http.headers import HeaderMap, content_length
from entrepot.http.media_types import MediaTypes
from entrepot.model import shape
from entrepot.model.call import Context
from entrepot.model.fault import Issue
from entrepot.model.faults import Invalid, TooLarge, Unsupported
from entrepot.model.file import File
from entrepot.model.headers import Headers, header
from entrepot.ports.exchange import Body, Request, Response
from entrepot.protocols.rest import etags
from entrepot.protocols.rest.binding.bound import OCTETS, Binding, BoundField
from entrepot.protocols.rest.body.body import (
    EMPTY,
    NO_CONTENT,
    BodyReader,
    Content,
    ReadAnswer,
    WriteAnswer,
    WriteBody,
    content_of,
    fetched_whole,
    file_limit,
    refuse_media_type,
)
from entrepot.protocols.rest.parameters.parameter import parameter
from entrepot.shapes.values import Values

_ABSENT = "the request has no body"


def raw_reader(binding: Binding, values: Values) -> BodyReader:
    """Reads octets into memory; an empty body without a label leaves an optional field out."""
    [bound] = binding.at("body")
    part = shape.unwrap(bound.field.shape, values.types)
    fetch_whole = fetched_whole(MediaTypes(binding.accepts), values.limits.body_bytes_max)

    async def fetch(request: Request, headers: HeaderMap) -> bytes | None:
        body: bytes = await fetch_whole(request, headers)
        return None if not body and _is_optional(bound) and b"content-type" not in headers else body

    return BodyReader(fetch, parameter(bound, lambda content: checked_octets(content, part, values), _ABSENT).take)


def raw_writer(binding: Binding, _values: Values) -> WriteBody:
    """Writes octets; where they are absent or null, nothing."""
    attribute, media_type = binding.at("body")[0].field.attribute, binding.accepts[0].encode()

    def write_raw(input: Any, _stream: AsyncIterator[Any] | None) -> Content:
        value = getattr(input, attribute)
        return EMPTY if value is None or value is msgspec.UNSET else content_of(value, media_type)

    return write_raw


def file_reader(binding: Binding, values: Values) -> BodyReader:
    """Reads a file, which streams while the operation runs."""
    [bound] = binding.at("body")
    media_types, limit = MediaTypes(binding.accepts), file_limit(bound.field, values)

    async def fetch(request: Request, headers: HeaderMap) -> File | None:
        refuse_media_type(media_types, headers)
        refuse_announced(headers.get(b"content-length"), limit)
        if b"content-type" not in headers:
            if _is_optional(bound) or not _announces_body(headers):
                return None
            if not media_types.includes(OCTETS.encode()):
                raise Unsupported(
                    f"the body has no Content-Type; this operation takes {', '.join(media_types.media_types)}"
                )
        return file_of(request.headers, request.body, limit)

    return BodyReader(fetch, parameter(bound, lambda file: file, _ABSENT).take)


def file_writer(binding: Binding, _values: Values) -> WriteBody:
    """Writes a file as it streams; where it is absent or null, nothing."""
    attribute = binding.at("body")[0].field.attribute

    def write_file(input: Any, _stream: AsyncIterator[Any] | None) -> Content:
        file = getattr(input, attribute)
        return EMPTY if file is None or file is msgspec.UNSET else Content(headers_of(file), file.open())

    return write_file


def raw_answer_writer(binding: Binding, _values: Values) -> WriteAnswer:
    """Writes octets as an answer; null is an answer without content."""
    content_type = (b"content-type", binding.produces[0].encode())

    def write_answer(output: bytes | None, _media_type: str, _context: Context) -> Response:
        if output is None:
            return Response(NO_CONTENT, [])
        return Response(binding.status, [(b"content-length", b"%d" % len(output)), content_type], output)

    return write_answer


def raw_answer_reader(_binding: Binding, values: Values, upstream: str) -> ReadAnswer:
    """Reads octets from an answer."""
    limit = values.limits.reply_bytes_max
    return lambda response: read_reply(response.body, limit, upstream)


def file_answer_writer(binding: Binding, _values: Values) -> WriteAnswer:
    """Writes a file as an answer; null is an answer without content."""

    in_parts = [(b"accept-ranges", b"bytes")] if binding.method == "GET" and binding.status == 200 else []

    def write_answer(output: File | None, _media_type: str, _context: Context) -> Response:
        if output is None:
            return Response(NO_CONTENT, [])
        headers = headers_of(output)
        if output.size is not None:
            headers += in_parts
        return Response(binding.status, headers, output.open())

    return write_answer


def file_answer_reader(_binding: Binding, _values: Values, _upstream: str) -> ReadAnswer:
    """Reads a file from an answer, which streams while it is used."""

    async def read_answer(response: Response) -> File:
        return file_of(response.headers, response.body)

    return read_answer


def checked_octets(content: bytes, part: shape.Shape, values: Values) -> bytes:
    """Raises `Invalid` when the octets are not of their shape, which is no name and not nullable: too few, too many."""
    if not isinstance(part, shape.Raw) and not values.codec(part).accepts(content):
        raise Invalid(issues=(Issue("", "length", f"{len(content)} bytes are not what is taken here"),))
    return content


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

    def open(self, start: int, stop: int | None) -> AsyncIterator[bytes]:
        return _Passing(self._chunks(start, stop), self._body)

    async def _chunks(self, start: int, stop: int | None) -> AsyncGenerator[bytes, None]:
        if self._opened and not isinstance(self._body, bytes):
            raise ValueError("this file is on its way and can be read once; keep what is needed again")
        self._opened = True
        position = 0
        async for chunk in chunks_of(self._body):
            begin, end = start - position, None if stop is None else stop - position
            position += len(chunk)
            if self._limit is not None and position > self._limit:
                raise TooLarge(f"the file is longer than {self._limit} bytes")
            wanted = chunk[max(0, begin) : None if end is None else max(0, end)]
            if wanted:
                yield wanted


class _Passing:
    """A body's chunks as they pass by. Closing them closes the body, even if none was asked for."""

    def __init__(self, chunks: AsyncGenerator[bytes, None], body: Body) -> None:
        self._chunks = chunks
        self._body = body

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._chunks)
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """Nobody will ask for more."""
        await self._chunks.aclose()
        await close(self._body)


def _is_optional(bound: BoundField) -> bool:
    return bound.nullable or not bound.field.required


def _announces_body(headers: HeaderMap) -> bool:
    """Whether the headers say that there is a body (RFC 9112, §6)."""
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"
