"""Input fields where only text can stand: path, query, header, cookie, form field.

A name may come several times, and in a query or form without a value. Such a bare name is what
text has no word for: null, or for a list that no items follow. Of a list that may be null it is the
one that leaving the name out does not say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from urllib.parse import unquote

import msgspec

from entrepot.kit.pointers import escape
from entrepot.model import shape
from entrepot.model.fault import Issue
from entrepot.model.faults import Invalid, Malformed
from entrepot.model.shape import Shape
from entrepot.protocols.rest.binding.bound import BoundField, Where
from entrepot.protocols.rest.parameters import deep, delimited
from entrepot.shapes import text
from entrepot.shapes.scalars import NotOfShape
from entrepot.shapes.values import Codec, Values

Texts = list[str | None]
"""Every value under one name, in order; None where the name is bare."""

Pairs = list[tuple[str, str | None]]
"""Names and texts, in order."""

Read = Callable[[Texts], Any]
"""Raises `NotOfShape`, or `Invalid` with pointers relative to the field."""

Write = Callable[[Any], Texts]
"""Raises ValueError when the place cannot hold the value."""

FieldWriter = tuple[BoundField, Callable[[Any], Pairs]]

_T = TypeVar("_T")
_UNSAFE_IN_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|^[ \t]|[ \t]$")


def reader(bound: BoundField, values: Values) -> Read:
    """Turns the texts under a parameter's name into its value."""
    codec = values.codec(bound.field.shape)
    if bound.style == "json":
        return _json_reader(codec)
    if bound.style == "scalar":
        return _scalar_reader(_one_reader(bound.field.shape, values), nullable=bound.nullable)
    if delimited.is_object(bound, values.types):
        return _object_reader(bound, values)
    listed = shape.unwrap(bound.field.shape, values.types)
    assert isinstance(listed, shape.List)
    read_one = _one_reader(listed.item, values)
    separator = _separator(bound)
    constrained = bool(listed.unique or listed.length_min or listed.length_max is not None)
    read = _list_reader(read_one, separator, codec if constrained else None)
    return (lambda texts: None if texts == [None] else read(texts)) if _bare_is_null(bound) else read


def path_reader(bound: BoundField, values: Values) -> Callable[[str], Any]:
    """As `reader`, for what stands in a path, percent-encoded."""
    if bound.style == "scalar":
        read_one = _one_reader(bound.field.shape, values)
        return lambda raw: read_one(unquote(raw) if "%" in raw else raw)
    if bound.style == "json":
        read = reader(bound, values)
        return lambda raw: read([unquote(raw)])
    form = delimited.form_of(bound, values.types)
    if delimited.is_object(bound, values.types):
        read_members = deep.reader(bound.field.shape, values)
        return lambda raw: read_members(form.members(raw, unquote))
    if text.has_text_form(bound.field.shape, values.types):
        read_whole = _one_reader(bound.field.shape, values)
        return lambda raw: read_whole(unquote(form.whole(raw)))
    read_items = reader(bound, values)
    return lambda raw: read_items([*form.items(raw, unquote)])


def writer(bound: BoundField, values: Values) -> Write:
    """Turns a parameter's value into the texts under its name."""
    write = _plain_writer(bound, values)
    return _checked_writer(write, bound.where) if bound.where in ("header", "part", "path") else write


def pair_writer(bound: BoundField, values: Values) -> Callable[[Any], Pairs]:
    """Turns a parameter's value into all names and texts that say it. They raise ValueError as `Write` does."""
    if bound.style == "deep":
        return deep.writer(bound.field.shape, bound.name, values)
    write, name = writer(bound, values), bound.name
    return lambda value: [(name, text) for text in write(value)]


def write_fields(
    writers: Iterable[tuple[BoundField, Callable[[Any], Iterable[_T]]]], input: Any, issues: list[Issue]
) -> list[_T]:
    """What is written of the fields that are not absent; what their place cannot hold becomes an issue."""
    written: list[_T] = []
    for bound, write in writers:
        value = getattr(input, bound.field.attribute)
        if value is msgspec.UNSET:
            continue
        try:
            written.extend(write(value))
        except ValueError as error:
            issues.append(Issue(f"/{escape(bound.field.name)}", "encoding", str(error)))
    return written


def field_writers(fields: Iterable[BoundField], values: Values) -> list[FieldWriter]:
    """Each field with what writes its names and texts."""
    return [(bound, pair_writer(bound, values)) for bound in fields]


def _one_reader(part: Shape, values: Values) -> Callable[[str], Any]:
    return text.reader(part, values.types, values.classes, values.limits)


def _scalar_reader(read_one: Callable[[str], Any], *, nullable: bool) -> Read:
    def read(texts: Texts) -> Any:
        if len(texts) != 1:
            raise Invalid(issues=(Issue("", "duplicate", "this parameter is given more than once"),))
        given = texts[0]
        if given is None:
            return None if nullable else read_one("")
        return read_one(given)

    return read


def _list_reader(read_one: Callable[[str], Any], separator: str | None, codec: Codec | None) -> Read:
    def read(texts: Texts) -> Any:
        found: list[Any] = []
        issues: list[Issue] = []
        for index, given in enumerate(_items(texts, separator)):
            try:
                found.append(read_one(given))
            except NotOfShape as error:
                issues.append(Issue(f"/{index}", *error.problem))
        if issues:
            raise Invalid(issues=tuple(issues))
        return found if codec is None else codec.of_plain(codec.to_plain(found))

    return read


