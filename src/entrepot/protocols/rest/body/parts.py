"""The parts of a form that stand under one name, as the value of a field, and back.

A part labelled `application/json` is JSON whatever the field's shape; that is how null, an empty list and a record get
into a form. One labelled as the contract says is in that notation. Any other is the text that a query would hold. Of a
list of what is no text each item is a part (RFC 7578, §4.3); all of it in one part is read as well.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from entrepot.http.media_types import essence, matches
from entrepot.http.multipart import Part
from entrepot.model import shape
from entrepot.model.fault import Issue
from entrepot.model.faults import Invalid
from entrepot.model.file import File
from entrepot.protocols.rest.binding.bound import JSON, OCTETS, BoundField
from entrepot.protocols.rest.binding.notations import Notation, notation_of
from entrepot.protocols.rest.binding.places import is_upload, style_of
from entrepot.protocols.rest.body.notations import speaker
from entrepot.protocols.rest.body.octets import checked_octets
from entrepot.protocols.rest.parameters import deep
from entrepot.protocols.rest.parameters.deep import Path
from entrepot.protocols.rest.parameters.parameter import prefixed
from entrepot.protocols.rest.parameters.text import Texts, decode_json, pair_writer, reader
from entrepot.shapes.kinds import kinds_of
from entrepot.shapes.values import Values

Parts = list[Part | None]
"""All parts under one name; None for an urlencoded name without "="."""

WrittenParts = list[Part | tuple[str, File]]


def holds_files(part: shape.Shape, types: shape.Types) -> bool:
    """Whether a field's parts are files, rather than raw octets or text."""
    inner = shape.unwrap(part, types)
    return is_upload(part, types) and isinstance(inner, shape.File | shape.List)


def field_reader(bound: BoundField, values: Values) -> Callable[[Parts], Any]:
    """Turns the parts under a name into the value of its field."""
    part, types = bound.field.shape, values.types
    if not is_upload(part, types):
        return _value_reader(bound, values)
    inner = shape.unwrap(part, types)
    if isinstance(inner, shape.List):
        item = shape.unwrap(inner.item, types)
        return lambda parts: [_file(each, item, f"/{index}") for index, each in enumerate(filter(None, parts))]
    if isinstance(inner, shape.File):
        return lambda parts: _file(_only(parts), inner, "")
    return lambda parts: checked_octets(bytes(_only(parts).content), inner, values)


def _file(part: Part, file: shape.Shape, pointer: str) -> File:
    found, taken = part.file(), file.media_types if isinstance(file, shape.File) else ()
    if taken and not any(matches(each, essence(found.media_type)) for each in taken):
        message = f"is {essence(found.media_type)}; this field takes {', '.join(taken)}"
        raise Invalid(issues=(Issue(pointer, "format", message),))
    return found


def _value_reader(bound: BoundField, values: Values) -> Callable[[Parts], Any]:
    codec, read = values.codec(bound.field.shape), reader(bound, values)
    item = _item_of(bound, values.types)
    listed = shape.unwrap(bound.field.shape, values.types)
    constrained = item is not None and listed != shape.List(item=item)

    @cache
    def spoken(notation: Notation, of_item: bool) -> Any:
        one = values.codec(item) if of_item and item is not None else codec
        return speaker(notation, one, values, bound.name, bound.field.xml)

    def read_parts(parts: Parts) -> Any:
        said = [_labelled(part, bound) for part in parts]
        contents = [b"" if part is None else bytes(part.content) for part in parts]
        if None in said or not said:
            return read(_texts(parts))
        if item is None or (said == ["json"] and contents[0].lstrip()[:1] in (b"[", b"n")):
            _only(parts)
            return decode_json(spoken(said[0], False), contents[0])
        found = _items([spoken(notation, True) for notation in said], contents)
        return codec.of_plain(codec.to_plain(found)) if constrained else found

    return read_parts


def _items(codecs: list[Any], contents: list[bytes]) -> list[Any]:
    found: list[Any] = []
    issues: list[Issue] = []
    for index, (codec, content) in enumerate(zip(codecs, contents, strict=True)):
        try:
            found.append(decode_json(codec, content))
        except Invalid as invalid:
            issues += prefixed(invalid.issues, str(index))
    if issues:
        raise Invalid(issues=tuple(issues))
    return found


def _item_of(bound: BoundField, types: shape.Types) -> shape.Shape | None:
    """What each part is, where a list has one for each item: those that are no text and no lists themselves."""
    listed = shape.unwrap(bound.field.shape, types)
    if bound.style != "json" or not isinstance(listed, shape.List) or style_of(listed, types) != "json":
        return None
    return None if kinds_of(listed.item, types) & {"array", "null"} else listed.item


def _labelled(part: Part | None, bound: BoundField) -> Notation | None:
    """The notation that a part says it is in; None where it is text."""
    label = "" if part is None else essence(part.media_type)
    if label == JSON:
        return "json"
    return notation_of(label) if bound.style == "json" and label and label == essence(bound.media_type) else None


def field_writer(bound: BoundField, values: Values) -> Callable[[Any], WrittenParts]:
    """Turns the value of a field into its parts."""
    part, types, name = bound.field.shape, values.types, bound.name
    if is_upload(part, types):
        return _octets_writer(bound, values)
    item, write, encode_json = _item_of(bound, types), pair_writer(bound, values), values.codec(part).encode
    label = bound.media_type or JSON
    encode = speaker(
        notation_of(label), values.codec(part if item is None else item), values, name, bound.field.xml
    ).encode

    def write_parts(value: Any) -> WrittenParts:
        if value is None or value == []:
            return [Part(name, media_type=JSON, content=bytearray(encode_json(value)))]
        if bound.style == "json":
            items = [value] if item is None else value
            return [Part(name, media_type=label, content=bytearray(encode(each))) for each in items]
        return [Part(key, "", bound.media_type, bytearray((text or "").encode())) for key, text in write(value)]

    return write_parts


def _octets_writer(bound: BoundField, values: Values) -> Callable[[Any], WrittenParts]:
    name, inner = bound.name, shape.unwrap(bound.field.shape, values.types)
    if isinstance(shape.resolve(bound.field.shape, values.types), shape.List):
        return lambda files: [(name, file) for file in files]
    if isinstance(inner, shape.File):
        return lambda file: [] if file is None else [(name, file)]
    media_type = inner.media_type if isinstance(inner, shape.Raw) else OCTETS
    return lambda octets: [] if octets is None else [Part(name, name, media_type, bytearray(octets))]


def members_reader(bound: BoundField, values: Values) -> Callable[[dict[Path, Parts]], Any]:
    """Turns what is written member by member, or once as JSON, into the value of its field."""
    codec = values.codec(bound.field.shape)
    read = deep.reader(bound.field.shape, values)

    def read_members(members: dict[Path, Parts]) -> Any:
        whole = members.get((), []) if len(members) == 1 else []
        if len(whole) == 1 and _labelled(whole[0], bound) == "json":
            return decode_json(codec, bytes(_only(whole).content))
        return read({path: _texts(parts) for path, parts in members.items()})

    return read_members


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
