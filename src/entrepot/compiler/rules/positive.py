"""Times and sizes are more than nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

from msgspec import Struct
from msgspec.structs import fields

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic
from entrepot.spec.units import octets, seconds

CODE = "E322"

_TIMES = {"timeout", "connect_timeout", "per_try_timeout", "interval", "duration"}
_SIZES = {"body", "file", "reply", "stream_item", "edge_memory"}
_EDGE_LEAST = "64MiB"
"""About what an edge holds that serves nobody."""


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Values of zero, which would mean never or nothing, and a memory that is used up before the first request."""
    for path, text in _texts(_members(draft.declaration), ()):
        if path[-1] == "edge_memory" and octets(text) < octets(_EDGE_LEAST):
            remedy = f"Give {_EDGE_LEAST} or more; without the key its default holds."
        elif (seconds(text) if path[-1] in _TIMES else octets(text)) <= 0:
            remedy = "Give a positive one; without the key its default holds."
        else:
            continue
        yield Diagnostic(CODE, f"`{path[-1]}: {text}` allows nothing", draft.at(*path), remedy)


_Path = tuple[str | int, ...]
_Members = list[tuple[str | int, Any]]


def _texts(members: _Members, path: _Path) -> Iterator[tuple[_Path, str]]:
    for name, member in members:
        if isinstance(member, str):
            if name in _TIMES or (path == ("limits",) and name in _SIZES):
                yield (*path, name), member
        elif inner := _members(member):
            yield from _texts(inner, (*path, name))


def _members(value: Any) -> _Members:
    """What a value holds, of an entry what may matter: most entries hold nothing that does."""
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, list):
        return list(enumerate(value))
    kind: type = type(value)
    return [(name, member) for name in _telling(kind) if (member := getattr(value, name)) is not None]


@cache
def _telling(kind: type) -> tuple[str, ...]:
    """The keys of an entry that are times or sizes, or hold entries: a few of many."""
    if not issubclass(kind, Struct):
        return ()
    names = _TIMES | _SIZES
    return tuple(each.name for each in fields(kind) if each.name in names or _holds_entries(each.type))


def _holds_entries(annotation: Any) -> bool:
    inner = get_args(annotation)
    return any(map(_holds_entries, inner)) or (isinstance(annotation, type) and issubclass(annotation, Struct))
