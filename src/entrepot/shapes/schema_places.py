"""Schemas that refer into themselves, as parts of a larger document.

A schema that is a value of its own (`Json`) has references such as `#/$defs/T`, which mean the schema's
own root. In a document they would mean the document's, and few readers look at the `$id` that could
say otherwise. So in a document they lead to the very place where the schema stands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from entrepot.kit.pointers import escape
from entrepot.shapes.schema_words import ID_PREFIX, OURS, said, saying

_POINTER_SAFE = "/!$&'()*+,;=:@?"
"""What may stand unescaped in a fragment (RFC 3986, §3.5)."""


def placed(document: Any) -> Any:
    """Plain JSON in which every reference leads to where its target stands in the document."""
    return _walked(document, "", _placed_schema)


def unplaced(document: Any) -> Any:
    """The dual of `placed`."""
    return _walked(document, "", _unplaced_schema)


def _walked(value: Any, pointer: str, change: Callable[[dict[str, Any], str], Any]) -> Any:
    if isinstance(value, list):
        return [_walked(item, f"{pointer}/{index}", change) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if said(value).get("kind") == "json":
        return change(value, "#" + quote(pointer, safe=_POINTER_SAFE))
    return {key: _walked(item, f"{pointer}/{escape(key)}", change) for key, item in value.items()}


def _placed_schema(schema: dict[str, Any], place: str) -> Any:
    bare = {key: value for key, value in schema.items() if key != "$id"}
    own_id = str(schema.get("$id", ID_PREFIX))
    placed = _with_references(bare, lambda ref: place + ref[1:] if ref[:2] in ("#", "#/") else ref)
    return saying(placed, id=None if own_id.startswith(ID_PREFIX) else own_id)


def _unplaced_schema(schema: dict[str, Any], place: str) -> Any:
    own = said(schema)
    identity = {"$id": own["id"]} if "id" in own else {}
    bare = schema | {OURS: {word: value for word, value in own.items() if word != "id"}}
    return identity | _with_references(bare, lambda ref: "#" + ref[len(place) :] if _leads_into(ref, place) else ref)


def _leads_into(reference: str, place: str) -> bool:
    return reference == place or reference.startswith(f"{place}/")


def _with_references(value: Any, rename: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [_with_references(item, rename) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: rename(item) if key == "$ref" and isinstance(item, str) else _with_references(item, rename)
        for key, item in value.items()
    }
