"""The members of an object schema as fields of a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from entrepot.model import shape as s
from entrepot.shapes import schema_words as words
from entrepot.shapes.schema_document import Schema

_FIELD_KEYS = frozenset(
    {"title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly", "xml"}
)
_FIELD_WORDS = frozenset({"python", "role", "read_scopes", "write_scopes", "filled", "default"})
"""What of a member's schema is said of the field: as JSON Schema has words for it, and in the member of ours."""

ReadMember = Callable[[str, Any], s.Shape]


def read_field(name: str, attribute: str, schema: Any, required: bool, read: ReadMember) -> s.Field:
    """One field; `read` gives the shape of a member's schema."""
    said: Schema = schema if isinstance(schema, dict) else {}
    own = words.said(schema)
    attribute = own.get("python", attribute)
    return s.Field(
        name=name,
        python="" if attribute == name else attribute,
        shape=_of_value(read(name, schema), said),
        required=required,
        default=said.get("default", UNSET) if own.get("filled") else UNSET,
        documented_default=UNSET if own.get("filled") else own.get("default", said.get("default", UNSET)),
        role=own.get("role", ""),
        access=_access(said),
        read_scopes=tuple(own.get("read_scopes", ())),
        write_scopes=tuple(own.get("write_scopes", ())),
        xml=xml_form(said),
        title=said.get("title") or "",
        docs=said.get("description") or "",
        examples=_examples(said),
        deprecated=said.get("deprecated") is True,
    )


def _of_value(shape: s.Shape, said: Schema) -> s.Shape:
    """The shape without what its schema says of the field: an inline record or schema reads that as its own."""
    inner = shape.shape if isinstance(shape, s.Nullable) else shape
    bare: s.Shape
    if isinstance(inner, s.Record) and "allOf" not in said and "anyOf" not in said:
        bare = msgspec.structs.replace(inner, title="", docs="", xml=None)
    elif isinstance(inner, s.List) and "allOf" not in said and "anyOf" not in said:
        bare = msgspec.structs.replace(inner, xml=None)
    elif isinstance(inner, s.Json) and isinstance(inner.schema, Mapping):
        bare = s.Json(schema=_without_field(inner.schema, said))
    else:
        return shape
    return s.Nullable(shape=bare) if isinstance(shape, s.Nullable) else bare


def _without_field(schema: Mapping[str, Any], said: Schema) -> dict[str, Any]:
    own = {word: value for word, value in words.said(schema).items() if word not in _FIELD_WORDS}
    kept = {key: value for key, value in schema.items() if key not in _FIELD_KEYS or said.get(key) != value}
    return {key: value for key, value in (kept | {words.OURS: own}).items() if key != words.OURS or own}


def _access(said: Schema) -> Any:
    if said.get("readOnly") is True:
        return "read"
    return "write" if said.get("writeOnly") is True else "both"


def _examples(said: Schema) -> tuple[Any, ...]:
    examples = said.get("examples")
    if isinstance(examples, list):
        return tuple(examples)
    return (said["example"],) if "example" in said else ()


def xml_form(schema: Any) -> s.XmlForm | None:
    """What a schema says of XML (OpenAPI 3.1, §4.8.26; 3.2 says by `nodeType` what was `attribute` and `wrapped`)."""
    said = schema.get("xml") if isinstance(schema, dict) else None
    if not isinstance(said, dict):
        return None
    node = said.get("nodeType")
    is_attribute = said.get("attribute") is True or node == "attribute"
    return s.XmlForm(
        kind=words.said(said).get("kind", "attribute" if is_attribute else "element"),
        name=said.get("name") or "",
        namespace=said.get("namespace") or "",
        prefix=said.get("prefix") or "",
        wrapped=said.get("wrapped") is True or (node == "element" and schema.get("type") == "array"),
    )
