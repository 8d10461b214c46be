"""The input of a call as a request: the client's half of the codec."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from entrepot.http.forms import format_pairs
from entrepot.http.multipart import Part, new_boundary, write_multipart
from entrepot.kit.pointers import escape
from entrepot.model import shape
from entrepot.model.fault import Issue
from entrepot.model.faults import Invalid
from entrepot.model.file import File
from entrepot.model.headers import Headers
from entrepot.model.operation import Operation
from entrepot.model.shape import Types
from entrepot.ports.exchange import Body
from entrepot.protocols.rest.binding.bound import MULTIPART, URLENCODED, Binding, BoundField, Where
from entrepot.protocols.rest.binding.places import is_upload
from entrepot.protocols.rest.body.json import body_record
from entrepot.protocols.rest.body.octets import headers_of
from entrepot.protocols.rest.parameters.text import Pairs, pair_writer
from entrepot.shapes.values import Codec, Values

_COOKIE_SAFE = "!#$&'()*+-./:<=>?@[]^_`{|}~"
"""What a cookie's value may hold unescaped (RFC 6265, §4.1.1), but for the percent sign."""


class Written(NamedTuple):
    """The parts of a request that follow from the input."""

    path: bytes
    query: bytes
    headers: Headers
    body: Body


class Content(NamedTuple):
    """A body and the headers that describe it."""

    headers: Headers
    body: Body


_EMPTY = Content([], b"")

WritePairs = Callable[[Any], Pairs]
WriteBody = Callable[[Any, AsyncIterator[Any] | None], Content]


class InputWriter:
    """Writes the input of one operation."""

    def __init__(self, operation: Operation, binding: Binding, values: Values, types: Types, base_path: str) -> None:
        self._base_path = base_path.rstrip("/")
        self._path = binding.path
        self._parameters: dict[Where, list[tuple[BoundField, WritePairs]]] = {
            where: [(bound, pair_writer(bound, types, values)) for bound in binding.at(where)] for where in _TEXT_PLACES
        }
        self._write_body = _body_writer(operation, binding, values, types)

    def write(self, input: Any, stream: AsyncIterator[Any] | None) -> Written:
        """The request's parts. Raises `Invalid` for values that their place cannot hold."""
        issues: list[Issue] = []
        path: dict[str, list[str]] = {}
        for name, text in self._pairs("path", input, issues):
            path.setdefault(name, []).append(text or "")
        query = format_pairs(self._pairs("query", input, issues))
        headers = [
            (name.lower().encode(), (text or "").encode()) for name, text in self._pairs("header", input, issues)
        ]
        cookies = [
            f"{name}={quote(text or '', safe=_COOKIE_SAFE)}" for name, text in self._pairs("cookie", input, issues)
        ]
        if issues:
            raise Invalid("the input cannot be written as an HTTP request", issues=tuple(issues))
        if cookies:
            headers.append((b"cookie", "; ".join(cookies).encode()))
        content = self._write_body(input, stream)
        location = self._base_path + self._path.expand(path)
        return Written(location.encode(), query, headers + content.headers, content.body)

    def _pairs(self, where: Where, input: Any, issues: list[Issue]) -> Pairs:
        return _pairs(self._parameters[where], input, issues)


_TEXT_PLACES: tuple[Where, ...] = ("path", "query", "header", "cookie")


def _pairs(parameters: list[tuple[BoundField, WritePairs]], input: Any, issues: list[Issue]) -> Pairs:
    """Names and texts of what is not absent."""
    pairs: Pairs = []
    for bound, write in parameters:
        value = getattr(input, bound.field.attribute)
        if value is msgspec.UNSET:
            continue
        try:
            pairs.extend(write(value))
        except ValueError as error:
            issues.append(Issue(f"/{escape(bound.field.name)}", "encoding", str(error)))
    return pairs


def _body_writer(operation: Operation, binding: Binding, values: Values, types: Types) -> WriteBody:
    fields = binding.at("body", "form")
    media_type = binding.accepts[0].encode() if binding.accepts else b""
    match binding.body:
        case "stream":
            assert operation.stream_input is not None
            return _stream_writer(values.codec(operation.stream_input), media_type)
        case "form":
            return _form_writer(binding, fields, values, types)
        case "file" | "raw":
            return _octets_writer(fields[0], media_type)
        case "value":
            return _value_writer(fields[0], values, media_type)
        case "object" if fields:
            return _object_writer(operation, fields, values, media_type)
        case _:
            return lambda _input, _stream: _EMPTY


