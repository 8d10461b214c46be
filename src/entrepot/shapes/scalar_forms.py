"""The shortest ways from plain data to the values of scalars that msgspec has no type for, and back."""

from __future__ import annotations

import datetime
import decimal
import functools
import re
from collections.abc import Callable
from typing import Any

import msgspec

from entrepot.kit.limits import Limits
from entrepot.model import shape as s
from entrepot.shapes.scalars import EPOCH, INT64, INTEGER, Reader, Scalar, int_bounds, plain_of, unix, value_of


def decimal_reader(shape: s.Decimal, limits: Limits) -> Reader:
    """Plain data to an exact decimal; the plainest of them are read the shortest way."""
    general = functools.partial(value_of, shape, limits=limits)
    if msgspec.structs.replace(shape, wire="text") != s.Decimal():
        return general
    most = limits.number_digits_max

    def read_number(plain: Any) -> Any:
        if type(plain) is decimal.Decimal and -most < plain.adjusted() < most and plain.is_finite():
            return plain
        return general(plain)

    def read_text(plain: Any) -> Any:
        if type(plain) is str and len(plain) < 20 and _is_plain_decimal(plain):
            return decimal.Decimal(plain)
        return general(plain)

    return read_number if shape.wire == "number" else read_text


def scalar_reader(shape: Scalar, limits: Limits) -> Reader:
    """Plain data to a value that msgspec has no type for."""
    general = functools.partial(value_of, shape, limits=limits)
    match shape:
        case s.Decimal():
            return decimal_reader(shape, limits)
        case s.DateTime(wire="unix"):
            return lambda plain: _second(plain) if type(plain) is int and 0 <= plain < _FAR else general(plain)
        case s.Int(wire="text", multiple_of=None):
            return _integer_reader(shape, general)
        case _:
            return general


def _integer_reader(shape: s.Int, general: Reader) -> Reader:
    low, high = (bound if bound is not None else most for bound, most in zip(int_bounds(shape), INT64, strict=True))

    def read(plain: Any) -> Any:
        if (
            type(plain) is str
            and len(plain) < 19
            and INTEGER.fullmatch(plain)
            and low <= (number := int(plain)) <= high
        ):
            return number
        return general(plain)

    return read


_FAR = 253402300800
"""Seconds from 1970 to the year 10000."""


def _second(plain: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(plain, datetime.UTC)


_is_plain_decimal = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?").fullmatch


def plain_writer(shape: Scalar) -> Callable[[Any], Any]:
    """`plain_of` for one shape, by the shortest way."""
    match shape:
        case s.Decimal(wire="text") | s.Int(wire="text"):
            return str
        case s.DateTime(wire="unix"):
            return _unix_seconds
        case _:
            return lambda value: plain_of(shape, value)


def _unix_seconds(moment: datetime.datetime) -> Any:
    since = moment - EPOCH
    return unix(moment, 1) if since.microseconds else since.days * 86400 + since.seconds
