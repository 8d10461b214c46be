"""Times and sizes are more than nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic
from entrepot.spec.units import octets, seconds

CODE = "E322"

_TIMES = {"timeout", "connect_timeout", "per_try_timeout", "interval", "duration"}
_SIZES = {"body", "file", "reply", "stream_item"}


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Values of zero, which would mean never or nothing."""
    for path, text in _texts(draft.declaration, ()):
        if (seconds(text) if path[-1] in _TIMES else octets(text)) <= 0:
            remedy = "Give a positive one; without the key its default holds."
            yield Diagnostic(CODE, f"`{path[-1]}: {text}` allows nothing", draft.at(*path), remedy)


def _texts(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, Struct):
        for name in value.__struct_fields__:
            yield from _texts(getattr(value, name), (*path, name)) if name != "environments" else ()
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _texts(member, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))
    elif isinstance(value, str) and (path[-1] in _TIMES or (path[0] == "limits" and path[-1] in _SIZES)):
        yield path, value
