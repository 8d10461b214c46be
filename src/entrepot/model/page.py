"""A part of a long list, and the marks of the parameters that ask for one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from operator import attrgetter
from typing import ClassVar, Generic, TypeVar

import msgspec

T = TypeVar("T")


class PageNumber(msgspec.Struct, frozen=True, kw_only=True):
    """The parameter says which page is wanted, the first being 1."""

    ge: int = 1
    le: int | None = None


class PageSize(msgspec.Struct, frozen=True, kw_only=True):
    """The parameter says how many items a page has at most."""

    ge: int = 1
    le: int | None = None


class PageOffset(msgspec.Struct, frozen=True, kw_only=True):
    """The parameter says how many items come before the page."""

    ge: int = 0
    le: int | None = None


class SortBy(msgspec.Struct, frozen=True):
    """The parameter, a list of text, says by which of these fields to sort; `-` before one turns its order round."""

    fields: tuple[str, ...]


class Page(msgspec.Struct, Generic[T], omit_defaults=True):
    """Items, what the next part is asked for with (None: this is the last), and how many there are in all.

    What asks for a page is a parameter marked so: `page: Annotated[int, Page.Number()] = 1`. Where pages have
    numbers or offsets, the total says which is the last, and `next` may be left out.
    """

    items: list[T]
    next: str | None = None
    """Of the parameter that moves: the cursor, the offset or the number of the next page."""
    total: int | None = None

    Number: ClassVar = PageNumber
    Size: ClassVar = PageSize
    Offset: ClassVar = PageOffset
    Sort: ClassVar = SortBy

    @classmethod
    def of(
        cls, everything: Iterable[T], *, size: int, number: int = 1, offset: int = 0, sort: Sequence[str] = ()
    ) -> Page[T]:
        """The page of this number, or from this offset on, of what is held in memory whole.

        `sort` names attributes, the most important first.
        """
        found = list(everything)
        for name in reversed(sort):
            found = _sorted(found, name)
        start = offset + (number - 1) * size
        return cls(found[start : start + size], total=len(found))


def _sorted(things: list[T], name: str) -> list[T]:
    """Sorted by an attribute, None before all else; the other way round with `-` before its name.

    A member of an enum stands where its value, which is what callers see, stands.
    """
    get = attrgetter(name.removeprefix("-"))
    return sorted(things, key=lambda thing: (get(thing) is not None, _wire(get(thing))), reverse=name.startswith("-"))


def _wire(value: T) -> T:
    return value.value if isinstance(value, Enum) else value
