"""Numbers, durations and sizes as people write them: `1e3`, `500ms`, `2s`, `64KiB`, `1MB`."""

from __future__ import annotations

import re
from decimal import Decimal

END = r"$(?!\n)"
"""The end of a text in ECMA-262 and in Python alike, where `$` alone also stands before a last newline."""

DURATION_PATTERN = r"^[0-9]{1,6}(\.[0-9]{1,6})?(ms|s|m|h)" + END
"""ECMA-262, for schemas and editors."""
SIZE_PATTERN = r"^[0-9]{1,12}(B|kB|KiB|MB|MiB|GB|GiB)" + END
"""ECMA-262, for schemas and editors."""

EXPONENT_MAX = 1000
"""Largest power of ten of a number: a small text must not be a number that fills the memory."""

_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}
_OCTETS = {"B": 1, "kB": 10**3, "KiB": 2**10, "MB": 10**6, "MiB": 2**20, "GB": 10**9, "GiB": 2**30}
_PARTS = re.compile(r"([0-9.]+)([A-Za-z]+)")


def decimal(text: str) -> Decimal:
    """A number, exactly. Raises ValueError when its exponent passes `EXPONENT_MAX`."""
    try:
        number = Decimal(text)
    except ArithmeticError:  # an exponent that no Decimal holds
        number = None
    if number is None or abs(number.adjusted()) > EXPONENT_MAX:
        raise ValueError(f"the exponent of the number passes {EXPONENT_MAX}")
    return number


def seconds(duration: str) -> float:
    """The seconds of a duration. Raises ValueError when it does not match `DURATION_PATTERN`."""
    number, unit = _split(duration, DURATION_PATTERN)
    return float(Decimal(number) * _SECONDS[unit])


def octets(size: str) -> int:
    """The octets of a size. Raises ValueError when it does not match `SIZE_PATTERN`."""
    number, unit = _split(size, SIZE_PATTERN)
    return int(number) * _OCTETS[unit]


def _split(text: str, pattern: str) -> tuple[str, str]:
    parts = _PARTS.fullmatch(text)
    if parts is None or not re.match(pattern, text):
        raise ValueError(f"{text!r} is not of the form {pattern}")
    return parts[1], parts[2]
