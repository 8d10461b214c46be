"""A reply as a response: the server's half of the codec, for what went well."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec

from entrepot.http.forms import format_pairs, parse_pairs
from entrepot.http.lines import write_lines
from entrepot.http.sse import write_events
from entrepot.kit.limits import Limits
from entrepot.model import shape
from entrepot.model.call import Context, Meta, Reply
from entrepot.model.fault import Fault
from entrepot.model.file import File
from entrepot.model.headers import Headers
from entrepot.model.operation import Operation
from entrepot.model.shape import Field, Record, Types
from entrepot.ports.exchange import Request, Response
from entrepot.ports.faults import members_of, unforeseen
from entrepot.protocols.rest import etags, faults, warnings
from entrepot.protocols.rest.binding.bound import EVENT_STREAM, Binding
from entrepot.protocols.rest.binding.places import is_octets, style_of
from entrepot.protocols.rest.body.octets import headers_of
from entrepot.shapes import text
from entrepot.shapes.values import Values

_FRAMING = frozenset(b"content-length content-type transfer-encoding connection keep-alive upgrade te trailer".split())
"""Headers that belong to this response alone; a reply's own are left out."""
_UNCACHED: Headers = [(b"cache-control", b"no-cache"), (b"vary", b"accept")]
_BREAKS_LINE = re.compile(rb"[\r\n\0]")

Attribute = Callable[[Any], str | None]
"""The text of one field of a value; None when the field is absent or null."""


class OutputWriter:
    """Writes the replies of one operation. Raises whatever encoding a wrong output raises."""

    def __init__(
        self, operation: Operation, binding: Binding, values: Values, types: Types, limits: Limits, mount: str,
        heartbeat: float,
    ) -> None:  # fmt: skip
        self._operation = operation
        self._binding = binding
        self._values = values
        self._limits = limits
        self._heartbeat = heartbeat
        self._write = self._body_writer(types)
        self._version = None if operation.stream_output else attribute_with_role(operation.output, "version", types)
        self._location = _location(operation, binding, types, mount)
        self._cursor = _cursor_name(operation, binding, types)
        self._derives = any(each is not None for each in (self._version, self._location, self._cursor))

    def write(self, reply: Reply, request: Request, media_type: str, context: Context) -> Response:
        """The response to a reply without a fault."""
        response = self._write(reply.output, media_type, context)
        if self._derives or reply.meta is not None or reply.warnings:
            self._add_headers(response.headers, reply, request)
        return response

    def _add_headers(self, headers: Headers, reply: Reply, request: Request) -> None:
        """What follows from the output comes before what the handler set."""
        output = reply.output
        if self._version is not None and (version := self._version(output)) is not None:
            headers.append((b"etag", etags.write(version)))
        if self._location is not None and (location := self._location(output)) is not None:
            headers.append((b"location", location))
        if self._cursor is not None and output.next is not None:
            headers.append((b"link", _next_link(request, self._cursor, output.next)))
        if reply.meta is not None:
            _add_own(headers, reply.meta)
        if reply.warnings:
            headers.append((warnings.HEADER, warnings.write(reply.warnings, self._operation, self._values)))

    def _body_writer(self, types: Types) -> Callable[[Any, str, Context], Response]:
        output = shape.resolve(self._operation.output, types)
        if self._operation.stream_output:
            return self._stream_writer()
        if isinstance(output, shape.Null):
            return self._nothing
        if not is_octets(output, types):
            return self._json_writer()
        return self._file if isinstance(shape.unwrap(output, types), shape.File) else self._octets

    def _json_writer(self) -> Callable[[Any, str, Context], Response]:
        encode, status = self._values.codec(self._operation.output).encode, self._binding.status
        content_type = (b"content-type", self._binding.produces[0].encode())

        def write_json(output: Any, _media_type: str, _context: Context) -> Response:
            body = encode(output)
            return Response(status, [(b"content-length", b"%d" % len(body)), content_type], body)

        return write_json

    def _nothing(self, _output: None, _media_type: str, _context: Context) -> Response:
        if self._binding.status == 204:
            return Response(204, [])
        return Response(self._binding.status, [(b"content-length", b"0")])

    def _octets(self, output: bytes | None, _media_type: str, _context: Context) -> Response:
        if output is None:
            return Response(204, [])
        content_type = (b"content-type", self._binding.produces[0].encode())
        return Response(self._binding.status, [(b"content-length", b"%d" % len(output)), content_type], output)

    def _file(self, output: File | None, _media_type: str, _context: Context) -> Response:
        if output is None:
            return Response(204, [])
        return Response(self._binding.status, headers_of(output), output.open())

    def _stream_writer(self) -> Callable[[Any, str, Context], Response]:
        encode = self._values.codec(self._operation.output).encode
        status, heartbeat = self._binding.status, self._heartbeat
        identify = attribute_with_role(self._operation.output, "cursor", self._values.types)

        def write_stream(output: AsyncIterator[Any], media_type: str, context: Context) -> Response:
            def problem(error: Exception) -> bytes:
                return self.problem(error, context)

            if media_type == EVENT_STREAM:
                body = write_events(output, encode, problem, identify, heartbeat)
            else:
                body = write_lines(output, encode, problem)
            return Response(status, [(b"content-type", media_type.encode()), *_UNCACHED], body)

        return write_stream

    def problem(self, error: Exception, context: Context) -> bytes:
        """The problem that ends a stream."""
        fault = error if isinstance(error, Fault) else unforeseen(error, self._operation.name, context)
        return faults.written(members_of(fault, context.trace_id, self._operation, self._values, self._limits))


