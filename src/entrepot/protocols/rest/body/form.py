"""A form as input fields: urlencoded pairs, or the parts of a multipart body.

A part labelled `application/json` is JSON whatever the field's shape; that is how null, an empty
list and a record get into a form. Any other part is the text that a query would hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from entrepot.http.bodies import chunks_of, read
from entrepot.http.forms import parse_pairs
from entrepot.http.headers import HeaderMap
from entrepot.http.media_types import MediaTypes, essence
from entrepot.http.multipart import Part, read_multipart
from entrepot.kit.limits import Limits
from entrepot.kit.pointers import escape
from entrepot.model import shape
from entrepot.model.fault import Issue
from entrepot.model.faults import Invalid, Malformed
from entrepot.model.operation import Operation
from entrepot.model.shape import Types
from entrepot.ports.exchange import Request
from entrepot.protocols.rest.binding.bound import JSON, MULTIPART, BoundField
from entrepot.protocols.rest.binding.places import is_upload
from entrepot.protocols.rest.body.received import (
    NOTHING,
    Given,
    ReadBody,
    Received,
    checked_octets,
    file_limit,
    leave_out,
    refuse_media_type,
)
from entrepot.protocols.rest.parameters import deep
from entrepot.protocols.rest.parameters.deep import Path
from entrepot.protocols.rest.parameters.text import Read, Texts, decode_json, prefixed, reader, renamed, wire_names
from entrepot.shapes.values import Codec, Values

T = TypeVar("T")

Parts = list[Part | None]
"""All parts under one name; None for an urlencoded name without "="."""


def form_reader(
    operation: Operation,
    fields: tuple[BoundField, ...],
    taken: MediaTypes,
    values: Values,
    types: Types,
    limits: Limits,
) -> ReadBody:
    """Reads forms. What happens to fields that nobody declared follows the input record's extras."""
    texts = {p.name: _form_field(p, types, values) for p in fields if p.style != "deep"}
    objects = {p.name: _form_object(p, types, values) for p in fields if p.style == "deep"}
    uploads = {name: file_limit(one.bound.field, types, limits) for name, one in texts.items() if one.is_file}
    names = wire_names(fields)
    forbidding = operation.input.extras == "forbid"

    async def read_form(request: Request, known: HeaderMap, given: Given, issues: list[Issue]) -> Received:
        refuse_media_type(taken, known)
        try:
            parts = await _parts(request, known, uploads, limits)
        except Malformed as malformed:
            malformed.issues = tuple(renamed(malformed.issues, names))
            raise
        _take_all(texts, parts, given, issues)
        if objects:
            _take_all(objects, deep.gather(parts, objects), given, issues)
        if forbidding:
            issues.extend(Issue(f"/{escape(name)}", "unknown", "the form has no such field") for name in parts)
        return NOTHING

    return read_form


async def _parts(request: Request, known: HeaderMap, uploads: Mapping[str, int], limits: Limits) -> dict[str, Parts]:
    """The form's parts by name."""
    content_type = known.get(b"content-type", b"")
    found: dict[str, Parts] = {}
    if essence(content_type) == MULTIPART:
        for part in await read_multipart(chunks_of(request.body), content_type, uploads, limits):
            found.setdefault(part.name, []).append(part)
        return found
    body = await read(request.body, limits.body_bytes_max, known.get(b"content-length"))
    for name, texts in parse_pairs(body).items():
        found[name] = [None if text is None else Part(name, content=bytearray(text.encode())) for text in texts]
    return found


class _FormField(NamedTuple, Generic[T]):
    """One field of a form, and how its parts become its value, or raise `Invalid`."""

    bound: BoundField
    read: Callable[[T], Any]
    is_file: bool = False

    def take(self, parts: T, given: Given, issues: list[Issue]) -> None:
        field = self.bound.field
        try:
            given[field.attribute] = self.read(parts)
        except Invalid as invalid:
            issues.extend(prefixed(invalid.issues, field.name))


def _take_all(fields: Mapping[str, _FormField[T]], parts: dict[str, T], given: Given, issues: list[Issue]) -> None:
    """Reads every field, and takes its name out of `parts`."""
    for name, field in fields.items():
        found = parts.pop(name, None)
        if found is not None:
            field.take(found, given, issues)
        else:
            leave_out(field.bound, given, issues, "this field of the form is required")


def _form_object(bound: BoundField, types: Types, values: Values) -> _FormField[dict[Path, Parts]]:
    """A field that is written member by member, or once as JSON."""
    part = bound.field.shape
    codec = values.codec(part)
    read = deep.reader(part, types, values)

    def read_members(members: dict[Path, Parts]) -> Any:
        whole = members.get((), [])
        if len(members) == 1 and (content := _json_of(whole)) is not None:
            return decode_json(codec, content)
        return read({path: _texts(parts) for path, parts in members.items()})

    return _FormField(bound, read_members)


def _form_field(bound: BoundField, types: Types, values: Values) -> _FormField[Parts]:
    part = bound.field.shape
    codec = values.codec(part)
    if not is_upload(part, types):
        return _FormField(bound, _text_reader(reader(bound, types, values), codec))
    if isinstance(shape.resolve(part, types), shape.List):
        return _FormField(bound, lambda parts: [each.file() for each in parts if each], is_file=True)
    if isinstance(shape.unwrap(part, types), shape.File):
        return _FormField(bound, lambda parts: _only(parts).file(), is_file=True)
    return _FormField(bound, lambda parts: checked_octets(bytes(_only(parts).content), codec))


def _text_reader(read: Read, codec: Codec) -> Callable[[Parts], Any]:
    def read_parts(parts: Parts) -> Any:
        content = _json_of(parts)
        return read(_texts(parts)) if content is None else decode_json(codec, content)

    return read_parts


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
