"""The words that the OpenAPI writer and reader share beside OpenAPI's own."""

from __future__ import annotations

from entrepot.model.operation import Operation

REFERENCES = "#/components/schemas/"
PROBLEM_SCHEMA = "entrepot.Problem"
"""The name of the problem schema; a type of a service has no dot in its name."""

# In the member of ours:
LINKS = "links"
"""Of a document, which is ours where it has the member: the links between operations."""
CONDITIONS = "conditions"
LOCATION = "location"
CACHE_CONTROL = "cache_control"
BULK = "bulk"
CSV = "csv"
"""Of an operation: as in its REST binding."""
NAME = "name"
PYTHON = "python"
"""Of an operation: its name, where its `operationId` is another.
Of a parameter or a body's one field: the names of its own, where its name on the wire would become others."""
REQUIRED = "required"
"""Of a parameter: whether the field is, where OpenAPI's own `required` means something else."""
ASKS = "asks"
"""Of a parameter that is no field of the input: what of the answer it asks for (`binding.bound.Ask`)."""
FIELD = "field"
"""Of a request body: the one field that it is."""
FIELDS = "fields"
"""Of a request body that is an object of fields: by name on the wire, those of another name."""
WHOLE = "whole"
"""Of a declared fault: the contract it was imported from gives its data as the whole error body, in JSON (true) or as
text of this media type."""


def implied(method: str) -> Operation:
    """What OpenAPI tells of an operation by its HTTP method alone (RFC 9110, §9.2)."""
    safe = method in ("GET", "HEAD")
    return Operation(name="", safe=safe, idempotent=safe or method in ("PUT", "DELETE"))
