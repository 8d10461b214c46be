"""JSON text as plain data, exactly, numbers included that are too long for msgspec to read.

Text that is not UTF-8 is told where it stands, value by value.
"""

from __future__ import annotations

import decimal
import itertools
import json
from collections.abc import Iterator
from typing import Any

import msgspec

from entrepot.kit.limits import Limits
from entrepot.kit.pointers import escape
from entrepot.model.fault import Issue
from entrepot.model.faults import Malformed
from entrepot.shapes import guard

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, decimal.InvalidOperation)
"""What reading a text may raise."""
_ENDLESS = 10**18 - 1
"""The largest exponent of a Decimal, far beyond all limits."""

read = msgspec.json.Decoder(float_hook=decimal.Decimal).decode
"""Reads what most texts are. Raises one of `UNREADABLE`."""
write = msgspec.json.Encoder(decimal_format="number").encode
"""Plain data as JSON, every number exact."""
_check_syntax = msgspec.json.Decoder(msgspec.Raw).decode


def plain_of(data: bytes, limits: Limits) -> Any:
    """The plain data that a JSON text stands for. Raises `Malformed` with every reason why it stands for none.

    The digits of a number are not counted: that is for whoever knows what it is to be.
    """
    try:
        return read(data)
    except UNREADABLE:
        return _slowly(data, limits)


def malformed(*issues: Issue) -> Malformed:
    """The fault of a text that cannot be read."""
    return Malformed("the JSON could not be read", issues=issues)


def _slowly(data: bytes, limits: Limits) -> Any:
    try:
        _check_syntax(data)
        plain = json.loads(data.decode(errors="surrogateescape"), parse_int=_integer, parse_float=_decimal)
    except RecursionError:
        raise malformed(guard.too_deep(limits)) from None
    except msgspec.DecodeError as broken:
        raise malformed(Issue("", "syntax", f"is not JSON: {broken}")) from None
    if issues := [*itertools.islice(_not_text(plain), limits.issues_max)]:
        raise malformed(*issues)
    return plain


def _integer(text: str) -> int | decimal.Decimal:
    try:
        return int(text)
    except ValueError:  # more digits than Python makes an integer of
        return _decimal(text)


def _decimal(text: str) -> decimal.Decimal:
    try:
        return decimal.Decimal(text)
    except decimal.InvalidOperation:  # an exponent beyond a Decimal's
        return decimal.Decimal((text[0] == "-", (1,), -_ENDLESS if "e-" in text.lower() else _ENDLESS))


def _not_text(plain: Any) -> Iterator[Issue]:
    """An issue for each string that holds octets which are not UTF-8, names included, in the order of the text."""
    pending: list[tuple[Any, str]] = [(plain, "")]
    while pending:
        value, pointer = pending.pop()
        inner: list[tuple[Any, str]] = []
        if type(value) is str and (first := _first_octet(value)) is not None:
            yield Issue(pointer, "encoding", f"is not UTF-8: byte {first} of a string")
        elif type(value) is list:
            inner = [(item, f"{pointer}/{index}") for index, item in enumerate(value)]
        elif type(value) is dict:
            for name, member in value.items():
                here = f"{pointer}/{escape(name.encode(errors='surrogateescape').decode(errors='replace'))}"
                inner += [(name, here), (member, here)]
        pending += reversed(inner)


def _first_octet(text: str) -> int | None:
    try:
        text.encode()
    except UnicodeEncodeError as broken:
        return len(text[: broken.start].encode())
    return None
