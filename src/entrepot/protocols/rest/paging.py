"""Which pages there are around the one that is answered, as links (RFC 8288), and how many things in all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import UNSET

from entrepot.http.forms import format_pairs, parse_pairs
from entrepot.model import shape
from entrepot.model.faults import TooLarge
from entrepot.model.headers import Headers
from entrepot.model.operation import Operation
from entrepot.model.page import Page
from entrepot.model.shape import Field, Role, Types
from entrepot.ports.exchange import Request
from entrepot.protocols.rest.binding.bound import Binding, BoundField

LINKS_BYTES_MAX = 32 * 1024
"""Most octets of links beside a page: they repeat the query each, and the edge reads 60 KiB of headers in all."""
TOTAL = b"x-total-count"
"""The header that says how many there are in all, by the name that most APIs give it."""

Neighbours = Iterator[tuple[str, str | None]]
"""By relation (`next`): what the parameter that moves is to say there; None where it is to be left out."""

Around = Callable[[Any, Page[Any]], Neighbours]
"""The neighbours of the page that an input was answered with."""


def is_paged(operation: Operation, types: Types) -> bool:
    """Whether an operation answers with a page."""
    return not operation.stream_output and isinstance(shape.resolve(operation.output, types), shape.Page)


class Paging:
    """Tells, beside the pages of one operation, which others there are."""

    def __init__(self, binding: Binding) -> None:
        by_role = {bound.field.role: bound for bound in reversed(binding.at("query"))}
        size = by_role.get("page_size")
        role = next((role for role in _WAYS if role in by_role), None)
        self._moving = None if role is None else by_role[role]
        self._around: Around | None = None
        if role is not None:
            self._around = _WAYS[role](by_role[role].field, None if size is None else size.field)

    @property
    def moves(self) -> bool:
        """Whether a parameter asks for other pages."""
        return self._moving is not None

    def links(self, request: Request, input: Any, page: Page[Any]) -> Headers:
        """Those around the page that this request, read as this input, is answered with.

        Raises `TooLarge` when they are too long to be told.
        """
        if self._moving is None or self._around is None:
            return []
        links = b", ".join(_link(request, self._moving, *neighbour) for neighbour in self._around(input, page))
        if len(links) > LINKS_BYTES_MAX:
            raise TooLarge("the query is too long to be repeated in links to other pages, which are left out")
        return [(b"link", links)] if links else []


def _by_cursor(cursor: Field, _size: Field | None) -> Around:
    def around(input: Any, page: Page[Any]) -> Neighbours:
        here = getattr(input, cursor.attribute)
        if not cursor.required and here not in (None, UNSET) and str(here) != str(cursor.default):
            yield "first", None
        if page.next is not None:
            yield "next", page.next

    return around


def _by_number(number: Field, size: Field | None) -> Around:
    def around(input: Any, page: Page[Any]) -> Neighbours:
        here, items = _said(input, number, 1), _said(input, size, 0)
        last = here if page.total is None or items < 1 else max(1, -(-page.total // items))
        if here > 1:
            yield "first", "1"
            yield "prev", str(min(here - 1, last))
        if page.next is not None:
            yield "next", page.next
        elif here < last:
            yield "next", str(here + 1)
        if here < last:
            yield "last", str(last)

    return around


def _by_offset(offset: Field, size: Field | None) -> Around:
    def around(input: Any, page: Page[Any]) -> Neighbours:
        here, items = _said(input, offset, 0), max(1, _said(input, size, len(page.items)))
        total = here if page.total is None else page.total
        behind = total - here - items
        if here > 0:
            yield "first", "0"
            yield "prev", str(max(0, min(here - items, (total - 1) // items * items)))
        if page.next is not None:
            yield "next", page.next
        elif behind > 0:
            yield "next", str(here + items)
        if behind > 0:
            yield "last", str(here + items + (behind - 1) // items * items)

    return around


_WAYS: dict[Role, Callable[[Field, Field | None], Around]] = {
    "cursor": _by_cursor,
    "page_number": _by_number,
    "offset": _by_offset,
}
"""By role of the parameter that moves, which is the first of these."""


def _said(input: Any, field: Field | None, otherwise: int) -> int:
    found = None if field is None else getattr(input, field.attribute)
    return found if isinstance(found, int) else otherwise


def _link(request: Request, moving: BoundField, relation: str, said: str | None) -> bytes:
    """The link to the page for which the parameter that moves says this."""
    others = [
        (name, value) for name, values in parse_pairs(request.query).items() if name != moving.name for value in values
    ]
    pairs = format_pairs(others if said is None else [*others, (moving.name, said)])
    path = request.path.replace(b">", b"%3E")
    return b'<%s%s%s>; rel="%s"' % (path, b"?" if pairs else b"", pairs, relation.encode())
