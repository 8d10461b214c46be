"""The rules of the scalar shapes, one by one: what is wrong with a plain value, and what it stands for.

msgspec applies most of these rules itself, faster. They are written out here for whoever must
say *what* is wrong, and for the few that msgspec has no word for.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import decimal
import enum
import functools
import math
import re
import uuid
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import msgspec

from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model import shape as s
from entrepot.shapes import schema_words as words
from entrepot.shapes import times
from entrepot.shapes.kinds import WORDS, kind_of
from entrepot.shapes.patterns import compiled

Scalar = (
    s.Null | s.Bool | s.Int | s.Float | s.Decimal | s.Text | s.Bytes | s.Date | s.Time | s.DateTime
    | s.Duration | s.Uuid | s.Enum
)  # fmt: skip
SCALARS = (
    s.Null, s.Bool, s.Int, s.Float, s.Decimal, s.Text, s.Bytes, s.Date, s.Time, s.DateTime,
    s.Duration, s.Uuid, s.Enum,
)  # fmt: skip

INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,9})?")
_MORE_THAN_MICROSECONDS = re.compile(r"[.,][0-9]{6}[0-9]*[1-9]")
_DECIMAL = re.compile(words.DECIMAL_PATTERN)
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")
_ZONE: dict[str, bool | None] = {"aware": True, "naive": False, "any": None}
INT64 = (-(2**63), 2**63 - 1)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_PER_SECOND = {"unix": 1, "unix_ms": 1000}


Reader = Callable[[Any], Any]
"""Plain data to value; raises ValueError when it is not of the shape."""


class Problem(NamedTuple):
    """Why a plain value is not of a scalar shape; `code` is one of `model.fault.Issue`."""

    code: str
    message: str


class NotOfShape(ValueError):
    """A plain value is not of its shape."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def problem_of(shape: Scalar, plain: Any, limits: Limits = DEFAULT_LIMITS) -> Problem | None:
    """What is wrong with plain data as a value of a scalar shape; None when nothing is."""
    match shape:
        case s.Null():
            return None if plain is None else wrong_kind("null", plain)
        case s.Bool():
            return None if plain is True or plain is False else wrong_kind("true or false", plain)
        case s.Int():
            return _int_problem(shape, plain, limits)
        case s.Float():
            return _float_problem(shape, plain)
        case s.Decimal():
            return _decimal_problem(shape, plain, limits)
        case s.Text():
            return _text_problem(shape, plain)
        case s.Bytes():
            return _bytes_problem(shape, plain)
        case s.Enum():
            return _enum_problem(shape, integral(plain, limits))
        case s.DateTime(wire="unix" | "unix_ms"):
            return _unix_problem(shape, plain, limits)
        case _:
            return _format_problem(shape, plain)


def value_of(shape: Scalar, plain: Any, limits: Limits = DEFAULT_LIMITS) -> Any:
    """The Python value that plain data stands for. Raises NotOfShape."""
    problem = problem_of(shape, plain, limits)
    if problem is not None:
        raise NotOfShape(problem)
    match shape:
        case s.Int():
            return int(plain)
        case s.Float():
            return float(plain)
        case s.Decimal():
            return exact(plain)
        case s.Bytes(encoding="hex"):
            return bytes.fromhex(plain)
        case s.Bytes():
            return base64.b64decode(plain)
        case s.DateTime(wire="unix" | "unix_ms"):
            return _moment(plain, _PER_SECOND[shape.wire])
        case s.Date() | s.Time() | s.DateTime() | s.Duration() | s.Uuid() if not times.is_kept(shape):
            return msgspec.convert(plain, native(shape))
        case _:
            return plain


def plain_of(shape: Scalar, value: Any) -> Any:
    """The plain data of a Python value, as the shape's wire wants it."""
    if isinstance(value, decimal.Decimal):
        return str(value) if isinstance(shape, s.Decimal) and shape.wire == "text" else value
    match shape:
        case s.Int(wire="text"):
            return str(value)
        case s.Bytes(encoding="hex"):
            return bytes(value).hex()
        case s.DateTime(wire="unix" | "unix_ms"):
            return unix(value, _PER_SECOND[shape.wire])
        case _:
            return msgspec.to_builtins(value)


