"""What msgspec does not notice in JSON text: repeated names, depth, endless digits, cut-off times.

A cheap test on every document says whether it is suspect; only then is it read a second time,
exactly and slowly.
"""

from __future__ import annotations

import decimal
import json
import math
import re
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from entrepot.kit.limits import Limits
from entrepot.kit.pointers import pointer
from entrepot.model.fault import Issue

_untyped = msgspec.json.Decoder()
_encode = msgspec.json.Encoder().encode
_DIGITS = re.compile(rb"[0-9]{4}")
_LONG_FRACTION = re.compile(rb":[0-9]{2}\.[0-9]{6}0*[1-9]|\.[0-9]{6}0*[1-9][0-9]*[DHMSdhms]")
"""Of seconds, and of any unit of a duration. Each digit is matched in one way: there may be a million of them."""
_ESCAPED_SIGN = re.compile(rb"\\u00(?:2[B-Eb-e]|3[0-9Aa]|[4-7])")
"""`+,-.`, digits, the colon, letters; not `&`, `<` and `>`, which some libraries always write so."""
_AS_ZEROS = bytes.maketrans(b"123456789E", b"000000000e")
_LARGE = 300
"""From so many digits on a number may be too large for 64 bits."""
_BRACKETS = bytes.maketrans(b"[{]}", b"(())")
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[{]}")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')


def may_repeat_names(data: bytes) -> bool:
    """Whether some object of a JSON text may hold a name twice; never False when one does.

    Reading keeps one member of each name, so writing the value again gives fewer colons than
    there were, unless one of them was written as an escape.
    """
    if b"\\u003" in data:
        return True
    try:
        plain = _untyped.decode(data)
    except msgspec.ValidationError:
        return True  # a number beyond a float, which may be meant for a decimal
    return data.count(b":") != _encode(plain).count(b":")


def has_as_many_members(data: bytes, written: bytes) -> bool:
    """Whether a text has as many members as the value that was read from it has, which then repeats no name.

    What was written must not hold more colons than what it was read from, member by member.
    """
    return data.count(b":") == written.count(b":") and not _has_escaped_signs(data)


def is_too_deep(data: bytes, limits: Limits) -> bool:
    """Whether the nesting of a JSON text passes the limit."""
    most = limits.depth_max
    return len(data) > most and data.count(b"[") + data.count(b"{") > most and depth(data, most + 1) > most


def may_have_endless_numbers(data: bytes, limits: Limits) -> bool:
    """Whether a number may be written with more digits than the limit; never False when one is.

    Half of that many digits in a row cover several of the sampled bytes. So may the digits of many short texts, where
    records repeat themselves: what a sample says is looked up.
    """
    most = limits.number_digits_max
    if len(data) <= most or _DIGITS.search(data[:: max(1, most // 12)]) is None:
        return False
    return _has_digits(data.translate(_AS_ZEROS), most // 2)


def number_hook(limits: Limits) -> Callable[[str], decimal.Decimal]:
    """What reads a number with a point or an exponent exactly; `1e999999999` is refused, since who
    writes it out runs out of memory."""
    most = limits.number_digits_max

    def read(text: str) -> decimal.Decimal:
        number = decimal.Decimal(text)
        if -most < number.adjusted() < most:
            return number
        raise ValueError("the number has too many digits")

    return read


def may_be_unsound(plain: Any, limits: Limits) -> bool:
    """Whether plain data may hold what JSON text cannot, or may not: never False when it does.

    That is a number without end, or not finite, a time finer than a microsecond, or an object
    of another kind.
    """
    most = limits.number_digits_max
    pending = [plain]
    while pending:
        item = pending.pop()
        kind = type(item)
        if kind is str:
            if len(item) > 10 and "." in item:
                return True
        elif kind is dict:
            pending.extend(item.values())
            pending.extend(item)
        elif kind is list:
            pending.extend(item)
        elif kind is int:
            if item.bit_length() > 3 * most:
                return True
        elif kind is decimal.Decimal:
            if not (item.is_finite() and -most < item.adjusted() < _LARGE):
                return True
        elif kind is not bool and item is not None and not (kind is float and math.isfinite(item)):
            return True
    return False


def may_cut_time(data: bytes) -> bool:
    """Whether a time may be given to less than a microsecond, which msgspec would round; never False when one is."""
    if b"." not in data and b"\\" not in data:
        return False
    return _has_escaped_signs(data) or (b".0000000" in data.translate(_AS_ZEROS) and _has_long_fraction(data))


def may_alter_time(data: bytes) -> bool:
    """Whether a time may be written with other digits or colons than it came with: cut, or its offset without a colon.

    Never False when one is.
    """
    zeros = data.translate(_AS_ZEROS)
    return b'+0000"' in zeros or b'-0000"' in zeros or (b".0000000" in zeros and _has_long_fraction(data))


def may_overflow(data: bytes) -> bool:
    """Whether a number may be too large for 64 bits; never False when one is."""
    zeros = data.translate(_AS_ZEROS)
    return b"e000" in zeros or b"e+000" in zeros or _has_digits(zeros, _LARGE)


def _has_digits(zeros: bytes, count: int) -> bool:
    return b"0" * count in zeros


def _has_long_fraction(data: bytes) -> bool:
    return _LONG_FRACTION.search(data) is not None


def _has_escaped_signs(data: bytes) -> bool:
    """Whether a colon, or anything of which a time is made, may be written as an escape."""
    return b"\\u00" in data and _ESCAPED_SIGN.search(data) is not None


def depth(data: bytes, at_most: int = sys.maxsize) -> int:
    """How deep the arrays and objects of a JSON text are nested, counted up to `at_most`."""
    # Without escapes every other piece between quotes is outside the strings.
    outside = _STRING.sub(b"", data) if b"\\" in data else b"".join(data.split(b'"')[::2])
    brackets = outside.translate(_BRACKETS, _NOT_BRACKETS)
    levels = 0
    while brackets and levels < at_most:
        shorter = brackets.replace(b"()", b"")
        if len(shorter) == len(brackets):
            break
        brackets = shorter
        levels += 1
    return levels


def issues(data: bytes, limits: Limits) -> list[Issue]:
    """What is wrong with a well-formed JSON text, apart from its shape."""
    if is_too_deep(data, limits):
        return [too_deep(limits)]
    return repeated_names(data, limits.issues_max) if may_repeat_names(data) else []


def too_deep(limits: Limits) -> Issue:
    """The issue of a document nested beyond the limit."""
    return Issue("", "depth", f"arrays and objects may be nested {limits.depth_max} deep")


def repeated_names(data: bytes, issues_max: int) -> list[Issue]:
    """An issue for every name that an object of a JSON text holds twice."""
    found: list[Issue] = []
    pending: list[tuple[Any, tuple[str | int, ...]]] = [(_pairs(data), ())]
    while pending and len(found) < issues_max:
        value, path = pending.pop()
        if isinstance(value, _Members):
            seen: set[str] = set()
            for name, member in value.pairs:
                if name in seen:
                    found.append(Issue(pointer((*path, name)), "duplicate", "is given more than once"))
                seen.add(name)
                pending.append((member, (*path, name)))
        elif isinstance(value, list):
            pending.extend((item, (*path, index)) for index, item in enumerate(value))
    return found[:issues_max]


class _Members:
    """An object's members as they were written, repeated ones included."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs


def _pairs(data: bytes) -> Any:
    return json.loads(data, object_pairs_hook=_Members, parse_int=str, parse_float=str)
