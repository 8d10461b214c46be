"""What changes from one release to another: the change set, by the names that an author knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from entrepot.ir.release import Release

_TAGS = ("kind", "type")
"""Members that tell what else a value has."""
_NAMES = ("name", "path")
"""By which of its members an item of a list is told from the others."""


class Difference(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is there in one release alone, or has another value in the other."""

    what: str
    """Where: `services.shop.operations.quote.timeout`."""
    kind: Literal["added", "removed", "changed"]
    before: Any = None
    after: Any = None
    path: tuple[str, ...] = ()
    """The same as `what`, name by name: there may be dots in one."""


def differences(one: Release, other: Release) -> list[Difference]:
    """In order of the names. What is added or removed as a whole is one difference."""
    return sorted(_between(_plain(one), _plain(other), ()), key=lambda each: each.what)


def _plain(release: Release) -> dict[str, Any]:
    """A release as maps by name: edge and workers are told together, as in a declaration."""
    plain = msgspec.to_builtins(release)
    edge, worker = plain.pop("edge"), plain.pop("worker")
    services = [{**table.pop("service"), **table} for table in worker.pop("services")]
    named: dict[str, Any] = _by_name({**plain, **worker, **edge, "services": services, "pools": worker["pools"]})
    return named


def _by_name(value: Any) -> Any:
    """The value, with maps for lists of what has names."""
    if isinstance(value, dict):
        return {str(name): _by_name(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        items = [_by_name(each) for each in value]
        return _keyed(items) or items
    return value


def _keyed(items: list[Any]) -> dict[str, Any]:
    """The items by what names them; nothing when they have no names, or share one."""
    for member in _NAMES:
        names = [each.get(member) for each in items if isinstance(each, dict)]
        if len({*map(str, names)}) == len(items) and None not in names:
            return {str(name): each for name, each in zip(names, items, strict=True)}
    return {}


def _between(one: Any, other: Any, path: tuple[str, ...]) -> Iterator[Difference]:
    one, other = _as_map(one, other), _as_map(other, one)
    if one == other:
        return
    if not (isinstance(one, Mapping) and isinstance(other, Mapping) and _is_same_kind(one, other)):
        yield _difference(path, "changed", one, other)
        return
    for name in one.keys() | other.keys():
        here = (*path, name)
        if name not in other:
            yield _difference(here, "removed", before=one[name])
        elif name not in one:
            yield _difference(here, "added", after=other[name])
        else:
            yield from _between(one[name], other[name], here)


def _difference(
    path: tuple[str, ...], kind: Literal["added", "removed", "changed"], before: Any = None, after: Any = None
) -> Difference:
    return Difference(".".join(path), kind, before, after, path)


def _is_same_kind(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two values can be told apart by their members: a text and a list have none in common."""
    return all(one.get(tag) == other.get(tag) for tag in _TAGS if isinstance(one.get(tag), str))


def _as_map(value: Any, beside: Any) -> Any:
    """An empty list beside a map is one of things that have names, if there were any."""
    return {} if value == [] and isinstance(beside, Mapping) else value
