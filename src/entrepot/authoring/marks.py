"""Marks as an author writes them: what `Annotated` attaches to a type to give a value a place or a role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from entrepot.authoring.annotations import attached_within
from entrepot.authoring.markers import Marker
from entrepot.model.page import PageNumber, PageOffset, PageSize, SortBy
from entrepot.model.shape import Role
from entrepot.shapes.markers import Cursor, Media, Version, Xml

OF_ROLES: Mapping[Role, str] = {
    "version": "Version()",
    "cursor": "Cursor()",
    "page_number": "Page.Number()",
    "page_size": "Page.Size()",
    "offset": "Page.Offset()",
    "sort": "Page.Sort(…)",
}
"""How each role is written."""

_CLASSES: Mapping[type, str] = {
    Cursor: "Cursor",
    Version: "Version",
    Media: "Media",
    Xml: "Body.Xml",
    PageNumber: "Page.Number",
    PageSize: "Page.Size",
    PageOffset: "Page.Offset",
    SortBy: "Page.Sort",
}


def markers_within(annotation: Any) -> list[Marker]:
    """Every marker anywhere in a type."""
    return [each for each in attached_within(annotation) if isinstance(each, Marker)]


def classes_within(annotation: Any) -> Iterator[str]:
    """The names of those that stand there as classes, of which no mark was made: `Annotated[int, Version]`."""
    classes = (each for each in attached_within(annotation) if isinstance(each, type))
    yield from (_CLASSES.get(each, each.__name__) for each in classes if issubclass(each, (Marker, *_CLASSES)))
