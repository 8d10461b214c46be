"""Many calls by one request, as OpenAPI has them: another media type of the body, another success."""

from __future__ import annotations

from typing import Any

from entrepot.protocols.rest.binding.bound import NDJSON, Binding
from entrepot.protocols.rest.bulk import MULTI_STATUS
from entrepot.protocols.rest.openapi import words
from entrepot.shapes.schema_words import ITEM_SCHEMA, OURS

_LINE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "status": {"type": "integer"},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
        "body": {"description": "What one call is answered: an output, or a problem."},
    },
    "required": ["status", "headers", "body"],
}


def write(operation: dict[str, Any], binding: Binding) -> None:
    """Adds them to a written operation that takes them."""
    if not binding.bulk:
        return
    content = operation["requestBody"]["content"]
    content[NDJSON] = {ITEM_SCHEMA: content[binding.accepts[0]]["schema"]}
    operation["responses"][str(MULTI_STATUS)] = {
        "description": "A line for each line of the body, in their order.",
        "content": {NDJSON: {ITEM_SCHEMA: _LINE}},
        OURS: {words.BULK: True},
    }
