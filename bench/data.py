"""What every contender serves: one object, or a hundred of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MANY = 100


def item(number: int) -> dict[str, Any]:
    """One object of five fields, 79 octets as JSON."""
    return {"id": number, "name": f"item {number}", "price": 9.5, "active": True, "note": "a short remark"}


def items() -> list[dict[str, Any]]:
    """A hundred objects."""
    return [item(number) for number in range(MANY)]


def chunks() -> Iterator[bytes]:
    """10 MB in pieces of 50 kB."""
    yield from (b"x" * 50_000 for _ in range(200))