def _content(body: bytes, media_type: bytes) -> Content:
    return Content([(b"content-length", b"%d" % len(body)), (b"content-type", media_type)], body)


def _object_writer(
    operation: Operation, fields: tuple[BoundField, ...], values: Values, media_type: bytes
) -> WriteBody:
    codec = values.codec(body_record(operation, fields))
    encode = codec.encode
    if codec.shape == operation.input:
        return lambda input, _stream: _content(encode(input), media_type)
    make = codec.type
    attributes = [bound.field.attribute for bound in fields]

    def write_object(input: Any, _stream: AsyncIterator[Any] | None) -> Content:
        body = make(**{attribute: getattr(input, attribute) for attribute in attributes})
        return _content(encode(body), media_type)

    return write_object


def _value_writer(bound: BoundField, values: Values, media_type: bytes) -> WriteBody:
    encode, attribute = values.codec(bound.field.shape).encode, bound.field.attribute

    def write_value(input: Any, _stream: AsyncIterator[Any] | None) -> Content:
        value = getattr(input, attribute)
        return _EMPTY if value is msgspec.UNSET else _content(encode(value), media_type)

    return write_value


def _octets_writer(bound: BoundField, media_type: bytes) -> WriteBody:
    attribute = bound.field.attribute

    def write_octets(input: Any, _stream: AsyncIterator[Any] | None) -> Content:
        value = getattr(input, attribute)
        if value is None or value is msgspec.UNSET:
            return _EMPTY
        return Content(headers_of(value), value.open()) if isinstance(value, File) else _content(value, media_type)

    return write_octets


def _stream_writer(codec: Codec, media_type: bytes) -> WriteBody:
    encode = codec.encode

    async def lines(stream: AsyncIterator[Any]) -> AsyncIterator[bytes]:
        async for item in stream:
            yield encode(item) + b"\n"

    def write_stream(_input: Any, stream: AsyncIterator[Any] | None) -> Content:
        return Content([(b"content-type", media_type)], b"" if stream is None else lines(stream))

    return write_stream


def _form_writer(binding: Binding, fields: tuple[BoundField, ...], values: Values, types: Types) -> WriteBody:
    if binding.accepts[0] == URLENCODED:
        return _urlencoded_writer([(bound, pair_writer(bound, types, values)) for bound in fields])
    writers = [(bound, _part_writer(bound, values, types)) for bound in fields]

    def write_multipart_form(input: Any, _stream: AsyncIterator[Any] | None) -> Content:
        boundary = new_boundary()
        parts: list[Part | tuple[str, File]] = []
        for bound, write in writers:
            value = getattr(input, bound.field.attribute)
            if value is not msgspec.UNSET:
                parts.extend(write(value))
        content_type = f"{MULTIPART}; boundary={boundary}".encode()
        return Content([(b"content-type", content_type)], write_multipart(parts, boundary))

    return write_multipart_form


def _urlencoded_writer(parameters: list[tuple[BoundField, WritePairs]]) -> WriteBody:
    def write_urlencoded(input: Any, _stream: AsyncIterator[Any] | None) -> Content:
        issues: list[Issue] = []
        body = format_pairs(_pairs(parameters, input, issues))
        if issues:
            raise Invalid("the input cannot be written as a form", issues=tuple(issues))
        return _content(body, URLENCODED.encode())

    return write_urlencoded


def _part_writer(bound: BoundField, values: Values, types: Types) -> Callable[[Any], list[Part | tuple[str, File]]]:
    part, name = bound.field.shape, bound.name
    if isinstance(shape.resolve(part, types), shape.List) and is_upload(part, types):
        return lambda files: [(name, file) for file in files]
    if isinstance(shape.unwrap(part, types), shape.File):
        return lambda file: [] if file is None else [(name, file)]
    if is_upload(part, types):
        inner = shape.unwrap(part, types)
        media_type = inner.media_type if isinstance(inner, shape.Raw) else "application/octet-stream"
        return lambda octets: [] if octets is None else [Part(name, name, media_type, bytearray(octets))]
    encode = values.codec(part).encode
    write = pair_writer(bound, types, values)

    def write_parts(value: Any) -> list[Part | tuple[str, File]]:
        if bound.style == "json" or value is None or value == []:
            return [Part(name, media_type="application/json", content=bytearray(encode(value)))]
        return [Part(key, content=bytearray((text or "").encode())) for key, text in write(value)]

    return write_parts
