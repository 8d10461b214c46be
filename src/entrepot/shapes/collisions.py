"""Values whose hashes somebody has chosen to be equal: a set or a map of them takes quadratic time.

Python randomises the hashes of texts, not those of numbers: an integer's hash is its remainder by
2^61 - 1, and a UUID's is that of its 128 bits.
"""

from __future__ import annotations

import decimal
import re
from collections import Counter
from typing import Any

import msgspec

from entrepot.model.fault import Issue
from entrepot.model.faults import Malformed

COLLIDING_MAX = 1000
"""Most different values of one hash; comparing that many with each other takes a few milliseconds."""

_MODULUS = 2**61 - 1
_DIGITS_MIN = 20
_INTEGER = re.compile(rb'[\[,:\s"]-?([0-9]{20,5000})(?=[\],}\s"])')
"""Of 64 bits and fewer, no more than a few have one hash."""
_UUID = re.compile(rb'"([0-9A-Fa-f]{8}-?(?:[0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12})"')
_plain = msgspec.json.Decoder(float_hook=decimal.Decimal).decode
_spelt = msgspec.json.Encoder().encode


def colliding(data: bytes) -> Issue | None:
    """What is wrong with a JSON text, if too many of its numbers or UUIDs have one hash.

    Raises what msgspec raises when it cannot be read.
    """
    if len(data) <= _DIGITS_MIN * COLLIDING_MAX:
        return None
    if b"\\u00" in data:
        data = _spelt(_plain(data))  # digits may be written as escapes
    hashes = [int(digits) % _MODULUS for digits in set(_INTEGER.findall(data))]
    uuids = {text.replace(b"-", b"").lower() for text in _UUID.findall(data)}
    hashes += [int(digits, 16) % _MODULUS for digits in uuids]
    if len(hashes) <= COLLIDING_MAX or max(Counter(hashes).values()) <= COLLIDING_MAX:
        return None
    return Issue("", "length", f"holds more than {COLLIDING_MAX} numbers or UUIDs of one hash")


def refuse_colliding(plain: Any) -> None:
    """Raises `Malformed` for plain data, read from another notation, in which too many have one hash."""
    try:
        written = _spelt(plain)
    except (TypeError, ValueError):  # it holds what JSON cannot, which is refused anyway
        return
    if (issue := colliding(written)) is not None:
        raise Malformed("the body could not be read", issues=(issue,))
