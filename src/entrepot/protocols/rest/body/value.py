"""Values in any notation: an object of the body's fields, the value of one field, the output of an operation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import cache
from typing import Any

import msgspec

from entrepot.http.bodies import read_reply
from entrepot.http.headers import LENGTHS
from entrepot.http.media_types import MediaTypes, essence, is_json, matches
from entrepot.kit.pointers import escape
from entrepot.model import shape
from entrepot.model.call import Context
from entrepot.model.fault import Fault, Issue
from entrepot.model.faults import Invalid, Malformed
from entrepot.model.headers import header
from entrepot.model.shape import XmlForm
from entrepot.ports.exchange import Response
from entrepot.protocols.rest.binding.bound import HEAD, Binding, body_record
from entrepot.protocols.rest.binding.notations import Notation, notation_of, others
from entrepot.protocols.rest.body.body import (
    EMPTY,
    BodyReader,
    Content,
    NotAcceptable,
    ReadAnswer,
    WriteAnswer,
    WriteBody,
    broken,
    content_of,
    fetched_whole,
)
from entrepot.protocols.rest.body.form import fields_of_form, value_of_form
from entrepot.protocols.rest.body.notations import several, speaker
from entrepot.protocols.rest.parameters.parameter import Attributes, add_misplaced, prefixed, renamed, wire_names
from entrepot.shapes.unsayable import Unsayable
from entrepot.shapes.values import Codec, Values

_INPUT, _OUTPUT = "input", "output"
"""What the root of a document is called that has no name."""


def object_reader(binding: Binding, values: Values) -> BodyReader:
    """Reads an object of fields; an empty body is an object without any."""
    fields = binding.at("body")
    codec = values.codec(body_record(binding.operation, fields))
    attributes_of = [bound.field.attribute for bound in fields]
    names = wire_names(fields)
    elsewhere = {name: each for each in binding.at(*HEAD) for name in (each.field.name, each.name)}
    takes = "" if fields else "this operation takes nothing in the body"

    def reader(notation: Notation, media_types: MediaTypes) -> BodyReader:
        if notation == "form":
            return fields_of_form(binding, fields, media_types, values)
        decode = speaker(notation, codec, values, _INPUT).decode

        def whole(content: bytes) -> Any:
            return decode(content) if content else codec.decode(b"{}")

        def take(content: bytes, attributes: Attributes, issues: list[Issue]) -> None:
            try:
                value = whole(content)
            except Invalid as invalid:
                add_misplaced(renamed(invalid.issues, names), elsewhere, issues)
            except Malformed as malformed:
                malformed.issues = renamed(malformed.issues, names)
                raise
            else:
                attributes.update((name, getattr(value, name)) for name in attributes_of)

        fetch = fetched_whole(media_types, values.limits.body_bytes_max, takes)
        return BodyReader(fetch, take, whole if _is_whole(binding) else None)

    return several(binding.accepts, reader, takes)


def object_writer(binding: Binding, values: Values) -> WriteBody:
    """Writes an object of fields; where there are none, nothing."""
    fields = binding.at("body")
    codec = values.codec(body_record(binding.operation, fields))
    if not fields:
        return lambda _input, _stream: EMPTY
    encode, media_type = _sent(binding, codec, values)
    if _is_whole(binding):
        return lambda input, _stream: content_of(encode(input), media_type)
    make = codec.type
    attributes = [bound.field.attribute for bound in fields]

    def write_object(input: Any, _stream: AsyncIterator[Any] | None) -> Content:
        return content_of(encode(make(**{name: getattr(input, name) for name in attributes})), media_type)

    return write_object


def _is_whole(binding: Binding) -> bool:
    """Whether the body's object is the input itself."""
    return body_record(binding.operation, binding.at("body")) == binding.operation.input


def value_reader(binding: Binding, values: Values) -> BodyReader:
    """Reads the value of the one field in the body; an empty body leaves it out."""
    [bound] = binding.at("body")
    name, attribute, codec = bound.field.name, bound.field.attribute, values.codec(bound.field.shape)
    make, required = values.codec(binding.operation.input).type, bound.field.required
    missing = Issue(f"/{escape(name)}", "missing", "the request has no body")

    def reader(notation: Notation, media_types: MediaTypes) -> BodyReader:
        if notation == "form":
            return value_of_form(binding, bound, media_types, values)
        decode = speaker(notation, codec, values, _INPUT, bound.field.xml).decode

        def whole(content: bytes) -> Any:
            if not content:
                if not required:
                    return make()
                raise Invalid("the input does not fit its type", issues=(missing,))
            try:
                return make(decode(content))
            except (Invalid, Malformed) as fault:
                fault.issues = tuple(prefixed(fault.issues, name))
                raise

        def take(content: bytes, attributes: Attributes, issues: list[Issue]) -> None:
            if not content:
                if required:
                    add_misplaced((missing,), {}, issues)
                return
            try:
                attributes[attribute] = decode(content)
            except Invalid as invalid:
                issues.extend(prefixed(invalid.issues, name))
            except Malformed as malformed:
                malformed.issues = tuple(prefixed(malformed.issues, name))
                raise

        fetch = fetched_whole(media_types, values.limits.body_bytes_max)
        return BodyReader(fetch, take, whole if len(binding.fields) == 1 else None)

    return several(binding.accepts, reader)


