"""A document with JSON Schemas in it: references followed, `allOf` merged, parts cut out whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from entrepot.kit import names, pointers
from entrepot.kit.pointers import escape
from entrepot.shapes.document import Tree, Unreadable, split
from entrepot.shapes.schema_drafts import is_draft_4, mapped, modern_keywords, without
from entrepot.shapes.schema_words import OURS

Schema = dict[str, Any]

ANNOTATIONS = frozenset(
    {
        "title", "description", "default", "example", "examples", "deprecated", "readOnly", "writeOnly", "xml",
        "externalDocs", "$comment", "summary", "$schema", "$id", "$defs", "definitions",
    }
)  # fmt: skip
"""Keywords that say nothing about which values are valid."""
_CONTAINERS = ("/components/schemas", "/definitions", "/$defs")
_TIGHTEST = {
    "minimum": max, "exclusiveMinimum": max, "minLength": max, "minItems": max, "minProperties": max,
    "maximum": min, "exclusiveMaximum": min, "maxLength": min, "maxItems": min, "maxProperties": min,
}  # fmt: skip
_EVALUATED = frozenset({"unevaluatedItems", "unevaluatedProperties"})
_FAMILIES = (
    frozenset({"prefixItems", "items"}),
    frozenset({"patternProperties", "additionalProperties"}),
    frozenset({"contains", "minContains", "maxContains"}),
    frozenset({"if", "then", "else"}),
)
_MEETABLE: tuple[set[str], ...] = ({"items"}, {"additionalProperties"})
_WEAK_FORMS = (None, "", ())


class Unmergeable(Exception):
    """The parts of an `allOf` mean something only apart, so they cannot be written as one schema."""


class SchemaDocument:
    """The schemas of a document, which refer to one another."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        content = tree.content
        version = content.get("openapi", "") if isinstance(content, dict) else ""
        in_draft_4 = str(version).startswith("3.0") or (isinstance(content, dict) and "swagger" in content)
        self.siblings_count = not (in_draft_4 or is_draft_4(content))
        """Whether keywords beside a `$ref` have a meaning: from OpenAPI 3.1 on they do."""
        self._flattened: dict[str, Schema] = {}
        """By pointer, so that parts which many lead to are merged once."""
        self._names: dict[str, str] = {}
        self._taken: dict[str, int] = {}
        for container in _CONTAINERS:
            found = tree.at(container) if tree.has(container) else None
            for key in found if isinstance(found, dict) else ():
                self.name_of(f"{container}/{escape(str(key))}")

    def name_of(self, pointer: str) -> str:
        """The type name for the schema at a pointer: the same one every time."""
        if pointer not in self._names:
            location, pointer_there = split(pointer)
            path = pointers.tokens(pointer_there)
            last = path[-1] if path else PurePosixPath(location).stem or "Root"
            base = last if last.isidentifier() and last.isascii() and not last.startswith("_") else names.pascal(last)
            if len(path) > 2 and not any(pointer_there.startswith(f"{container}/") for container in _CONTAINERS):
                base = "".join(map(names.pascal, path[-2:]))
            self._names[pointer] = names.unique(base, self._taken)
        return self._names[pointer]

    def flat(self, schema: Any, seen: frozenset[str] = frozenset()) -> Schema:
        """The schema with its reference followed and its `allOf` merged into one level.

        Raises Unreadable when parts contradict each other or lead back to themselves, Unmergeable
        when one schema cannot say what they say.
        """
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        if not isinstance(schema, dict):
            raise Unreadable("schema", "a schema is an object, true or false")
        own = {key: value for key, value in schema.items() if key not in ("$ref", "allOf")}
        parts: list[Schema] = []
        if "$ref" in schema:
            pointer = self.tree.pointer_of(schema["$ref"])
            if pointer in seen:
                raise Unreadable("$ref", f"{pointer!r} leads back to itself")
            if pointer not in self._flattened:
                self._flattened[pointer] = self.flat(self.tree.at(pointer), seen | {pointer})
            parts.append(self._flattened[pointer])
            own = own if self.siblings_count else {key: own[key] for key in own if key in ANNOTATIONS | _NULLABLE}
        for part in schema.get("allOf", ()):
            flat = self.flat(part, seen)
            # An inherited base lists its heirs; an heir is none of them but itself.
            parts.append(without(flat, ("oneOf", "anyOf", "discriminator")) if "discriminator" in flat else flat)
        return merge([own, *parts]) if parts else own

    def bundle(self, schema: Any) -> Schema | bool:
        """The schema as a document of its own in plain 2020-12: all that it refers to is in its `$defs`."""
        definitions: Schema = {}
        pending: list[str] = []
        out = self._copy(schema, pending)
        while pending:
            pointer = pending.pop()
            name = self.name_of(pointer)
            if name not in definitions:
                definitions[name] = True
                definitions[name] = self._copy(self.tree.at(pointer), pending)
        if isinstance(out, dict):
            out = without(out, ("$defs", "definitions"))
            return out | {"$defs": definitions} if definitions else out
        return bool(out)

    def _copy(self, part: Any, pending: list[str]) -> Any:
        if not isinstance(part, dict):
            return part
        if "$dynamicRef" in part:
            raise Unreadable("$dynamicRef", "where it leads depends on the schemas around, which are not taken along")
        if "$ref" in part and not self.siblings_count:
            part = {key: part[key] for key in part if key == "$ref" or key in _NULLABLE}
        out = modern_keywords(mapped(without(part, tuple(_NULLABLE)), lambda each: self._copy(each, pending)))
        if isinstance(part.get("$ref"), str):
            pointer = self.tree.pointer_of(part["$ref"])
            pending.append(pointer)
            out["$ref"] = f"#/$defs/{escape(self.name_of(pointer))}"
        return {"anyOf": [out, {"type": "null"}]} if is_nullable(part) else out