def is_python_value(shape: Scalar, value: Any) -> bool:
    """Whether a Python value is of the type that the scalar's values have; its bounds are not looked at."""
    match shape:
        case _ if times.is_kept(shape):
            return isinstance(value, str)
        case s.Enum(values=values):
            return isinstance(value, enum.Enum) or any(type(value) is type(each.wire) for each in values)
        case s.Float():
            return type(value) in (float, int)
        case s.DateTime():
            return isinstance(value, datetime.datetime)
        case s.Time():
            return isinstance(value, datetime.time)
        case s.Null():
            return value is None
        case s.Date() | s.Bool() | s.Int():
            return type(value) is _NATIVE[type(shape)]
        case _:
            return isinstance(value, _NATIVE[type(shape)])


def native(shape: Scalar) -> Any:
    """The type by which msgspec itself reads the scalar, without the shape's own constraints."""
    match shape:
        case s.DateTime() | s.Time() | s.Duration() if times.is_kept(shape):
            return times.annotation(shape)
        case s.DateTime(zone=zone):
            return _zoned(datetime.datetime, zone)
        case s.Time(zone=zone):
            return _zoned(datetime.time, zone)
        case _:
            return _NATIVE[type(shape)]


def _zoned(temporal: Any, zone: str) -> Any:
    """A date-time or time type that demands, forbids or leaves open an offset."""
    wanted = _ZONE[zone]
    return temporal if wanted is None else Annotated[temporal, msgspec.Meta(tz=wanted)]


_NATIVE: dict[type, Any] = {
    s.Null: None,
    s.Bool: bool,
    s.Int: int,
    s.Float: float,
    s.Decimal: decimal.Decimal,
    s.Text: str,
    s.Bytes: bytes,
    s.Date: datetime.date,
    s.Duration: datetime.timedelta,
    s.Uuid: uuid.UUID,
}
_FORMAT_WORDS: dict[type, str] = {
    s.Date: "a date such as 2024-01-31",
    s.Time: "a time such as 12:30:00",
    s.DateTime: "a date and time such as 2024-01-31T12:30:00Z",
    s.Duration: "a duration such as PT1H30M",
    s.Uuid: "a UUID",
    s.Bytes: "base64",
}


def exact(plain: Any) -> decimal.Decimal:
    """A number as a Decimal, digit by digit; a float by its shortest spelling."""
    return decimal.Decimal(repr(plain) if type(plain) is float else plain)


def integral(plain: Any, limits: Limits) -> Any:
    """A number without a fraction as the integer that it is for JSON Schema (2020-12, validation, §6.1.1):
    `1.0` and `1e2`; anything else, and what has endless digits, as it is."""
    if type(plain) not in (decimal.Decimal, float) or number_problem(plain, limits) is not None:
        return plain
    number = exact(plain)
    return int(number) if number == number.to_integral_value() else plain


def wrong_kind(expected: str, plain: Any) -> Problem:
    """The problem of a value that is of another JSON kind."""
    code = "null" if plain is None else "type"
    return Problem(code, f"expected {expected}, not {WORDS[kind_of(plain)]}")


def int_bounds(shape: s.Int) -> tuple[int | None, int | None]:
    """The least and the greatest integer of a shape, by its width and its own bounds."""
    low, high = shape.minimum, shape.maximum
    if not shape.signed:
        low = max(low or 0, 0)
    if shape.bits is not None:
        least = -(1 << shape.bits - 1) if shape.signed else 0
        most = (1 << shape.bits - shape.signed) - 1
        low = least if low is None else max(low, least)
        high = most if high is None else min(high, most)
    return low, high


def fits_int64(bound: int | None) -> bool:
    """Whether msgspec can hold the bound; one it cannot hold is left to the checks."""
    return bound is None or INT64[0] <= bound <= INT64[1]


def number_problem(plain: Any, limits: Limits) -> Problem | None:
    """What is wrong with any JSON number, whatever it is for: not finite, or endless digits."""
    if type(plain) is float:
        return None if math.isfinite(plain) else Problem("number_form", "expected a finite number")
    if type(plain) is int:
        return None if abs(plain) < _power_of_ten(limits.number_digits_max) else _too_many_digits(limits)
    if not plain.is_finite():
        return Problem("number_form", "expected a finite number")
    written_out = max(len(plain.as_tuple().digits), abs(plain.adjusted()) + 1)
    return None if written_out <= limits.number_digits_max else _too_many_digits(limits)


