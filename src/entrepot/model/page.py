"""A part of a long list."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], omit_defaults=True):
    """Items, the cursor that gives the next part (None: this is the last), and how many there are in all."""

    items: list[T]
    next: str | None = None
    total: int | None = None
