"""What msgspec does not notice in MessagePack: repeated names, and times that it would cut.

Octet by octet, so it is done only where something is suspect: what is written again is never longer, and shorter where
a name was repeated.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from entrepot.kit.limits import Limits

_read = msgspec.msgpack.Decoder().decode
_TIMES = (b"\xd7\xff", b"\xc7\x0c\xff")
"""How moments with nanoseconds begin: in 8 octets, and in 12."""


def may_hold_times(data: bytes) -> bool:
    """Whether there may be a moment finer than a second; never False when there is."""
    return any(mark in data for mark in _TIMES)


def scan(data: bytes, limits: Limits) -> None:
    """Raises ValueError for a name that stands twice in one map, or a moment finer than a microsecond."""
    _Scan(data).value(limits.depth_max + 1)


_Kind = Literal["scalar", "octets", "fixed", "extension", "array", "map"]
_FORMS: dict[int, tuple[_Kind, int]] = {
    **{0xC4 + power: ("octets", 2**power) for power in range(3)},
    **{0xC7 + power: ("extension", 2**power) for power in range(3)},
    **{0xCA + power: ("scalar", 4 * 2**power) for power in range(2)},
    **{0xCC + power: ("scalar", 2**power) for power in range(4)},
    **{0xD0 + power: ("scalar", 2**power) for power in range(4)},
    **{0xD4 + power: ("fixed", 2**power) for power in range(5)},
    **{0xD9 + power: ("octets", 2**power) for power in range(3)},
    **{0xDC + power: ("array", 2 * 2**power) for power in range(2)},
    **{0xDE + power: ("map", 2 * 2**power) for power in range(2)},
}
"""By first octet: of what kind it is, and how many octets it has or says its length in."""


class _Scan:
    """Reads what msgspec has read before, so that it is well-formed."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def value(self, left: int) -> None:
        if left < 0:
            raise RecursionError
        first = self._data[self._at]
        self._at += 1
        if first < 0x80 or first >= 0xE0 or first in (0xC0, 0xC2, 0xC3):
            return
        if first < 0x90:
            self._map(first & 15, left)
        elif first < 0xA0:
            self._array(first & 15, left)
        elif first < 0xC0:
            self._at += first & 31
        else:
            kind, octets = _FORMS[first]
            size = octets if kind in ("scalar", "fixed") else self._number(octets)
            match kind:
                case "map":
                    self._map(size, left)
                case "array":
                    self._array(size, left)
                case "fixed" | "extension":
                    self._extension(size)
                case _:
                    self._at += size

    def _number(self, octets: int) -> int:
        self._at += octets
        return int.from_bytes(self._data[self._at - octets : self._at], "big")

    def _map(self, members: int, left: int) -> None:
        seen: set[Any] = set()
        for _ in range(members):
            begin = self._at
            self.value(left - 1)
            name = _read(self._data[begin : self._at])
            if name in seen:
                raise ValueError("a name is given more than once")
            seen.add(name)
            self.value(left - 1)

    def _array(self, items: int, left: int) -> None:
        for _ in range(items):
            self.value(left - 1)

    def _extension(self, octets: int) -> None:
        code = self._number(1)
        begin = self._at
        self._at += octets
        if code == 0xFF and octets in (8, 12):
            head = int.from_bytes(self._data[begin : begin + (8 if octets == 8 else 4)], "big")
            if (head >> 34 if octets == 8 else head) % 1000:
                raise ValueError("a moment is finer than a microsecond")