_NULLABLE = frozenset({"nullable", "x-nullable"})


def is_nullable(schema: Mapping[str, Any]) -> bool:
    """Whether OpenAPI 3.0's `nullable`, or 2.0's `x-nullable`, lets null in."""
    return any(schema.get(keyword) is True for keyword in _NULLABLE)


def structural(schema: Mapping[str, Any]) -> set[str]:
    """The keywords that say which values are valid."""
    return {key for key in schema if key not in ANNOTATIONS and key not in _NULLABLE and not key.startswith("x-")}


def merge(parts: Iterable[Schema]) -> Schema:
    """One schema for what all of the parts demand. Raises Unreadable on a contradiction, and Unmergeable."""
    out: Schema = {}
    modern = [modern_keywords(part) for part in parts]
    _refuse_interplay(modern)
    for part in modern:
        for keyword, value in part.items():
            out[keyword] = _meet(keyword, out[keyword], value) if keyword in out else value
    return out


def _refuse_interplay(parts: list[Schema]) -> None:
    """Some keywords look at others beside them; merged, they would look at those of other parts."""
    if any(part.keys() & _EVALUATED for part in parts[1:]):
        raise Unmergeable
    for family in _FAMILIES:
        said = [part.keys() & family for part in parts if part.keys() & family]
        if len(said) > 1 and set().union(*said) not in _MEETABLE:
            raise Unmergeable


def _meet(keyword: str, mine: Any, other: Any) -> Any:
    if keyword == OURS and isinstance(mine, dict) and isinstance(other, dict):
        return other | mine
    if mine == other or keyword in ANNOTATIONS or keyword.startswith("x-"):
        return other if mine in _WEAK_FORMS else mine
    match keyword:
        case "properties":
            both = mine.keys() & other.keys()
            return mine | other | {name: _both(mine[name], other[name]) for name in both}
        case "required":
            return list(dict.fromkeys([*mine, *other]))
        case "type":
            return _meet_types(mine, other)
        case "enum":
            return _some([value for value in mine if value in other], keyword)
        case "items":
            return _both(mine, other)
        case "additionalProperties":
            return _meet_extras(mine, other)
        case "nullable" | "x-nullable":
            return mine and other
        case "uniqueItems":
            return mine or other
        case "format":
            return mine or other
        case _ if keyword in _TIGHTEST:
            return _TIGHTEST[keyword](mine, other)
        case "const":
            raise Unreadable("allOf", "its parts contradict each other in 'const'")
        case _:
            raise Unmergeable


def _both(mine: Any, other: Any) -> Any:
    parts = [*_parts_of(mine), *(part for part in _parts_of(other) if part not in _parts_of(mine))]
    return parts[0] if len(parts) == 1 else {"allOf": parts}


def _parts_of(schema: Any) -> list[Any]:
    """What was met before, so that schemas which lead back to each other meet in a few ways only."""
    return schema["allOf"] if isinstance(schema, dict) and schema.keys() == {"allOf"} else [schema]


def _meet_types(mine: Any, other: Any) -> Any:
    mine, other = as_list(mine), as_list(other)
    kept = [kind for kind in mine if kind in other or (kind == "integer" and "number" in other)]
    kept += [kind for kind in other if kind == "integer" and "number" in mine and kind not in kept]
    kinds = _some(kept, "type")
    return kinds[0] if len(kinds) == 1 else kinds


def _meet_extras(mine: Any, other: Any) -> Any:
    # Each part would close itself against the properties of the others; no author means that.
    if mine in (True, {}):
        return other
    return mine if other in (True, {}, False) else other


def _some(values: list[Any], keyword: str) -> list[Any]:
    if not values:
        raise Unreadable("allOf", f"its parts contradict each other in {keyword!r}")
    return values


def as_list(value: Any) -> list[Any]:
    """The value of a keyword that takes one thing or several."""
    return list(value) if isinstance(value, list) else [value]
