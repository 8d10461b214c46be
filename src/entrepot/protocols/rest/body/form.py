"""A form: urlencoded pairs, or the parts of a multipart body.

A part labelled `application/json` is JSON whatever the field's shape; that is how null, an empty
list and a record get into a form. Any other part is the text that a query would hold.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

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
from entrepot.model.file import File
from entrepot.ports.exchange import Request
from entrepot.protocols.rest.binding.bound import JSON, MULTIPART, OCTETS, URLENCODED, Binding, BoundField
from entrepot.protocols.rest.binding.places import is_upload
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
from entrepot.protocols.rest.body.octets import checked_octets
from entrepot.protocols.rest.parameters import deep
from entrepot.protocols.rest.parameters.deep import Path
from entrepot.protocols.rest.parameters.parameter import Attributes, parameter, renamed, take_all, wire_names
from entrepot.protocols.rest.parameters.text import (
    Texts,
    decode_json,
    field_writers,
    pair_writer,
    reader,
    write_fields,
)
from entrepot.shapes.values import Values

Parts = list[Part | None]
"""All parts under one name; None for an urlencoded name without "="."""

WrittenParts = list[Part | tuple[str, File]]

_MISSING = "this field of the form is required"


def form_reader(binding: Binding, values: Values) -> BodyReader:
    """Reads forms. What happens to fields that nobody declared follows the input record's extras."""
    fields = binding.at("form")
    named = [parameter(each, _field_reader(each, values), _MISSING) for each in fields if each.style != "deep"]
    objects = [parameter(each, _members_reader(each, values), _MISSING) for each in fields if each.style == "deep"]
    object_names = {each.name for each in objects}
    forbidding = binding.operation.input.extras == "forbid"

    def take(parts: dict[str, Parts], attributes: Attributes, issues: list[Issue]) -> None:
        take_all(named, parts, attributes, issues)
        if objects:
            take_all(objects, deep.gather(parts, object_names), attributes, issues)
        if forbidding:
            issues.extend(Issue(f"/{escape(name)}", "unknown", "the form has no such field") for name in parts)

    return BodyReader(_fetched(binding, values), take)


def _fetched(binding: Binding, values: Values) -> Fetch:
    """Fetches the parts of a form, by name."""
    fields, types = binding.at("form"), values.types
    names = wire_names(fields)
    uploads = {each.name: file_limit(each.field, values) for each in fields if _holds_files(each.field.shape, types)}
    media_types = MediaTypes(binding.accepts)
    fetch_whole = fetched_whole(media_types, values.limits.body_bytes_max)

    async def fetch(request: Request, headers: HeaderMap) -> dict[str, Parts]:
        try:
            if essence(headers.get(b"content-type", b"")) != MULTIPART:
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
    writers = [(bound, _field_writer(bound, values)) for bound in binding.at("form")]

    def write_form(input: Any, _stream: AsyncIterator[Any] | None) -> Content:
        boundary = new_boundary()
        issues: list[Issue] = []
        parts = write_fields(writers, input, issues)
        if issues:
            raise _unwritten(issues)
        content_type = f"{MULTIPART}; boundary={boundary}".encode()
        return Content([(b"content-type", content_type)], write_multipart(parts, boundary))

    return write_form


def _unwritten(issues: list[Issue]) -> Invalid:
    return Invalid("the input cannot be written as a form", issues=tuple(issues))


def _holds_files(part: shape.Shape, types: shape.Types) -> bool:
    """Whether a field's parts are files, rather than raw octets or text."""
    inner = shape.unwrap(part, types)
    return is_upload(part, types) and isinstance(inner, shape.File | shape.List)


def _field_reader(bound: BoundField, values: Values) -> Callable[[Parts], Any]:
    """Turns the parts under a name into the value of its field."""
    part, types = bound.field.shape, values.types
    codec = values.codec(part)
    if not is_upload(part, types):
        read = reader(bound, values)
        return lambda parts: read(_texts(parts)) if (json := _json_of(parts)) is None else decode_json(codec, json)
    if isinstance(shape.resolve(part, types), shape.List):
        return lambda parts: [each.file() for each in parts if each]
    if _holds_files(part, types):
        return lambda parts: _only(parts).file()
    octets = shape.unwrap(part, types)
    return lambda parts: checked_octets(bytes(_only(parts).content), octets, values)


def _field_writer(bound: BoundField, values: Values) -> Callable[[Any], WrittenParts]:
    """Turns the value of a field into its parts."""
    part, types, name = bound.field.shape, values.types, bound.name
    if is_upload(part, types):
        if isinstance(shape.resolve(part, types), shape.List):
            return lambda files: [(name, file) for file in files]
        inner = shape.unwrap(part, types)
        if isinstance(inner, shape.File):
            return lambda file: [] if file is None else [(name, file)]
        media_type = inner.media_type if isinstance(inner, shape.Raw) else OCTETS
        return lambda octets: [] if octets is None else [Part(name, name, media_type, bytearray(octets))]
    encode, write = values.codec(part).encode, pair_writer(bound, values)

    def write_parts(value: Any) -> WrittenParts:
        if bound.style == "json" or value is None or value == []:
            return [Part(name, media_type=JSON, content=bytearray(encode(value)))]
        return [Part(key, content=bytearray((text or "").encode())) for key, text in write(value)]

    return write_parts


def _members_reader(bound: BoundField, values: Values) -> Callable[[dict[Path, Parts]], Any]:
    """Turns what is written member by member, or once as JSON, into the value of its field."""
    codec = values.codec(bound.field.shape)
    read = deep.reader(bound.field.shape, values)

    def read_members(members: dict[Path, Parts]) -> Any:
        if len(members) == 1 and (json := _json_of(members.get((), []))) is not None:
            return decode_json(codec, json)
        return read({path: _texts(parts) for path, parts in members.items()})

    return read_members


def _json_of(parts: Parts) -> bytes | None:
    """What a single part that is labelled as JSON holds."""
    if len(parts) != 1 or parts[0] is None or essence(parts[0].media_type) != JSON:
        return None
    return bytes(parts[0].content)


def _texts(parts: Parts) -> Texts:
    return [None if part is None else _text(part) for part in parts]


def _text(part: Part) -> str:
    try:
        return part.content.decode()
    except UnicodeDecodeError:
        raise Invalid(issues=(Issue("", "encoding", "this field of the form is not UTF-8"),)) from None


def _only(parts: Parts) -> Part:
    if len(parts) != 1 or parts[0] is None:
        raise Invalid(issues=(Issue("", "duplicate", "this field of the form must be given once"),))
    return parts[0]
