"""The parameters by which callers say what of an answer they want, as OpenAPI has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from entrepot.model import shape
from entrepot.model.operation import Operation, Service
from entrepot.ports.links import is_followed
from entrepot.protocols.rest.asking import NAMES_MAX
from entrepot.protocols.rest.binding.bound import Binding
from entrepot.protocols.rest.openapi import words
from entrepot.shapes.schema_words import OURS

_FIELDS = (
    "The fields wanted, those of a member as `owner.name`. All others are left out, also those that the schema of the "
    "answer requires."
)
_EXPAND = "What to follow and put into the answer, as a member of this name."


def parameters(binding: Binding, service: Service) -> list[dict[str, Any]]:
    """Those that an operation takes."""
    links = "".join(f" There is `{name}`." for name in _links(binding.operation, service))
    docs = {"fields": _FIELDS, "expand": _EXPAND + links}
    names = {"type": "array", "items": {"type": "string"}, "maxItems": NAMES_MAX}
    return [
        {
            "name": name,
            "description": docs[name],
            "in": "query",
            "schema": names,
            "style": "form",
            "explode": False,
            OURS: {words.ASKS: name},
        }
        for name in binding.asks
    ]


def _links(operation: Operation, service: Service) -> Iterator[str]:
    """The links from what is answered, or from its items."""
    part = operation.output
    while isinstance(part, shape.Nullable | shape.List | shape.Page):
        part = part.shape if isinstance(part, shape.Nullable) else part.item
    name = part.name if isinstance(part, shape.Ref) else ""
    return (each.field for each in service.links if each.type == name and is_followed(each, service))
