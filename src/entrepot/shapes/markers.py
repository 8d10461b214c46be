"""Marks that an author puts on a field with `Annotated`, to give it a role."""

from __future__ import annotations

import msgspec


class Version(msgspec.Struct, frozen=True):
    """The field holds the version of the thing: `revision: Annotated[int, Version()]`.

    Over REST it makes the ETag, and is what If-Match and If-None-Match are compared with.
    """


class Cursor(msgspec.Struct, frozen=True):
    """The field holds a position: in a stream (the id of an item), or among pages.

    On a parameter it is where a caller says from which position to go on.
    """


class Media(msgspec.Struct, frozen=True):
    """The media types that a file may have: `photo: Annotated[File, Media(("image/png", "image/jpeg"))]`."""

    media_types: tuple[str, ...]


class Xml(msgspec.Struct, frozen=True, kw_only=True):
    """How a field is written where its operation may be called in XML: `id: Annotated[int, Body.Xml(attribute=True)]`.

    By its own name as an element, unless this says otherwise; an item of a list is called as the list is, or `item`.
    """

    attribute: bool = False
    name: str = ""
    namespace: str = ""
    prefix: str = ""
    wrapped: bool = False
    """Of a list: whether an element holds those of its items."""
    item: str = ""
    """Of a list: what each of them is called."""
