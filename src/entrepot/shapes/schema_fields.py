"""The members of an object schema as fields of a record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET

from entrepot.model import shape as s
from entrepot.shapes import schema_words as words
from entrepot.shapes.schema_document import Schema

ReadMember = Callable[[str, Any], s.Shape]


def read_field(name: str, attribute: str, schema: Any, required: bool, read: ReadMember) -> s.Field:
    """One field; `read` gives the shape of a member's schema."""
    said: Schema = schema if isinstance(schema, dict) else {}
    own = words.said(schema)
    attribute = own.get("python", attribute)
    return s.Field(
        name=name,
        python="" if attribute == name else attribute,
        shape=_unnamed(read(name, schema), said),
        required=required,
        default=said.get("default", UNSET) if own.get("filled") else UNSET,
        documented_default=UNSET if own.get("filled") else own.get("default", said.get("default", UNSET)),
        role=own.get("role", ""),
        access=_access(said),
        read_scopes=tuple(own.get("read_scopes", ())),
        write_scopes=tuple(own.get("write_scopes", ())),
        xml=_xml(said.get("xml")),
        title=said.get("title") or "",
        docs=said.get("description") or "",
        examples=_examples(said),
        deprecated=said.get("deprecated") is True,
    )


def _unnamed(shape: s.Shape, said: Schema) -> s.Shape:
    """The shape without a title and docs that belong to the field: an inline record reads them as its own."""
    inner = shape.shape if isinstance(shape, s.Nullable) else shape
    if not isinstance(inner, s.Record) or "allOf" in said or "anyOf" in said:
        return shape
    bare = msgspec.structs.replace(inner, title="", docs="")
    return s.Nullable(shape=bare) if isinstance(shape, s.Nullable) else bare


def _access(said: Schema) -> Any:
    if said.get("readOnly") is True:
        return "read"
    return "write" if said.get("writeOnly") is True else "both"


def _examples(said: Schema) -> tuple[Any, ...]:
    examples = said.get("examples")
    if isinstance(examples, list):
        return tuple(examples)
    return (said["example"],) if "example" in said else ()


def _xml(said: Any) -> s.XmlForm | None:
    if not isinstance(said, dict):
        return None
    return s.XmlForm(
        kind=words.said(said).get("kind", "attribute" if said.get("attribute") is True else "element"),
        name=said.get("name") or "",
        namespace=said.get("namespace") or "",
        wrapped=said.get("wrapped") is True,
    )
