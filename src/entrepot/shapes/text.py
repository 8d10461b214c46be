"""Scalars as bare text: in a path, a query, a header, a form.

The spelling is JSON's without its quotes: `42`, `1.5`, `true`, `2024-01-31`. Reading is strict
(`1.0` is no integer, `+1` no number), with one kindness: `1` and `0` are read as true and false.
Lists are the caller's business, item by item.
"""

from __future__ import annotations

import base64
import decimal
import enum
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model import shape as s
from entrepot.shapes.kinds import kinds_of
from entrepot.shapes.scalars import (
    INTEGER,
    NUMBER,
    SCALARS,
    NotOfShape,
    Problem,
    Scalar,
    exact,
    plain_of,
    value_of,
)

Reader = Callable[[str], Any]
Writer = Callable[[Any], str]

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def has_text_form(shape: s.Shape, types: s.Types) -> bool:
    """Whether values of the shape can be written as bare text: scalars, and unions of them."""
    shape = s.resolve(shape, types)
    match shape:
        case s.Nullable(shape=inner):
            return has_text_form(inner, types)
        case s.Union(arms=arms):
            return all(has_text_form(arm, types) for arm in arms)
        case _:
            return isinstance(shape, SCALARS)


def reader(
    shape: s.Shape, types: s.Types, classes: Mapping[str, Any] | None = None, limits: Limits = DEFAULT_LIMITS
) -> Reader:
    """What turns text into a value of the shape.

    It raises NotOfShape, a ValueError whose message tells what is wrong and whose `problem.code`
    is an Issue's. `classes` are the author's own, for enumerations. Raises TypeError for a shape
    that has no text form.
    """
    cls = (classes or {}).get(shape.name) if isinstance(shape, s.Ref) else None
    resolved = s.resolve(shape, types)
    match resolved:
        case s.Nullable(shape=inner):
            return _nullable_reader(inner, types, reader(inner, types, classes, limits))
        case s.Union(arms=arms):
            return _union_reader([reader(arm, types, classes, limits) for arm in _strictest_first(arms, types)])
        case s.Text() if resolved == s.Text(format=resolved.format):
            return lambda text: text
        case s.Int(wire="number") if resolved == s.Int():
            return _integer_reader(resolved, limits)
        case s.Enum() if isinstance(cls, type) and issubclass(cls, enum.Enum):
            return lambda text: cls(_scalar(resolved, text, limits))
        case _ if isinstance(resolved, SCALARS):
            return lambda text: _scalar(resolved, text, limits)
        case _:
            raise TypeError(f"a {type(resolved).__name__.lower()} cannot be written as bare text")


def writer(shape: s.Shape, types: s.Types) -> Writer:
    """What turns a value of the shape into text; the dual of `reader`.

    It raises ValueError for null where the empty text means something else. Raises TypeError
    for a shape that has no text form.
    """
    resolved = s.resolve(shape, types)
    match resolved:
        case s.Nullable(shape=inner):
            return _nullable_writer(inner, types, writer(inner, types))
        case s.Union(arms=arms) if has_text_form(resolved, types):
            others = tuple(arm for arm in arms if not isinstance(s.resolve(arm, types), s.Null))
            return _nullable_writer(s.Union(arms=others), types, _union_writer) if others != arms else _union_writer
        case _ if isinstance(resolved, SCALARS):
            return lambda value: spelling(plain_of(resolved, value))
        case _:
            raise TypeError(f"a {type(resolved).__name__.lower()} cannot be written as bare text")


def plain(shape: Scalar, text: str) -> Any:
    """The plain JSON data that text stands for; text that fits nothing is left as it is."""
    match shape:
        case s.Null():
            return None if text == "" else text
        case s.Bool():
            return _BOOLEANS.get(text, text)
        case s.Int(wire="number"):
            return (int if len(text) <= 4000 else exact)(text) if INTEGER.fullmatch(text) else text
        case s.Float() | s.Decimal(wire="number") | s.DateTime(wire="unix" | "unix_ms"):
            return exact(text) if NUMBER.fullmatch(text) else text
        case s.Bytes(encoding="base64" | "raw"):
            return _padded(text)
        case s.Enum(values=values):
            return next((value.wire for value in values if spelling(value.wire) == text), text)
        case _:
            return text