def _items(texts: Texts, separator: str | None) -> list[str]:
    if separator is None:
        return [] if texts == [None] else [given or "" for given in texts]
    joined = separator.join(given or "" for given in texts)
    return [item.strip() for item in joined.split(separator)] if joined else []


def _object_reader(bound: BoundField, values: Values) -> Read:
    form, read_members = delimited.form_of(bound, values.types), deep.reader(bound.field.shape, values)

    def read(texts: Texts) -> Any:
        if texts == [None] and bound.nullable:
            return None
        return read_members(form.members(form.separator.join(given or "" for given in texts), str.strip))

    return read


def _json_reader(codec: Codec) -> Read:
    def read(texts: Texts) -> Any:
        if len(texts) != 1:
            raise Invalid(issues=(Issue("", "duplicate", "this parameter is given more than once"),))
        try:
            return decode_json(codec, (texts[0] or "").encode())
        except Invalid as invalid:
            invalid.issues = tuple(map(_with_form, invalid.issues))
            raise

    return read


def _with_form(issue: Issue) -> Issue:
    """The issue; of a value that is not even of the right JSON kind it says, too, how one is written."""
    if issue.pointer or issue.code not in ("type", "syntax"):
        return issue
    return Issue("", issue.code, f'{issue.message}; this parameter is written as JSON, such as {{"a":1}} or [1,2]')


def decode_json(codec: Codec, content: bytes) -> Any:
    """The value of a parameter that is written as JSON; broken JSON is an issue like any other."""
    try:
        return codec.decode(content)
    except Malformed as malformed:
        raise Invalid(issues=malformed.issues or (Issue("", "syntax", malformed.detail),)) from None


def _plain_writer(bound: BoundField, values: Values) -> Write:
    field = bound.field
    if bound.style == "json":
        encode = values.codec(field.shape).encode
        return lambda value: [encode(value).decode()]
    if bound.style == "scalar":
        write_one = text.writer(field.shape, values.types)
        absence: Texts = [] if bound.null_by_absence and bound.where != "form" else [None]
        return lambda value: list(absence) if value is None else [write_one(value)]
    if bound.where == "path":
        split, form = delimited.splitter(bound, values), delimited.form_of(bound, values.types)
        return lambda value: [*delimited.in_path(split(value), form)]
    if delimited.is_object(bound, values.types):
        return _object_writer(bound, values)
    listed = shape.unwrap(field.shape, values.types)
    assert isinstance(listed, shape.List)
    write_item = text.writer(listed.item, values.types)
    write = _list_writer(bound, write_item)
    null: Texts = [None] if _bare_is_null(bound) else []
    return lambda value: list(null) if value is None else write(value)


def _object_writer(bound: BoundField, values: Values) -> Write:
    split, form = delimited.splitter(bound, values), delimited.form_of(bound, values.types)
    null: Texts = [] if bound.null_by_absence and bound.where != "form" else [None]
    return lambda value: list(null) if value is None else [delimited.in_text(split(value), form)]


def _list_writer(bound: BoundField, write_item: Callable[[Any], str]) -> Write:
    separator = _separator(bound)
    if separator is not None:
        return _joining_writer(write_item, separator)
    if bound.where == "cookie":
        return _cookies_writer(write_item)
    if not _bare_is_null(bound):
        return lambda value: [write_item(item) for item in value] or [None]

    def write(value: Any) -> Texts:
        if not value:
            raise ValueError("a list without items cannot stand where a bare name means null")
        return [write_item(item) for item in value]

    return write


def _cookies_writer(write_item: Callable[[Any], str]) -> Write:
    def write(value: Any) -> Texts:
        items: Texts = [write_item(item) for item in value]
        if items == [""]:
            raise ValueError("a lone empty item cannot stand in cookies, where it means that there are no items")
        return items or [None]

    return write


def _bare_is_null(bound: BoundField) -> bool:
    """Whether a bare name says null of a list, rather than that no items follow."""
    if not bound.nullable or bound.where not in ("query", "form"):
        return False
    field = bound.field
    said_by_absence = bound.where == "form" if field.required else field.default is None
    return _separator(bound) is not None or not said_by_absence


def _separator(bound: BoundField) -> str | None:
    """What stands between the items of a list in one text; None where each item is a text of its own.

    In a path it is: there the parts are told apart before they are decoded.
    """
    if bound.where == "path" and bound.style == "comma":
        return None
    return delimited.SEPARATORS.get(bound.style)


def _joining_writer(write_item: Callable[[Any], str], separator: str) -> Write:
    def write(value: Any) -> Texts:
        items = [write_item(item) for item in value]
        for item in items:
            if separator in item or not item or item != item.strip():
                raise ValueError(f"the item {item!r} cannot stand in a list that is written with {separator!r}")
        return [separator.join(items)]

    return write


def _checked_writer(write: Write, where: Where) -> Write:
    def checked(value: Any) -> Texts:
        texts = write(value)
        if where == "path" and texts in ([""], [None]):
            raise ValueError("a path parameter cannot be empty")
        for given in texts:
            if where != "path" and given and _UNSAFE_IN_HEADER.search(given):
                raise ValueError("a header holds no control characters and no blanks at its ends")
        return texts

    return checked
