"""The JSON Schema of `entrepot.yaml`, for editors."""

from __future__ import annotations

import ast
import inspect
from itertools import pairwise
from typing import Any

import msgspec
from msgspec.structs import replace

from entrepot.model import shape as s
from entrepot.shapes.reflect import Reflector
from entrepot.shapes.schema_out import schema, schemas
from entrepot.spec import declaration

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_DEFINITIONS = "#/$defs/"


def declaration_schema(kinds: tuple[str, ...]) -> dict[str, Any]:
    """A schema (2020-12) by which an editor completes and checks a declaration.

    `kinds` are the kinds of document that protocols read. A key without a value, which counts as not
    given, is more likely a mistake while one writes, so the schema does not allow it.
    """
    reflector = Reflector()
    root = reflector.shape(declaration.declaration_type(kinds))
    docs = _docs()
    types = {name: _explained(shape, docs.get(name, {})) for name, shape in sorted(reflector.types.items())}
    return {
        "$schema": DIALECT,
        "title": "entrepot.yaml",
        **schema(root, types, _DEFINITIONS),
        "$defs": schemas(types, _DEFINITIONS),
    }


def _explained(shape: s.Shape, docs: dict[str, str]) -> s.Shape:
    """A record whose fields say what they mean, and of which none is null or filled in."""
    if not isinstance(shape, s.Record):
        return shape
    return replace(
        shape, fields=tuple(_explained_field(field, docs.get(field.name, field.docs)) for field in shape.fields)
    )


def _explained_field(field: s.Field, docs: str) -> s.Field:
    shape = field.shape.shape if isinstance(field.shape, s.Nullable) else field.shape
    return replace(field, shape=shape, docs=docs, default=msgspec.UNSET)


def _docs() -> dict[str, dict[str, str]]:
    """By class of the declaration and field: the text under the field, also where a class inherits it."""
    docs: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(declaration)).body:
        if isinstance(node, ast.ClassDef):
            inherited = (docs.get(base.id, {}) for base in node.bases if isinstance(base, ast.Name))
            docs[node.name] = dict(item for each in inherited for item in each.items()) | _field_docs(node)
    return docs


def _field_docs(definition: ast.ClassDef) -> dict[str, str]:
    docs = {}
    for field, text in pairwise(definition.body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                docs[name] = " ".join(words.split())
    return docs
