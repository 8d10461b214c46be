"""Draft 4 of JSON Schema as 2020-12, keyword by keyword. OpenAPI 2.0 and 3.0 build on draft 4.

Sources: the migration notes of drafts 6, 2019-09 and 2020-12 (https://json-schema.org/specification-links).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Schema = dict[str, Any]

_ONE = frozenset(
    {
        "additionalItems", "additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then",
        "unevaluatedItems", "unevaluatedProperties",
    }
)  # fmt: skip
_SEVERAL = frozenset({"allOf", "anyOf", "items", "oneOf", "prefixItems"})
_NAMED = frozenset({"$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"})
_TUPLE_ITEM = re.compile(r"/items/(?=\d)")


def is_draft_4(schema: Any) -> bool:
    """Whether a schema says of itself that it is of draft 4."""
    return isinstance(schema, Mapping) and "json-schema.org/draft-04/" in str(schema.get("$schema"))


def modern(schema: Any) -> Any:
    """A schema of draft 4, with all the schemas in it, as one of 2020-12 without `$schema`."""
    if not isinstance(schema, Mapping):
        return schema
    if isinstance(schema.get("$ref"), str):
        # Draft 4 reads nothing that stands beside a reference; what is defined there may be referred to all the same.
        kept = {key: schema[key] for key in ("definitions",) if key in schema}
        return mapped(kept, modern) | {"$ref": _TUPLE_ITEM.sub("/prefixItems/", schema["$ref"])}
    out = _identified(mapped(schema, modern))
    out.pop("$schema", None)
    return modern_keywords(out)


def mapped(schema: Mapping[str, Any], change: Callable[[Any], Any]) -> Schema:
    """The schema with each schema that stands directly in it changed. Data, as in `enum`, stays as it is."""
    out: Schema = {}
    for key, value in schema.items():
        if key in _SEVERAL and isinstance(value, list):
            out[key] = [change(item) for item in value]
        elif key in _NAMED and isinstance(value, Mapping):
            out[key] = {name: change(item) for name, item in value.items()}
        else:
            out[key] = change(value) if key in _ONE else value
    return out


def modern_keywords(schema: Schema) -> Schema:
    """One schema whose own tuples, exclusive bounds and dependencies are spelt as in 2020-12."""
    if isinstance(schema.get("items"), list):
        rest = schema.get("additionalItems", True)
        schema = without(schema, ("additionalItems",)) | {"prefixItems": schema["items"], "items": rest}
    elif "additionalItems" in schema:
        schema = without(schema, ("additionalItems",))
    return modern_bounds(_modern_dependencies(schema))


def modern_bounds(schema: Schema) -> Schema:
    """Boolean exclusive bounds as numbers of their own."""
    for exclusive, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        flag = schema.get(exclusive)
        if isinstance(flag, bool):
            schema = without(schema, (exclusive,))
            if flag and inclusive in schema:
                schema = without(schema, (inclusive,)) | {exclusive: schema[inclusive]}
    return schema


def without(schema: Schema, keywords: tuple[str, ...]) -> Schema:
    """The schema less some of its keywords."""
    return {key: value for key, value in schema.items() if key not in keywords}


def _modern_dependencies(schema: Schema) -> Schema:
    given = schema.get("dependencies")
    if not isinstance(given, Mapping):
        return schema
    names = {name: value for name, value in given.items() if isinstance(value, list)}
    schemas = {name: value for name, value in given.items() if not isinstance(value, list)}
    split = {"dependentRequired": names, "dependentSchemas": schemas}
    return without(schema, ("dependencies",)) | {keyword: found for keyword, found in split.items() if found}


def _identified(schema: Schema) -> Schema:
    """`id` as `$id`, or as `$anchor` where it names a place in the document."""
    own = schema.get("id")
    if not isinstance(own, str):
        return schema
    base, _, anchor = own.partition("#")
    given = {"$id": base, "$anchor": anchor}
    return without(schema, ("id",)) | {keyword: text for keyword, text in given.items() if text}
