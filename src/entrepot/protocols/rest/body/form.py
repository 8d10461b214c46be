"""A form: urlencoded pairs, or the parts of a multipart body."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from entrepot.http.bodies import chunks_of
from entrepot.http.forms import format_pairs, parse_pairs
from entrepot.http.headers import HeaderMap
from entrepot.http.media_types import MediaTypes, essence
from entrepot.http.multipart import Part, new_boundary, read_multipart, write_multipart
from entrepot.kit.limits import Limits
from entrepot.kit.pointers import escape
from entrepot.model import shape
from entrepot.model.fault import Issue
from entrepot.model.faults import Invalid, Malformed
from entrepot.model.headers import Headers, text_of
from entrepot.model.shape import Record
from entrepot.ports.exchange import Request
from entrepot.protocols.rest.binding.bound import MULTIPARTS, URLENCODED, Binding, BoundField
from entrepot.protocols.rest.binding.places import style_of
from entrepot.protocols.rest.body.body import (
    BodyReader,
    Content,
    Fetch,
    WriteBody,
    content_of,
    fetched_whole,
    file_limit,
    refuse_media_type,
)
from entrepot.protocols.rest.body.parts import Parts, field_reader, field_writer, holds_files, members_reader
from entrepot.protocols.rest.parameters import deep
from entrepot.protocols.rest.parameters.parameter import (
    Attributes,
    parameter,
    prefixed,
    renamed,
    take_all,
    wire_names,
)
from entrepot.protocols.rest.parameters.text import (
    Texts,
    field_writers,
    reader,
    write_fields,
)
from entrepot.shapes.values import Values

_MISSING = "this field of the form is required"


def form_reader(binding: Binding, values: Values) -> BodyReader:
    """Reads forms. What happens to fields that nobody declared follows the input record's extras."""
    fields = binding.at("form")
    named = [parameter(each, field_reader(each, values), _MISSING) for each in fields if each.style != "deep"]
    objects = [parameter(each, members_reader(each, values), _MISSING) for each in fields if each.style == "deep"]
    object_names = {each.name for each in objects}
    headers = {each.name: _headers_reader(binding, each.name, values) for each in fields}
    forbidding = binding.operation.input.extras == "forbid"

    def take(parts: dict[str, Parts], attributes: Attributes, issues: list[Issue]) -> None:
        for name, read_headers in headers.items():
            if read_headers is not None:
                read_headers(parts.get(name), attributes, issues)
        take_all(named, parts, attributes, issues)
        if objects:
            take_all(objects, deep.gather(parts, object_names), attributes, issues)
        if forbidding:
            issues.extend(Issue(f"/{escape(name)}", "unknown", "the form has no such field") for name in parts)

    return BodyReader(_fetched(binding, values), take)


def _headers_reader(
    binding: Binding, part: str, values: Values
) -> Callable[[Parts | None, Attributes, list[Issue]], None] | None:
    """Reads what stands in the headers of one part."""
    fields = [each for each in binding.at("part") if each.part == part]
    known = [
        parameter(each, reader(each, values), f"is required as the header `{each.name}` of the part `{part}`")
        for each in fields
    ]

    def read(parts: Parts | None, attributes: Attributes, issues: list[Issue]) -> None:
        said = parts[0].headers if parts and parts[0] is not None else {}
        found: dict[str, Texts] = {
            each.name: [text_of(said[name])] for each in fields if (name := each.name.lower().encode()) in said
        }
        take_all(known, found, attributes, issues)

    return read if known else None


def _fetched(binding: Binding, values: Values) -> Fetch:
    """Fetches the parts of a form, by name."""
    fields, types = binding.at("form"), values.types
    names = wire_names(fields)
    uploads = {each.name: file_limit(each.field, values) for each in fields if holds_files(each.field.shape, types)}
    media_types = MediaTypes(binding.accepts)
    fetch_whole = fetched_whole(media_types, values.limits.body_bytes_max)

    async def fetch(request: Request, headers: HeaderMap) -> dict[str, Parts]:
        try:
            if essence(headers.get(b"content-type", b"")) not in MULTIPARTS:
                return _of_pairs(await fetch_whole(request, headers))
            refuse_media_type(media_types, headers)
            return await _of_multipart(request, headers[b"content-type"], uploads, values.limits)
        except Malformed as malformed:
            malformed.issues = renamed(malformed.issues, names)
            raise

    return fetch


def _of_pairs(body: bytes) -> dict[str, Parts]:
    return {
        name: [None if text is None else Part(name, content=bytearray(text.encode())) for text in texts]
        for name, texts in parse_pairs(body).items()
    }


