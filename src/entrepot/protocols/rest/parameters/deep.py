"""Values with members in a query or a form, one text for each: `filter[size]=2&filter[by][0]=name`.

OpenAPI calls the style `deepObject` and says it for one level of members (3.1, §4.8.12.4). Further in it is
here as most servers have it: names in brackets one after another, and the items of a list by their number.
Read are as well `[]` and repeated names. A bare name is null, or what has no members where null is not meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator
from typing import Any, TypeVar

from entrepot.kit.pointers import escape
from entrepot.model import shape as s
from entrepot.model.fault import Issue
from entrepot.model.faults import Invalid
from entrepot.model.shape import Shape, Types
from entrepot.shapes import text
from entrepot.shapes.scalars import SCALARS, NotOfShape
from entrepot.shapes.values import Values

T = TypeVar("T")

Path = tuple[str, ...]
"""Where a text stands inside a value: names of members, numbers of items."""

Members = dict[Path, list[str | None]]
"""The texts of one value, each under its path; under the empty one those of the bare name."""

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")
_BRACKET = re.compile(r"[\[\]]")
_NUMBER = re.compile(r"[0-9]{1,6}")


def gather(texts: dict[str, T], names: Container[str]) -> dict[str, dict[Path, T]]:
    """Takes what belongs to these parameters out of all that a query or a form holds."""
    found: dict[str, dict[Path, T]] = {}
    for key in list(texts):
        match = _KEY.fullmatch(key)
        name, path = (match[1], tuple(match[2][1:-1].split("]["))) if match else (key, ())
        if name in names:
            found.setdefault(name, {})[path] = texts.pop(key)
    return found


def reader(part: Shape, values: Values) -> Callable[[Members], Any]:
    """Turns the texts of a value into it. Raises `Invalid` with pointers relative to the value."""
    codec = values.codec(part)

    def read(members: Members) -> Any:
        reading = _Reading(values)
        plain = reading.plain(part, members, "")
        if reading.issues:
            raise Invalid(issues=tuple(reading.issues))
        return codec.of_plain(plain)

    return read


class _Reading:
    """Texts on their way to plain JSON data, led by the shape; what is wrong gathers in `issues`."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._types = values.types
        self.issues: list[Issue] = []

    def plain(self, part: Shape, members: Members, pointer: str) -> Any:
        part = s.resolve(part, self._types)
        if () in members and len(members) > 1:
            return self._refuse(pointer, "duplicate", "this is given both as a whole and by its members")
        match part:
            case s.Nullable(shape=inner):
                return None if members.get(()) == [None] else self.plain(inner, members, pointer)
            case s.Union(arms=arms) if not text.has_text_form(part, self._types):
                return self._of_union(arms, members, pointer)
            case s.Record() | s.Map():
                return self._object(part, members, pointer)
            case s.List(item=item):
                return [
                    self.plain(item, inner, f"{pointer}/{index}")
                    for index, inner in enumerate(self._items(members, pointer))
                ]
            case _:
                return self._scalar(part, members, pointer)

    def _refuse(self, pointer: str, code: str, message: str) -> None:
        self.issues.append(Issue(pointer, code, message))

    def _of_union(self, arms: tuple[Shape, ...], members: Members, pointer: str) -> Any:
        scalars = tuple(arm for arm in arms if text.has_text_form(arm, self._types))
        if scalars and members.get((), [None]) != [None]:
            return self.plain(s.Union(arms=scalars), members, pointer)
        return self.plain(next(arm for arm in arms if arm not in scalars), members, pointer)

    def _object(self, part: s.Record | s.Map, members: Members, pointer: str) -> Any:
        if () in members:
            whole = members[()]
            return {} if whole == [None] else self._refuse(pointer, "type", "expected an object, member by member")
        found: dict[str, Any] = {}
        for name, inner in _grouped(members).items():
            member = _member(part, name)
            # Of a name that is not known nothing is read: what becomes of it is the codec's to say.
            found[name] = None if member is None else self.plain(member, inner, f"{pointer}/{escape(name)}")
        return found

    def _items(self, members: Members, pointer: str) -> list[Members]:
        whole = members.get(())
        if whole is not None:
            return [] if whole == [None] else [{(): [each]} for each in whole]
        groups = _grouped(members)
        unnumbered = groups.pop("", {})
        if unnumbered.keys() - {()} or any(not _NUMBER.fullmatch(number) for number in groups):
            self._refuse(pointer, "type", "expected the items of a list, each by its number")
            return []
        numbered = [groups[number] for number in sorted(groups, key=int)]
        return numbered + [{(): [each]} for each in unnumbered.get((), ())]

    def _scalar(self, part: Shape, members: Members, pointer: str) -> Any:
        whole = members.get(())
        if whole is None:
            return self._refuse(pointer, "type", "expected one value, not members")
        if len(whole) != 1:
            return self._refuse(pointer, "duplicate", "this is given more than once")
        if not isinstance(part, s.Union):
            assert isinstance(part, SCALARS)
            return text.plain(part, whole[0] or "")
        if whole == [None] and any(isinstance(s.resolve(arm, self._types), s.Null) for arm in part.arms):
            return None
        try:
            value = text.reader(part, self._types, limits=self._values.limits)(whole[0] or "")
        except NotOfShape as error:
            return self._refuse(pointer, *error.problem)
        return self._values.codec(part).to_plain(value)