@functools.lru_cache(maxsize=16)
def _power_of_ten(digits: int) -> int:
    return int(10**digits)


def _too_many_digits(limits: Limits) -> Problem:
    return Problem("number_form", f"a number may have at most {limits.number_digits_max} digits, written out")


def _int_problem(shape: s.Int, plain: Any, limits: Limits) -> Problem | None:
    if shape.wire == "text":
        if type(plain) is not str:
            return wrong_kind("an integer in a string", plain)
        if not INTEGER.fullmatch(plain):
            return Problem("number_form", 'expected an integer in a string, such as "42"')
        if len(plain.lstrip("-")) > limits.number_digits_max:
            return _too_many_digits(limits)
        plain = int(plain)
    if kind_of(plain) not in ("integer", "number"):
        return wrong_kind("an integer", plain)
    if (problem := number_problem(plain, limits)) is not None:
        return problem
    plain = integral(plain, limits)
    if type(plain) is not int:
        return wrong_kind("an integer", plain)
    low, high = int_bounds(shape)
    if low is not None and plain < low:
        return Problem("range", f"must be at least {low}")
    if high is not None and plain > high:
        return Problem("range", f"must be at most {high}")
    if shape.multiple_of is not None and plain % shape.multiple_of:
        return Problem("range", f"must be a multiple of {shape.multiple_of}")
    return None


def _float_problem(shape: s.Float, plain: Any) -> Problem | None:
    if kind_of(plain) not in ("integer", "number"):
        return wrong_kind("a number", plain)
    try:
        number = float(plain)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        return Problem("number_form", "is no finite number of 64 bits")
    return _bounds_problem(number, shape.minimum, shape.maximum, shape.exclusive_minimum, shape.exclusive_maximum)


def _decimal_problem(shape: s.Decimal, plain: Any, limits: Limits) -> Problem | None:
    if shape.wire == "text":
        if type(plain) is not str:
            return wrong_kind("a decimal number in a string", plain)
        if not NUMBER.fullmatch(plain):
            return Problem("number_form", 'expected a decimal number in a string, such as "10.50"')
        if not _DECIMAL.fullmatch(plain):
            return Problem("number_form", "may have 500 digits before the point, 500 after it, and an exponent of 499")
    elif kind_of(plain) not in ("integer", "number"):
        return wrong_kind("a number", plain)
    number = exact(plain)
    if (problem := number_problem(number, limits)) is not None:
        return problem
    return (
        _digits_problem(shape, number)
        or _bounds_problem(
            number, *map(_bound, (shape.minimum, shape.maximum, shape.exclusive_minimum, shape.exclusive_maximum))
        )
        or _multiple_problem(shape, number)
    )


def _bound(text: str | None) -> decimal.Decimal | None:
    return None if text is None else decimal.Decimal(text)


def _digits_problem(shape: s.Decimal, number: decimal.Decimal) -> Problem | None:
    if shape.digits is None and shape.scale is None:
        return None
    _, digits, exponent = number.normalize(EXACT).as_tuple()
    scale = max(0, -int(exponent))
    if shape.scale is not None and scale > shape.scale:
        return Problem("range", f"may have at most {shape.scale} digits after the point")
    if shape.digits is not None and max(len(digits) + int(exponent), 0) + scale > shape.digits:
        return Problem("range", f"may have at most {shape.digits} digits")
    return None


