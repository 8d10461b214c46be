"""The members of a value that a caller wants, by dotted names: `id`, `owner.name`, `*` for all of a value's own.

Lists and pages are looked through: the names are those of their items, and a page keeps what else it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from entrepot.kit.limits import DEFAULT_LIMITS, LINK_DEPTH_MAX, Limits
from entrepot.kit.suggest import did_you_mean
from entrepot.model import shape as s

ALL = "*"
_KEPT = 64
"""Most selections of one operation whose reading is remembered."""

Linked = Mapping[str, Mapping[str, s.Shape]]
"""By type: by the field of each link from it, what the link leads to."""


class Wanted(msgspec.Struct):
    """What is wanted of a value."""

    members: dict[str, Wanted] = {}
    rest: bool = False
    """Whether the other members are wanted, too, each whole."""

    def of(self, plain: Any) -> Any:
        """The part of a plain value that is wanted; of a list, the parts of its items."""
        members = self.members
        if self.rest and not members:
            return plain
        if type(plain) is list:
            return [self.of(item) for item in plain]
        if type(plain) is not dict:
            return plain
        if self.rest:
            return {name: members[name].of(value) if name in members else value for name, value in plain.items()}
        return {name: members[name].of(value) for name, value in plain.items() if name in members}

    def names(self, known: Sequence[str]) -> list[str]:
        """Of these members of a value, and of others, those that are wanted; of a page, those of its items."""
        return [name for name in known if self.rest or name in self.members] + [
            name for name in self.members if name not in known
        ]


class _Object(NamedTuple):
    """What has members."""

    type: str
    """The name of its type, "" where it has none."""
    shape: s.Shape


class Selector:
    """Reads what is wanted of the values of one shape."""

    def __init__(self, shape: s.Shape, types: s.Types, linked: Linked, limits: Limits = DEFAULT_LIMITS) -> None:
        self._shape = shape
        self._types = types
        self._linked = linked
        self._limits = limits
        self.wanted = lru_cache(_KEPT)(self._wanted)
        """What these names want, each of which has no problem."""

    def problem(self, name: str, *, of_link: bool = False) -> str:
        """Why nothing can be wanted by this name, or with `of_link` why it leads to no link; "" when it can."""
        steps, part, links = name.split("."), self._shape, 0
        if len(steps) > self._limits.depth_max:
            return f"names more than {self._limits.depth_max} members, one inside the other"
        for number, step in enumerate(steps, 1):
            is_last = number == len(steps)
            if is_last and step == ALL and not of_link:
                break
            objects = self._objects(self._within(part))
            found = self._members(objects, step)
            is_link = any(step in self._linked.get(each.type, ()) for each in objects)
            links += is_link
            if not found or (of_link and is_last and not is_link):
                known = self._links(objects) if of_link else self._names(objects)
                what = "no such link" if of_link else "no such field"
                return f"there is {what} as `{step}`. {did_you_mean(step, known)}".rstrip()
            part = _either(found)
        if links > LINK_DEPTH_MAX:
            return f"follows more than {LINK_DEPTH_MAX} links, one behind the other"
        return ""

    def _wanted(self, names: Sequence[str]) -> Wanted:
        root = Wanted()
        for name in names:
            node, part = root, self._shape
            for step in name.split("."):
                node, part = self._entered(node, part)
                if step == ALL:
                    break
                node = node.members.setdefault(step, Wanted())
                part = _either(self._members(self._objects(part), step))
            else:
                node, part = self._entered(node, part)
            node.rest = True
        return root

    def _entered(self, node: Wanted, part: s.Shape) -> tuple[Wanted, s.Shape]:
        """What is wanted of the items, where the value is a page, which keeps all else."""
        page = self._page(part)
        if page is None:
            return node, part
        node.rest = True
        return node.members.setdefault("items", Wanted()), page.item

    def _within(self, part: s.Shape) -> s.Shape:
        return self._entered(Wanted(), part)[1]

    def _page(self, part: s.Shape) -> s.Page | None:
        seen: set[str] = set()
        while isinstance(part, s.Ref | s.Nullable | s.List):
            if isinstance(part, s.Ref):
                if part.name in seen:
                    return None
                seen.add(part.name)
                part = self._types[part.name]
            else:
                part = part.shape if isinstance(part, s.Nullable) else part.item
        return part if isinstance(part, s.Page) else None

    def _objects(self, part: s.Shape) -> list[_Object]:
        """What a value may be, or hold in lists, that has members."""
        found: list[_Object] = []
        seen: set[str] = set()
        pending = [_Object("", part)]
        while pending:
            name, here = pending.pop()
            match here:
                case s.Ref(name=named) if named not in seen:
                    seen.add(named)
                    pending.append(_Object(named, self._types[named]))
                case s.Nullable(shape=inner):
                    pending.append(_Object(name, inner))
                case s.List(item=inner):
                    pending.append(_Object("", inner))
                case s.Union(arms=arms):
                    pending += [_Object("", arm) for arm in arms]
                case s.Record() | s.Map() | s.Anything() | s.Json():
                    found.append(_Object(name, here))
        return found

    def _members(self, objects: list[_Object], name: str) -> list[s.Shape]:
        return [member for each in objects if (member := self._member(each, name)) is not None]

    def _member(self, within: _Object, name: str) -> s.Shape | None:
        match within.shape:
            case s.Record(extras=extras, extra=extra) as record:
                field = record.field(name)
                if field is not None:
                    return field.shape
                kept = (extra or s.Anything()) if extras == "keep" else None
                return self._linked.get(within.type, {}).get(name, kept)
            case s.Map(value=value):
                return value
            case _:
                return s.Anything()

    def _names(self, objects: list[_Object]) -> Iterator[str]:
        for each in objects:
            if isinstance(each.shape, s.Record):
                yield from (field.name for field in each.shape.fields)
        yield from self._links(objects)

    def _links(self, objects: list[_Object]) -> Iterator[str]:
        for each in objects:
            yield from self._linked.get(each.type, ())


def _either(found: list[s.Shape]) -> s.Shape:
    return found[0] if len(found) == 1 else s.Union(arms=tuple(found))