def _grouped(members: Members) -> dict[str, Members]:
    groups: dict[str, Members] = {}
    for path, texts in members.items():
        groups.setdefault(path[0], {})[path[1:]] = texts
    return groups


def _member(part: s.Record | s.Map, name: str) -> Shape | None:
    if isinstance(part, s.Map):
        return part.value
    field = part.field(name)
    return None if field is None else field.shape


def writer(part: Shape, name: str, values: Values) -> Callable[[Any], list[tuple[str, str | None]]]:
    """Turns a value into names and texts; the dual of `gather` and `reader`.

    It raises ValueError for what they could not tell from something else.
    """
    to_plain = values.codec(part).to_plain
    return lambda value: list(_pairs(part, to_plain(value), name, values.types, nullable=False))


def _pairs(part: Shape, plain: Any, name: str, types: Types, *, nullable: bool) -> Iterator[tuple[str, str | None]]:
    part = s.resolve(part, types)
    if isinstance(part, s.Nullable):
        yield from [(name, None)] if plain is None else _pairs(part.shape, plain, name, types, nullable=True)
    elif isinstance(part, s.Union) and not text.has_text_form(part, types):
        structured = (arm for arm in part.arms if not text.has_text_form(arm, types))
        whole = not isinstance(plain, dict | list)
        yield from (
            [(name, text.spelling(plain))] if whole else _pairs(next(structured), plain, name, types, nullable=nullable)
        )
    elif isinstance(plain, dict | list):
        if not plain and nullable:
            raise ValueError("what has no members cannot stand where a bare name means null")
        yield from _inner_pairs(part, plain, name, types) if plain else [(name, None)]
    else:
        yield name, None if plain is None else text.spelling(plain)


def _inner_pairs(
    part: Shape, plain: dict[str, Any] | list[Any], name: str, types: Types
) -> Iterator[tuple[str, str | None]]:
    if isinstance(plain, list):
        assert isinstance(part, s.List)
        for index, item in enumerate(plain):
            yield from _pairs(part.item, item, f"{name}[{index}]", types, nullable=False)
        return
    assert isinstance(part, s.Record | s.Map)
    for key, member in plain.items():
        if _BRACKET.search(key):
            raise ValueError(f"the name {key!r} cannot stand in brackets")
        shape = _member(part, key)
        assert shape is not None
        yield from _pairs(shape, member, f"{name}[{key}]", types, nullable=False)