EXACT = decimal.Context(prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
"""Arithmetic without rounding."""


def _multiple_problem(shape: s.Decimal, number: decimal.Decimal) -> Problem | None:
    if shape.multiple_of is None:
        return None
    step = decimal.Decimal(shape.multiple_of)
    precise = decimal.Context(prec=2 * DEFAULT_LIMITS.number_digits_max + 10)
    return None if not precise.remainder(number, step) else Problem("range", f"must be a multiple of {step}")


def _bounds_problem(number: Any, low: Any, high: Any, above: Any, below: Any) -> Problem | None:
    if low is not None and number < low:
        return Problem("range", f"must be at least {low}")
    if high is not None and number > high:
        return Problem("range", f"must be at most {high}")
    if above is not None and number <= above:
        return Problem("range", f"must be greater than {above}")
    if below is not None and number >= below:
        return Problem("range", f"must be less than {below}")
    return None


def _text_problem(shape: s.Text, plain: Any) -> Problem | None:
    if type(plain) is not str:
        return wrong_kind("a string", plain)
    if (problem := length_problem(len(plain), shape.length_min, shape.length_max, "characters")) is not None:
        return problem
    if shape.pattern is not None and not compiled(shape.pattern).search(plain):
        return Problem("pattern", f"must match the pattern {shape.pattern}")
    return None


def length_problem(length: int, low: int | None, high: int | None, unit: str) -> Problem | None:
    """What is wrong with a length or a count."""
    if low is not None and length < low:
        return Problem("length", f"must have at least {low} {unit}, has {length}")
    if high is not None and length > high:
        return Problem("length", f"must have at most {high} {unit}, has {length}")
    return None


def _bytes_problem(shape: s.Bytes, plain: Any) -> Problem | None:
    if type(plain) is not str:
        return wrong_kind("a string", plain)
    if shape.encoding == "hex":
        if not _HEX.fullmatch(plain):
            return Problem("encoding", "expected hexadecimal digits, two for each byte")
        length = len(plain) // 2
    else:
        try:
            length = len(msgspec.convert(plain, bytes))
        except (msgspec.ValidationError, binascii.Error):
            return Problem("encoding", "expected base64 (RFC 4648, §4), with its padding")
    return length_problem(length, shape.length_min, shape.length_max, "bytes")


def _enum_problem(shape: s.Enum, plain: Any) -> Problem | None:
    if any(type(plain) is type(value.wire) and plain == value.wire for value in shape.values):
        return None
    if shape.open and kind_of(plain) in {kind_of(value.wire) for value in shape.values}:
        return None
    listed = ", ".join(msgspec.json.encode(value.wire).decode() for value in shape.values[:20])
    more = ", …" if len(shape.values) > 20 else ""
    return Problem("enum", f"must be {listed}" if len(shape.values) == 1 else f"must be one of {listed}{more}")


def _unix_problem(shape: s.DateTime, plain: Any, limits: Limits) -> Problem | None:
    if kind_of(plain) not in ("integer", "number"):
        return wrong_kind("a number, of seconds since 1970" if shape.wire == "unix" else "a number", plain)
    if (problem := number_problem(plain, limits)) is not None:
        return problem
    try:
        moment = _moment(plain, _PER_SECOND[shape.wire])
    except (OverflowError, ValueError):
        return Problem("range", "is not a moment between the years 1 and 9999")
    if unix(moment, _PER_SECOND[shape.wire]) != exact(plain):
        return Problem("format", "has more digits than microseconds; a moment is kept to the microsecond")
    return None


def _moment(plain: Any, per_second: int) -> datetime.datetime:
    microseconds = exact(plain) * 1_000_000 / per_second
    return EPOCH + datetime.timedelta(microseconds=int(microseconds))


def unix(moment: datetime.datetime, per_second: int) -> int | decimal.Decimal:
    """A moment as a number: how many `per_second` passed since 1970."""
    microseconds = (moment - EPOCH) // datetime.timedelta(microseconds=1)
    whole, rest = divmod(microseconds * per_second, 1_000_000)
    return whole if not rest else decimal.Decimal(microseconds * per_second).scaleb(-6)


def _format_problem(shape: Scalar, plain: Any) -> Problem | None:
    if type(plain) is not str:
        return wrong_kind("a string", plain)
    if not times.is_kept(shape) and _MORE_THAN_MICROSECONDS.search(plain):
        return Problem("format", "has more than six digits after the second's point; times are kept to the microsecond")
    try:
        msgspec.convert(plain, native(shape))
    except msgspec.ValidationError:
        expected = _FORMAT_WORDS[type(shape)]
        zone = getattr(shape, "zone", "any")
        suffix = {"aware": ", with an offset", "naive": ", without an offset", "any": ""}[zone]
        return Problem("format", f"expected {expected}{suffix}")
    return None