def _scalar(shape: Scalar, text: str, limits: Limits) -> Any:
    expected = _expected_numeral(shape)
    if expected and not (INTEGER if isinstance(shape, s.Int) else NUMBER).fullmatch(text):
        raise NotOfShape(Problem("type", f"expected {expected}"))
    if isinstance(shape, s.Bool) and text not in _BOOLEANS:
        raise NotOfShape(Problem("type", "expected true or false"))
    return value_of(shape, plain(shape, text), limits)


def _expected_numeral(shape: Scalar) -> str:
    """What a text must be that stands for a number; "" where it need be none."""
    match shape:
        case s.Int():
            return "an integer"
        case s.Decimal():
            return "a decimal number such as 10.50"
        case s.DateTime(wire="unix"):
            return "a number, of seconds since 1970"
        case s.Float() | s.DateTime(wire="unix_ms"):
            return "a number"
        case _:
            return ""


def _integer_reader(shape: s.Int, limits: Limits) -> Reader:
    """The commonest parameter of all, by the shortest way."""

    def read_integer(text: str) -> int:
        if text.isdigit() and text[0] != "0" and len(text) < 19 and text.isascii():
            return int(text)
        return int(_scalar(shape, text, limits))

    return read_integer


def _padded(text: str) -> str:
    """Base64 as RFC 4648 §4 writes it, from either alphabet, with or without padding."""
    standard = text.replace("-", "+").replace("_", "/")
    padded = standard + "=" * (-len(standard) % 4)
    return padded if _BASE64.fullmatch(padded) else text


def _nullable_reader(inner: s.Shape, types: s.Types, read: Reader) -> Reader:
    if may_be_empty(inner, types):
        return read
    return lambda text: None if text == "" else read(text)


def _nullable_writer(inner: s.Shape, types: s.Types, write: Writer) -> Writer:
    if not may_be_empty(inner, types):
        return lambda value: "" if value is None else write(value)

    def write_present(value: Any) -> str:
        if value is None:
            raise ValueError("null has no text form here, since the empty text is a value")
        return write(value)

    return write_present


def may_be_empty(shape: s.Shape, types: s.Types) -> bool:
    """Whether the empty text is itself a value of the shape."""
    try:
        reader(shape, types)("")
    except NotOfShape:
        return False
    return True


def _strictest_first(arms: tuple[s.Shape, ...], types: s.Types) -> list[s.Shape]:
    """The order in which arms are tried.

    Integers before numbers, those before true and false, which `1` and `0` may mean, free text, which takes
    everything, after them, and null where nothing else is empty.
    """

    def rank(arm: s.Shape) -> int:
        if isinstance(s.resolve(arm, types), s.Null):
            return 5
        kinds = kinds_of(arm, types)
        if "string" in kinds:
            return 4 if isinstance(s.resolve(arm, types), s.Text) else 3
        if "boolean" in kinds:
            return 2
        return 1 if "number" in kinds else 0

    return sorted(arms, key=rank)


def _union_reader(readers: list[Reader]) -> Reader:
    def read(text: str) -> Any:
        for each in readers:
            try:
                return each(text)
            except NotOfShape:
                continue
        raise NotOfShape(Problem("variant", "fits none of the types it may be of"))

    return read


def _union_writer(value: Any) -> str:
    return spelling(msgspec.to_builtins(value, builtin_types=(decimal.Decimal,)))


def spelling(value: Any) -> str:
    """Plain scalar data as JSON spells it, without quotes; null is the empty text."""
    match value:
        case None:
            return ""
        case True | False:
            return "true" if value else "false"
        case bytes():
            return base64.b64encode(value).decode()
        case float():
            return msgspec.json.encode(value).decode()
        case _:
            return str(value)
