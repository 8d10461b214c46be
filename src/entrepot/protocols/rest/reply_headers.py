"""What is told of a reply beside its body: by headers, written by the server and read by the client."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC
from email.utils import format_datetime
from typing import Any

import msgspec

from entrepot.model import shape
from entrepot.model.call import Located, Meta, Reply
from entrepot.model.faults import TooLarge
from entrepot.model.headers import OF_THE_EDGE, Headers, header
from entrepot.model.operation import Operation
from entrepot.model.shape import Field, Record, Types
from entrepot.ports.exchange import Request
from entrepot.protocols.rest import etags, warnings
from entrepot.protocols.rest.binding.bound import Binding
from entrepot.protocols.rest.binding.places import style_of
from entrepot.protocols.rest.paging import TOTAL, Paging, is_paged
from entrepot.shapes import text
from entrepot.shapes.values import Values

VARY = (b"vary", b"accept")
"""What is answered depends on what is accepted."""
_FRAMING = frozenset(b"content-length content-type transfer-encoding connection keep-alive upgrade te trailer".split())
"""Headers that belong to this response alone; a reply's own are left out."""
OF_THE_MESSAGE = _FRAMING | {b"content-encoding", b"date", b"server", warnings.HEADER}
"""Headers that tell how an upstream's own message was sent; they are not passed on, whatever its contract says."""
_KEPT = frozenset((b"etag", b"location", b"last-modified", b"link", b"deprecation", b"sunset"))
"""Headers of an answer that mean something to whoever called."""
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BREAKS_LINE = re.compile(rb"[\r\n\0]")

Attribute = Callable[[Any], str | None]
"""The text of one field of a value; None when the field is absent or null."""


class ReplyHeaders:
    """Adds to the answers of one operation what follows from the output, and what the handler set itself."""

    def __init__(self, binding: Binding, values: Values, mount: str, *, negotiates: bool) -> None:
        operation, types = binding.operation, values.types
        self._operation = operation
        self._values = values
        self._version = None if operation.stream_output else attribute_with_role(operation.output, "version", types)
        self._location = _location(binding, types, mount)
        self._paging = Paging(binding) if is_paged(operation, types) else None
        self._lifetime = _lifetime(operation)
        self._caching = _caching(binding)
        self._varies = negotiates or bool(self._caching)
        self.derived = any((self._version, self._location, self._paging, self._lifetime, self._varies))
        """Whether there are headers without the handler's doing."""

    def add(self, headers: Headers, reply: Reply, request: Request, input: Any, *, versioned: bool) -> None:
        """What follows from the output comes before what the handler set; `input` is what the request gave.

        The output's version is that of the answer only where that is the output and nothing else (`versioned`).
        """
        output, warned = reply.output, reply.warnings
        headers += self._lifetime
        if versioned and self._version is not None and (version := self._version(output)) is not None:
            headers.append((b"etag", etags.write(version)))
        if self._location is not None and (location := self._location(output)) is not None:
            headers.append((b"location", location))
        if self._paging is not None:
            headers += [] if output.total is None else [(TOTAL, b"%d" % output.total)]
            try:
                headers += self._paging.links(request, input, output)
            except TooLarge as large:
                warned = (*warned, Located("", large))
        if reply.meta is not None:
            _add_own(headers, reply.meta, versioned=versioned)
        headers += self._caching if self._caching and header(headers, b"cache-control") is None else []
        if self._varies and VARY not in headers:
            headers.append(VARY)
        if warned:
            headers.append((warnings.HEADER, warnings.write(warned, self._operation, self._values)))


def passed_on(operation: Operation) -> frozenset[bytes]:
    """The headers of an answer that reach whoever called: those that mean something everywhere, and its contract's."""
    return _KEPT | {field.name.lower().encode() for field in operation.headers} - OF_THE_MESSAGE


def meta_of(headers: Headers, passed_on: frozenset[bytes]) -> Meta | None:
    """What an answer's headers tell whoever called."""
    kept = [pair for pair in headers if pair[0] in passed_on]
    return Meta(kept) if kept else None


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


def _location(binding: Binding, types: Types, mount: str) -> Callable[[Any], bytes | None] | None:
    template = binding.location
    if template is None:
        return None
    record = shape.unwrap(binding.operation.output, types)
    assert isinstance(record, Record)
    fields = {name: record.field(name) for name in template.variables}
    attributes = {name: _attribute(field, types) for name, field in fields.items() if field is not None}
    base = mount.rstrip("/")

    def write_location(output: Any) -> bytes | None:
        texts = {name: read_off(output) for name, read_off in attributes.items()}
        whole = {name: [found] for name, found in texts.items() if found}
        return f"{base}{template.expand(whole)}".encode() if len(whole) == len(texts) else None

    return write_location


def _lifetime(operation: Operation) -> Headers:
    """Since when it is deprecated (RFC 9745), and when it is expected to go (RFC 8594)."""
    headers: Headers = []
    if operation.deprecated_since is not None:
        headers.append((b"deprecation", b"@%d" % int(operation.deprecated_since.timestamp())))
    if operation.sunset is not None:
        moment = format_datetime(operation.sunset.astimezone(UTC), usegmt=True)
        headers.append((b"sunset", moment.encode()))
    return headers


def _caching(binding: Binding) -> Headers:
    """What caches may do where the handler says nothing of it."""
    said = checked_line(binding.cache_control.encode())
    return [(b"cache-control", said)] if said else []


def _add_own(headers: Headers, meta: Meta, *, versioned: bool) -> None:
    """Adds what the handler set itself; what follows from the contract goes before it."""
    computed = {name for name, _ in headers} | (_FRAMING if versioned else _FRAMING | {b"etag"})
    for name, value in meta.headers:
        if name not in computed and not name.startswith(OF_THE_EDGE):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} cannot be the name of a header")
            headers.append((name, checked_line(value)))
