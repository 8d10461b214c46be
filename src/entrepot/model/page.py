"""A part of a long list, and the marks of the parameters that ask for one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from functools import lru_cache, reduce
from typing import ClassVar, Generic, TypeVar, cast

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

        `sort` names fields, the most important first, as callers or as the class has them; a dot leads into one.
        """
        found = list(everything)
        for name in reversed(sort):
            found = _sorted(found, name)
        start = offset + (number - 1) * size
        return cls(found[start : start + size], total=len(found))


def _sorted(things: list[T], name: str) -> list[T]:
    """Sorted by a field, what has none before all else; the other way round with `-` before its name.

    A member of an enum stands where its value, which is what callers see, stands.
    """
    steps = name.removeprefix("-").split(".")

    def key(thing: T) -> tuple[bool, object]:
        found = reduce(_member, steps, cast(object, thing))
        return found is not None, found.value if isinstance(found, Enum) else found

    return sorted(things, key=key, reverse=name.startswith("-"))


def _member(thing: object, name: str) -> object:
    """What a value has under a name, or else None; nothing has none."""
    if thing is None:
        return None
    owner: type = type(thing)
    found = thing.get(name) if isinstance(thing, Mapping) else getattr(thing, _attributes(owner).get(name, name))
    return None if found is msgspec.UNSET else found


@lru_cache(maxsize=256)
def _attributes(owner: type) -> Mapping[str, str]:
    """By its name on the wire, each attribute of a class that may call it otherwise: a Struct, a pydantic model."""
    if issubclass(owner, msgspec.Struct):
        return dict(zip(owner.__struct_encode_fields__, owner.__struct_fields__, strict=True))
    fields = getattr(owner, "model_fields", {})
    return {field.serialization_alias or field.alias or name: name for name, field in fields.items()}
