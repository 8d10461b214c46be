"""Where the files of one document stand, as seen from each other.

A location is a path from a root that all have in common, as a URL spells it (`api/schemas/pet.yaml`), or the URL
of a file that is elsewhere. What a reference in one file means is told from the root too: `/api/pet.yaml#/Pet`.
"""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from entrepot.kit.pointers import escape
from entrepot.shapes.schema_words import ITEM_SCHEMA

_NAMED = frozenset(
    {
        "$defs", "callbacks", "content", "contentDescriptors", "definitions", "dependencies", "dependentSchemas",
        "encoding", "errors", "examplePairings", "examples", "headers", "links", "parameters", "pathItems", "paths",
        "patternProperties", "properties", "requestBodies", "responses", "schemas", "securitySchemes", "webhooks",
    }
)  # fmt: skip
"""Members that hold parts by names of the author's, which are no words of a language."""
_DATA = frozenset({"const", "default", "enum", "example", "value"})
"""Members that hold data, in which `$ref` means nothing. So does a list of `examples`."""


def joined(base: str, reference: str) -> str:
    """The location that a reference, without its fragment, means in the file at `base`.

    It begins with `..` where it leads out of the root.
    """
    if is_elsewhere(reference):
        return reference
    if is_elsewhere(base):
        return urljoin(base, reference)
    path, query, rest = reference.partition("?")
    return spelt(posixpath.normpath(posixpath.join(posixpath.dirname(base), path)).lstrip("/")) + query + rest


def spelt(path: str) -> str:
    """A path as locations spell it: one way for each file."""
    return quote(unquote(path), safe="/-._~!$&'()*+,;=:@")


def is_elsewhere(location: str) -> bool:
    """Whether a location is a URL."""
    return bool(urlsplit(location).scheme)


def references(content: Any, location: str) -> dict[str, str]:
    """The locations that the file at `location` refers to, itself perhaps among them, and from where it does first.

    What is nested deeper than Python walks is not looked at: a reference from there leads out of the document.
    """
    found: dict[str, str] = {}

    def note(reference: str, pointer: str) -> str:
        file = reference.partition("#")[0]
        if file:
            found.setdefault(joined(location, file), pointer)
        return reference

    with contextlib.suppress(RecursionError):
        _changed(content, note)
    return found


def rebased(content: Any, location: str) -> Any:
    """The content of the file at `location` with every reference as told from the root."""

    def tell(reference: str, _pointer: str) -> str:
        file, _, fragment = reference.partition("#")
        target = joined(location, file) if file else location
        return (target if is_elsewhere(target) else f"/{target}") + (f"#{fragment}" if fragment else "")

    return _changed(content, tell)


def _changed(value: Any, change: Callable[[str, str], str], pointer: str = "", *, named: bool = False) -> Any:
    """The value with each reference changed; `named` says that its members are no words of a language."""
    if isinstance(value, list):
        return [_changed(item, change, f"{pointer}/{index}") for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    changed = {}
    for key, item in value.items():
        place = f"{pointer}/{escape(str(key))}"
        if named or not _holds_data(key, item):
            if not named and key == "$ref" and isinstance(item, str):
                item = change(item, place)
            elif not named and key == "mapping" and isinstance(item, dict):
                item = {tag: change(each, place) if _is_mapped(each) else each for tag, each in item.items()}
            else:
                item = _changed(item, change, place, named=not named and key in _NAMED)
        changed[key] = item
    return changed


def _is_mapped(target: Any) -> bool:
    """Whether the `mapping` of a discriminator has a reference there, and not the name of a schema."""
    return isinstance(target, str) and ("/" in target or "#" in target or target.endswith((".json", ".yaml", ".yml")))


def _holds_data(key: str, item: Any) -> bool:
    """Whether nothing in a member is a reference of the contract's: it is a value, or a vendor's own affair."""
    of_vendor = key.startswith("x-") and key != ITEM_SCHEMA
    return of_vendor or key in _DATA or (key == "examples" and isinstance(item, list))
