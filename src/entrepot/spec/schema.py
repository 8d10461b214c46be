"""The JSON Schema of `entrepot.yaml`, for editors."""

from __future__ import annotations

from typing import Any

from entrepot.shapes.reflect import Reflector
from entrepot.shapes.schema_out import schema
from entrepot.spec.declaration import declaration_type

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def declaration_schema(kinds: tuple[str, ...]) -> dict[str, Any]:
    """A schema (2020-12) by which an editor completes and checks a declaration.

    `kinds` are the kinds of document that protocols read.
    """
    reflector = Reflector()
    root = reflector.shape(declaration_type(kinds))
    types = {name: schema(shape, reflector.types, "#/$defs/") for name, shape in reflector.types.items()}
    return {
        "$schema": DIALECT,
        "title": "entrepot.yaml",
        **schema(root, reflector.types, "#/$defs/"),
        "$defs": dict(sorted(types.items())),
    }
