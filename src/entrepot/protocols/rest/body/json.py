"""The body of a request as input fields: JSON, a form, octets, a file, a stream of lines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec

from entrepot.http.bodies import chunks_of, read
from entrepot.http.headers import HeaderMap
from entrepot.http.lines import read_lines
from entrepot.http.media_types import MediaTypes
from entrepot.kit.limits import Limits
from entrepot.kit.pointers import escape
from entrepot.model.fault import Fault, Issue
from entrepot.model.faults import Invalid, Malformed, Unsupported
from entrepot.model.operation import Operation
from entrepot.model.shape import Record, Types
from entrepot.ports.exchange import Request
from entrepot.protocols.rest.binding.bound import OCTETS, Binding, BoundField
from entrepot.protocols.rest.body.form import form_reader
from entrepot.protocols.rest.body.octets import file_of
from entrepot.protocols.rest.body.received import (
    NOTHING,
    Given,
    ReadBody,
    Received,
    announces_body,
    checked_octets,
    file_limit,
    leave_out,
    refuse_length,
    refuse_media_type,
)
from entrepot.protocols.rest.parameters.text import prefixed, renamed, wire_names
from entrepot.shapes.values import Codec, Values


def body_reader(
    operation: Operation, binding: Binding, values: Values, types: Types, limits: Limits
) -> ReadBody | None:
    """Reads the bodies of one operation; None when it takes none."""
    taken = MediaTypes(binding.accepts)
    fields = binding.at("body", "form")
    match binding.body:
        case "none":
            return None
        case "object":
            return _object_reader(operation, fields, taken, values, limits)
        case "value":
            return _value_reader(fields[0], taken, values, limits)
        case "raw":
            return _raw_reader(fields[0], taken, values, limits)
        case "file":
            return _file_reader(fields[0], taken, types, limits)
        case "form":
            return form_reader(operation, fields, taken, values, types, limits)
        case "stream":
            assert operation.stream_input is not None
            return _stream_reader(values.codec(operation.stream_input), taken, limits)


def body_record(operation: Operation, fields: Iterable[BoundField]) -> Record:
    """The record of the fields that share a JSON body, under their names on the wire."""
    renamed = tuple(
        msgspec.structs.replace(bound.field, name=bound.name, python=bound.field.attribute) for bound in fields
    )
    whole = renamed == operation.input.fields
    return operation.input if whole else msgspec.structs.replace(operation.input, fields=renamed)


def _object_reader(
    operation: Operation, fields: tuple[BoundField, ...], taken: MediaTypes, values: Values, limits: Limits
) -> ReadBody:
    codec = values.codec(body_record(operation, fields))
    whole = codec.shape == operation.input
    attributes = [bound.field.attribute for bound in fields]
    names = wire_names(fields)
    limit, usual = limits.body_bytes_max, taken.usual

    async def read_object(request: Request, known: HeaderMap, given: Given, issues: list[Issue]) -> Received:
        if known.get(b"content-type") not in usual or b"content-encoding" in known:
            refuse_media_type(taken, known)
        body = await read(request.body, limit, known.get(b"content-length"))
        try:
            value = codec.decode(body or b"{}")
        except Invalid as invalid:
            issues.extend(renamed(invalid.issues, names))
            return NOTHING
        except Malformed as malformed:
            malformed.issues = tuple(renamed(malformed.issues, names))
            raise
        if whole:
            return Received(value)
        for attribute in attributes:
            given[attribute] = getattr(value, attribute)
        return NOTHING

    return read_object


def _value_reader(bound: BoundField, taken: MediaTypes, values: Values, limits: Limits) -> ReadBody:
    field = bound.field
    decode = values.codec(field.shape).decode
    attribute, name, required, limit = field.attribute, field.name, field.required, limits.body_bytes_max
    usual = taken.usual

    async def read_value(request: Request, known: HeaderMap, given: Given, issues: list[Issue]) -> Received:
        if known.get(b"content-type") not in usual or b"content-encoding" in known:
            refuse_media_type(taken, known)
        body = await read(request.body, limit, known.get(b"content-length"))
        if body:
            try:
                given[attribute] = decode(body)
            except Invalid as invalid:
                issues.extend(prefixed(invalid.issues, name))
            except Malformed as malformed:
                malformed.issues = tuple(prefixed(malformed.issues, name))
                raise
        elif required:
            issues.append(Issue(f"/{escape(name)}", "missing", "the request has no body"))
        return NOTHING

    return read_value


def _raw_reader(bound: BoundField, taken: MediaTypes, values: Values, limits: Limits) -> ReadBody:
    field = bound.field
    codec = values.codec(field.shape)
    optional = bound.nullable or not field.required

    async def read_raw(request: Request, known: HeaderMap, given: Given, issues: list[Issue]) -> Received:
        refuse_media_type(taken, known)
        body = await read(request.body, limits.body_bytes_max, known.get(b"content-length"))
        if not body and optional and b"content-type" not in known:
            leave_out(bound, given, issues, "the request has no body")
            return NOTHING
        try:
            given[field.attribute] = checked_octets(body, codec)
        except Invalid as invalid:
            issues.extend(prefixed(invalid.issues, field.name))
        return NOTHING

    return read_raw


def _file_reader(bound: BoundField, taken: MediaTypes, types: Types, limits: Limits) -> ReadBody:
    field = bound.field
    limit = file_limit(field, types, limits)
    optional = bound.nullable or not field.required

    async def read_file(request: Request, known: HeaderMap, given: Given, issues: list[Issue]) -> Received:
        refuse_media_type(taken, known)
        refuse_length(known, limit)
        if b"content-type" not in known and (optional or not announces_body(known)):
            leave_out(bound, given, issues, "the request has no body")
            return NOTHING
        if b"content-type" not in known and not taken.includes(OCTETS.encode()):
            raise Unsupported(f"the body has no Content-Type; this operation takes {', '.join(taken.media_types)}")
        given[field.attribute] = file_of(request.headers, request.body, limit)
        return NOTHING

    return read_file


def _stream_reader(codec: Codec, taken: MediaTypes, limits: Limits) -> ReadBody:
    async def read_stream(request: Request, known: HeaderMap, _given: Given, _issues: list[Issue]) -> Received:
        refuse_media_type(taken, known)
        return Received(None, _items(request, codec, limits.stream_item_bytes_max))

    return read_stream


async def _items(request: Request, codec: Codec, limit: int) -> AsyncIterator[Any]:
    index = 0
    async for line in read_lines(chunks_of(request.body), limit):
        try:
            yield codec.decode(line)
        except Fault as fault:
            place = f"/stream/{index}"
            fault.detail = f"item {index} of the stream: {fault.detail}"
            fault.issues = tuple(Issue(place + each.pointer, each.code, each.message) for each in fault.issues)
            raise
        index += 1