async def _of_multipart(
    request: Request, content_type: bytes, uploads: Mapping[str, int], limits: Limits
) -> dict[str, Parts]:
    found: dict[str, Parts] = {}
    for part in await read_multipart(chunks_of(request.body), content_type, uploads, limits):
        found.setdefault(part.name, []).append(part)
    return found


def form_writer(binding: Binding, values: Values) -> WriteBody:
    """Writes forms of the first kind that is taken."""
    return (_urlencoded_writer if binding.accepts[0] == URLENCODED else _multipart_writer)(binding, values)


def _urlencoded_writer(binding: Binding, values: Values) -> WriteBody:
    writers = field_writers(binding.at("form"), values)

    def write_urlencoded(input: Any, _stream: AsyncIterator[Any] | None) -> Content:
        issues: list[Issue] = []
        body = format_pairs(write_fields(writers, input, issues))
        if issues:
            raise _unwritten(issues)
        return content_of(body, URLENCODED.encode())

    return write_urlencoded


def _multipart_writer(binding: Binding, values: Values) -> WriteBody:
    writers = [(bound, field_writer(bound, values)) for bound in binding.at("form")]
    header_writers = [
        (each, [(bound, writer) for bound, writer in field_writers(binding.at("part"), values) if bound.part == each])
        for each in dict.fromkeys(bound.part for bound in binding.at("part"))
    ]

    def write_form(input: Any, _stream: AsyncIterator[Any] | None) -> Content:
        boundary = new_boundary()
        issues: list[Issue] = []
        parts = write_fields(writers, input, issues)
        headers = {name: _lines(write_fields(of_part, input, issues)) for name, of_part in header_writers}
        if issues:
            raise _unwritten(issues)
        content_type = f"{binding.accepts[0]}; boundary={boundary}".encode()
        return Content([(b"content-type", content_type)], write_multipart(parts, boundary, headers))

    return write_form


def _lines(pairs: Iterable[tuple[str, str | None]]) -> Headers:
    return [(name.encode(), (text or "").encode()) for name, text in pairs]


def _unwritten(issues: list[Issue]) -> Invalid:
    return Invalid("the input cannot be written as a form", issues=tuple(issues))


def fields_of_form(
    binding: Binding, fields: Sequence[BoundField], media_types: MediaTypes, values: Values
) -> BodyReader:
    """Reads fields that share a body of values as a form, which is another way to write them."""
    return _with_whole(_form_of(binding, binding.operation.input, fields, media_types, values), binding, values)


def value_of_form(binding: Binding, bound: BoundField, media_types: MediaTypes, values: Values) -> BodyReader:
    """Reads a record, which is the body, as a form of its members."""
    record, name = shape.resolve(bound.field.shape, values.types), bound.field.name
    assert isinstance(record, Record)  # or the binding would be none
    make = values.codec(bound.field.shape).type
    members = [
        BoundField(
            field=msgspec.structs.replace(each, required=each.must_be_present),
            where="form",
            name=each.name,
            style=style_of(each.shape, values.types),
            nullable=isinstance(shape.resolve(each.shape, values.types), shape.Nullable),
        )
        for each in record.fields
    ]
    read = _form_of(binding, record, members, media_types, values)

    def take(fetched: Any, attributes: Attributes, issues: list[Issue]) -> None:
        inside: Attributes = {}
        found: list[Issue] = []
        read.take(fetched, inside, found)
        if found:
            issues.extend(prefixed(found, name))
        else:
            attributes[bound.field.attribute] = make(**inside)

    return _with_whole(BodyReader(read.fetch, take), binding, values)


def _form_of(
    binding: Binding, record: Record, fields: Sequence[BoundField], media_types: MediaTypes, values: Values
) -> BodyReader:
    in_form = msgspec.structs.replace(
        binding,
        operation=msgspec.structs.replace(binding.operation, input=record),
        fields=tuple(msgspec.structs.replace(each, where="form") for each in fields),
        body="form",
        accepts=media_types.media_types,
    )
    return form_reader(in_form, values)


def _with_whole(read: BodyReader, binding: Binding, values: Values) -> BodyReader:
    """The reader, of a body that may be all of the input."""
    make, most = values.codec(binding.operation.input).type, values.limits.issues_max

    def whole(fetched: Any) -> Any:
        attributes: Attributes = {}
        issues: list[Issue] = []
        read.take(fetched, attributes, issues)
        if issues:
            raise Invalid("the input does not fit its type", issues=tuple(issues[:most]))
        return make(**attributes)

    return read._replace(whole=whole)
