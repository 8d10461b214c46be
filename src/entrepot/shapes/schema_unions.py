"""How the arms of a `oneOf` or `anyOf` can be told apart.

Decided from the schemas themselves, not from the shapes read of them, since an arm may lead
back to the very type that is being read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from entrepot.shapes.arms import Names
from entrepot.shapes.document import Unreadable
from entrepot.shapes.kinds import ALL, Kind, kind_of
from entrepot.shapes.schema_document import SchemaDocument, Unmergeable, as_list
from entrepot.shapes.schema_words import UNTYPED

_OBJECT_WORDS = (
    "properties", "required", "additionalProperties", "minProperties", "maxProperties", "propertyNames",
    "unevaluatedProperties",
)  # fmt: skip
_ARRAY_WORDS = ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains")
_STRING_WORDS = ("pattern", "minLength", "maxLength", "contentEncoding")
_NUMBER_WORDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")


class Outline(NamedTuple):
    """What can be seen of an arm from outside."""

    kinds: frozenset[Kind]
    names: Names = Names()
    constants: Mapping[str, tuple[str, ...]] = {}
    """Members that can only be one of a few texts."""
    is_plain: bool = True
    """Whether it has nothing else, such as unions of its own."""

    @property
    def is_record(self) -> bool:
        """An object with known members."""
        return self.kinds == {"object"} and bool(self.names.all)


class Tagging(NamedTuple):
    """A way to tell records apart by one member."""

    field: str
    tags: tuple[tuple[int, str], ...]
    """The arm and its tag; an arm with several stands several times."""


def kinds_said(schema: Mapping[str, Any]) -> frozenset[Kind]:
    """The JSON kinds that a flat schema is for, by its `type` or by the keywords it uses."""
    if "type" in schema:
        said = {"file": "string"}
        return frozenset(said.get(kind, kind) for kind in as_list(schema["type"]) if said.get(kind, kind) in ALL)
    if "enum" in schema:
        return frozenset(map(kind_of, as_list(schema["enum"])))
    if "const" in schema:
        return frozenset({kind_of(schema["const"])})
    for words, kind in (
        (_OBJECT_WORDS, "object"),
        (_ARRAY_WORDS, "array"),
        (_STRING_WORDS, "string"),
        (_NUMBER_WORDS, "number"),
    ):
        if any(word in schema for word in words):
            return frozenset({kind})  # type: ignore[arg-type]
    return frozenset()


_Known = dict[int, tuple[Any, Outline | None]]
"""By identity: a schema, and its outline once there is one. Many arms may lead to the same."""


def outline(document: SchemaDocument, schema: Any, known: _Known | None = None) -> Outline:
    """The outline of an arm. Raises Unreadable as `SchemaDocument.flat` does."""
    known = {} if known is None else known
    if id(schema) not in known:
        known[id(schema)] = schema, None
        known[id(schema)] = schema, _outline(document, schema, known)
    _, found = known[id(schema)]
    if found is None:
        raise Unreadable("oneOf", "the union leads back to itself")
    return found


def _outline(document: SchemaDocument, schema: Any, known: _Known) -> Outline:
    try:
        flat = document.flat(schema)
    except Unmergeable:
        return Outline(kinds_said(schema) or ALL)
    kinds = kinds_said(flat)
    arms = [*flat.get("oneOf", ()), *flat.get("anyOf", ())]
    if arms and not kinds:
        inner = [outline(document, arm, known) for arm in arms]
        return Outline(frozenset[Kind]().union(*(each.kinds for each in inner)))
    properties = flat.get("properties") or {}
    required = frozenset(name for name in flat.get("required") or () if isinstance(name, str))
    constants = {name: texts for name in properties if (texts := _texts(document, properties[name]))}
    is_plain = not arms and flat.keys().isdisjoint(UNTYPED)
    # Null tells no arm from another: it is the same value in each, whichever way it is let in.
    return Outline(
        kinds - {"null"} or kinds or ALL, Names(required, frozenset(properties) | required), constants, is_plain
    )


def _texts(document: SchemaDocument, schema: Any) -> tuple[str, ...]:
    try:
        flat = document.flat(schema)
    except (Unreadable, Unmergeable):
        return ()
    values = [flat["const"]] if "const" in flat else as_list(flat.get("enum", []))
    return tuple(values) if values and all(isinstance(value, str) for value in values) else ()


def tags_by_constants(arms: list[Outline]) -> Tagging | None:
    """A member that all arms require, and that can be different texts in each."""
    for name, _ in arms[0].constants.items():
        if not all(name in arm.constants and name in arm.names.required for arm in arms):
            continue
        tags = [(index, tag) for index, arm in enumerate(arms) for tag in arm.constants[name]]
        if len({tag for _, tag in tags}) == len(tags):
            return Tagging(name, tuple(tags))
    return None


def tags_by_discriminator(discriminator: Any, schemas: list[Any], arms: list[Outline]) -> Tagging | None:
    """The tags that an OpenAPI discriminator gives: `mapping` first, then constants, then schema names."""
    field = discriminator.get("propertyName") if isinstance(discriminator, dict) else None
    if not isinstance(field, str) or "defaultMapping" in discriminator:  # in OpenAPI 3.2: there may be no tag at all
        return None
    refs = [schema.get("$ref") if isinstance(schema, dict) else None for schema in schemas]
    tags: list[tuple[int, str]] = []
    for tag, target in (discriminator.get("mapping") or {}).items():
        tags += [(index, str(tag)) for index, ref in enumerate(refs) if _is_target(ref, target)]
    taken = {tag for _, tag in tags}
    for index, (ref, arm) in enumerate(zip(refs, arms, strict=True)):
        if index in {i for i, _ in tags}:
            continue
        own = [tag for tag in arm.constants.get(field, ()) if tag not in taken]
        if not own and "/" in str(ref).partition("#")[2]:
            own = [str(ref).rsplit("/", 1)[-1]]
        tags += [(index, tag) for tag in own]
    found = [tag for _, tag in tags]
    complete = {index for index, _ in tags} == set(range(len(schemas)))
    return Tagging(field, tuple(sorted(tags))) if complete and len(set(found)) == len(found) else None


def _is_target(ref: Any, target: Any) -> bool:
    if not isinstance(ref, str) or not isinstance(target, str):
        return False
    return ref == target or ref.rsplit("/", 1)[-1] == target