def value_writer(binding: Binding, values: Values) -> WriteBody:
    """Writes the value of the one field in the body; where it is absent, nothing."""
    [bound] = binding.at("body")
    attribute, (encode, media_type) = (
        bound.field.attribute,
        _sent(binding, values.codec(bound.field.shape), values, bound.field.xml),
    )

    def write_value(input: Any, _stream: AsyncIterator[Any] | None) -> Content:
        value = getattr(input, attribute)
        return EMPTY if value is msgspec.UNSET else content_of(encode(value), media_type)

    return write_value


def answer_writer(binding: Binding, values: Values) -> WriteAnswer:
    """Writes outputs, in the notation of the media type that was chosen."""
    codec, status = values.codec(binding.operation.output), binding.status

    @cache
    def writer(media_type: str) -> tuple[Callable[[Any], bytes], tuple[bytes, bytes]]:
        return speaker(notation_of(media_type), codec, values, _OUTPUT).encode, (b"content-type", media_type.encode())

    usual = writer(binding.produces[0])
    apart = others(binding.produces)

    def write_answer(output: Any, media_type: str, _context: Context) -> Response:
        try:
            encode, content_type = writer(media_type) if media_type in apart else usual
            body = encode(output)
        except Unsayable as unsayable:
            raise NotAcceptable(f"{unsayable.reason}; the answer can be {binding.produces[0]}") from None
        return Response(status, [(b"content-length", LENGTHS[len(body)]), content_type], body)

    return write_answer


def answer_reader(binding: Binding, values: Values, upstream: str) -> ReadAnswer:
    """Reads outputs from answers; where null is one, no body is null."""
    limit = values.limits.reply_bytes_max
    nullable = isinstance(shape.resolve(binding.operation.output, values.types), shape.Nullable)

    apart = {notation_of(each) for each in binding.produces} - {"json"}

    @cache
    def decoder(notation: Notation) -> Callable[[bytes, str], Any]:
        return output_decoder(binding, values, upstream, notation)

    async def read_answer(response: Response) -> Any:
        label = header(response.headers, b"content-type")
        found = essence(label) if label else binding.produces[0]
        if not (
            is_json(found) or notation_of(found) in apart or any(matches(each, found) for each in binding.produces)
        ):
            raise broken(upstream, f"answered with {found} instead of {binding.produces[0]}")
        content = await read_reply(response.body, limit, upstream)
        return decoder(notation_of(found))(content, "") if content or not nullable else None

    return read_answer


def output_decoder(
    binding: Binding, values: Values, upstream: str, notation: Notation = "json"
) -> Callable[[bytes, str], Any]:
    """Decodes an output, or an item of a stream at this pointer. Raises `UpstreamFailed`."""
    trusted = speaker(notation, values.codec(binding.operation.output), values, _OUTPUT).decode_trusted

    def decode(content: bytes, pointer: str) -> Any:
        try:
            return trusted(content)
        except Fault as fault:
            issues = tuple(Issue(pointer + each.pointer, each.code, each.message) for each in fault.issues)
            raise broken(upstream, "answered outside its contract", issues) from None

    return decode


def _sent(
    binding: Binding, codec: Codec, values: Values, form: XmlForm | None = None
) -> tuple[Callable[[Any], bytes], bytes]:
    """What writes a body as a client sends it, and its label."""
    media_type = binding.accepts[0]
    encode = speaker(notation_of(media_type), codec, values, _INPUT, form).encode

    def write(value: Any) -> bytes:
        try:
            return encode(value)
        except Unsayable as unsayable:
            issue = Issue(unsayable.pointer, "format", unsayable.reason)
            raise Invalid(f"the input cannot be written as {media_type}", issues=(issue,)) from None

    return encode if encode is codec.encode else write, media_type.encode()
