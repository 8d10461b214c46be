"""Values whose parts stand in one text with separators between them: `1,2`, `R,100,G,200`, `R=100,G=200`, `;id=5`.

OpenAPI has the styles (3.1, §4.8.12.4) from RFC 6570. In a path a part is percent-encoded, and is decoded when the
parts are told apart; elsewhere the whole text is decoded first, so no part may hold what separates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from urllib.parse import quote

from entrepot.model import shape
from entrepot.model.shape import Types
from entrepot.protocols.rest.binding.bound import BoundField, Style
from entrepot.protocols.rest.parameters.deep import Members
from entrepot.protocols.rest.routing.template import Mark
from entrepot.shapes import text
from entrepot.shapes.scalars import NotOfShape, Problem
from entrepot.shapes.values import Values

Decode = Callable[[str], str]

Parts = list[tuple[str, ...]]
"""What stands between separators: a text, or a name and a text with `=` between them."""

SEPARATORS: dict[Style, str] = {"comma": ",", "space": " ", "pipe": "|"}


class Form(NamedTuple):
    """How the parts of a value are put together."""

    prefix: str
    separator: str
    name: str = ""
    """What each item of a list stands behind, with `=` between them; "" where nothing."""
    paired: bool = False
    """Whether `=` stands between a member's name and its value, rather than a separator."""

    def whole(self, given: str) -> str:
        """What follows the prefix."""
        if not given.startswith(self.prefix):
            raise NotOfShape(Problem("syntax", f"expected {self.prefix!r} before the value"))
        return given[len(self.prefix) :]

    def items(self, given: str, decode: Decode) -> list[str]:
        """The items of a list."""
        parts = self._parts(given)
        if not self.name:
            return [decode(part) for part in parts]
        pairs = [_pair(part) for part in parts]
        if any(decode(name) != self.name for name, _ in pairs):
            raise NotOfShape(Problem("syntax", f"expected '{self.name}=' before each item"))
        return [decode(item) for _, item in pairs]

    def members(self, given: str, decode: Decode) -> Members:
        """The members of an object, as `deep.reader` takes them."""
        parts = self._parts(given)
        if not self.paired and len(parts) % 2:
            raise NotOfShape(Problem("syntax", "expected names and values in turn"))
        pairs = map(_pair, parts) if self.paired else zip(parts[::2], parts[1::2], strict=True)
        members: Members = {}
        for name, value in pairs:
            members.setdefault((decode(name),), []).append(decode(value))
        return members

    def _parts(self, given: str) -> list[str]:
        whole = self.whole(given)
        return whole.split(self.separator) if whole or self.prefix else []


def form_of(bound: BoundField, types: Types) -> Form:
    """How a field is written in its style."""
    has_members, listed = is_object(bound, types), isinstance(shape.unwrap(bound.field.shape, types), shape.List)
    explode = bound.explode and (has_members or listed)
    if bound.style == "label":
        return Form(".", "." if explode else ",", paired=has_members and explode)
    if bound.style != "matrix":
        return Form("", SEPARATORS[bound.style], paired=has_members and explode)
    if explode:
        return Form(";", ";", name=bound.name if listed else "", paired=has_members)
    return Form(f";{quote(bound.name, safe='')}=", ",")


def is_object(bound: BoundField, types: Types) -> bool:
    """Whether a field has members, rather than items or one text."""
    return isinstance(shape.unwrap(bound.field.shape, types), shape.Record | shape.Map)


def splitter(bound: BoundField, values: Values) -> Callable[[Any], Parts]:
    """Takes a value apart. It raises ValueError for what no text tells."""
    types = values.types
    form, part = form_of(bound, types), bound.field.shape
    if is_object(bound, types):
        to_plain = values.codec(part).to_plain
        return lambda value: list(_members(to_plain(value), form))
    listed = shape.unwrap(part, types)
    if not isinstance(listed, shape.List):
        write_one = text.writer(part, types)
        return lambda value: [(write_one(value),)]
    write_item = text.writer(listed.item, types)
    behind = (form.name,) if form.name else ()
    return lambda value: [(*behind, write_item(item)) for item in value]


def _members(plain: dict[str, Any], form: Form) -> Iterable[tuple[str, ...]]:
    for name, member in plain.items():
        if member is None:
            raise ValueError(f"the member {name!r} is null, which this style has no word for")
        written = text.spelling(member)
        yield from [(name, written)] if form.paired else [(name,), (written,)]


def in_path(parts: Parts, form: Form) -> list[str]:
    """The parts as `Template.expand` takes them."""
    if parts in ([], [("",)]):
        raise ValueError("a path parameter cannot be empty")
    pieces: list[str] = [Mark(form.prefix)] if form.prefix else []
    for index, part in enumerate(parts):
        if form.separator == "." and (dotted := next((each for each in part if "." in each), None)) is not None:
            # Encoding it would not help: `%2E` is the same as a dot wherever paths are normalised (RFC 3986, §6.2.2.2).
            raise ValueError(f"{dotted!r} cannot stand in a value whose parts have dots between them")
        pieces += [Mark(form.separator)] if index else []
        pieces += [part[0]] if len(part) == 1 else [part[0], Mark("="), part[1]]
    return pieces


def in_text(parts: Parts, form: Form) -> str:
    """The members of an object in one text that is encoded as a whole."""
    for part in parts:
        for each in part:
            if form.separator in each or each != each.strip():
                raise ValueError(f"{each!r} cannot stand in an object that is written with {form.separator!r}")
        if form.paired and "=" in part[0]:
            raise ValueError(f"the name {part[0]!r} cannot stand before '='")
    return form.separator.join("=".join(part) for part in parts)


def _pair(part: str) -> tuple[str, str]:
    name, equals, value = part.partition("=")
    if not equals:
        raise NotOfShape(Problem("syntax", "expected a name and a value with '=' between them"))
    return name, value