def checked_line(value: bytes) -> bytes:
    """A header's value, or ValueError when it would break out of its line."""
    if _BREAKS_LINE.search(value):
        raise ValueError("a header's value holds a line break")
    return value


def attribute_with_role(output: shape.Shape, role: str, types: Types) -> Attribute | None:
    """Reads the field with this role off a value; None when the shape has none that text can say."""
    record = shape.unwrap(output, types)
    field = record.with_role(role) if isinstance(record, Record) else None
    return None if field is None or style_of(field.shape, types) != "scalar" else _attribute(field, types)


def _attribute(field: Field, types: Types) -> Attribute:
    name, write = field.attribute, text.writer(shape.unwrap(field.shape, types), types)

    def read_off(value: Any) -> str | None:
        found = getattr(value, name, None)
        return None if found is None or found is msgspec.UNSET else write(found)

    return read_off


def _location(operation: Operation, binding: Binding, types: Types, mount: str) -> Callable[[Any], bytes | None] | None:
    template = binding.location
    if template is None:
        return None
    record = shape.unwrap(operation.output, types)
    assert isinstance(record, Record)
    fields = {name: record.field(name) for name in template.variables}
    attributes = {name: _attribute(field, types) for name, field in fields.items() if field is not None}
    base = mount.rstrip("/")

    def write_location(output: Any) -> bytes | None:
        texts = {name: read_off(output) for name, read_off in attributes.items()}
        whole = {name: [found] for name, found in texts.items() if found}
        return f"{base}{template.expand(whole)}".encode() if len(whole) == len(texts) else None

    return write_location


def _cursor_name(operation: Operation, binding: Binding, types: Types) -> str | None:
    """The query parameter that asks for the next page."""
    if operation.stream_output or not isinstance(shape.resolve(operation.output, types), shape.Page):
        return None
    return next((p.name for p in binding.at("query") if p.field.role == "cursor"), None)


def _next_link(request: Request, name: str, cursor: str) -> bytes:
    """The Link header of the next page (RFC 8288)."""
    pairs = [(key, value) for key, found in parse_pairs(request.query).items() if key != name for value in found]
    path = request.path.replace(b">", b"%3E")
    return b'<%s?%s>; rel="next"' % (path, format_pairs([*pairs, (name, cursor)]))


def _add_own(headers: Headers, meta: Meta) -> None:
    """Adds what the handler set itself; what follows from the contract goes before it."""
    computed = {name for name, _ in headers} | _FRAMING
    for name, value in meta.headers:
        if name not in computed:
            headers.append((checked_line(name), checked_line(value)))
