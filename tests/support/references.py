"""The references of a document, followed by a library that knows nothing of us."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012


def dangling(document: Any) -> list[str]:
    """Every `$ref` in the document, wherever it stands, that leads nowhere."""
    registry: Registry[Any] = Registry().with_resource("", Resource(contents=document, specification=DRAFT202012))
    resolver = registry.resolver()
    lost = []
    for reference in _references(document):
        try:
            resolver.lookup(reference)
        except Unresolvable:
            lost.append(reference)
    return lost


def _references(value: Any) -> Iterator[str]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict) and isinstance(value.get("$ref"), str):
        yield value["$ref"]
    for child in children:
        yield from _references(child)
