"""Headers of successful responses (OpenAPI 3.1, §4.8.21): what a reply tells beside its output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from entrepot.model import shape
from entrepot.model.shape import Field, Record, Types
from entrepot.protocols.rest.binding.bound import JSON, Binding
from entrepot.protocols.rest.binding.places import style_of
from entrepot.protocols.rest.openapi.document import Dialect
from entrepot.protocols.rest.paging import TOTAL, Paging, is_paged
from entrepot.protocols.rest.reply_headers import OF_THE_MESSAGE
from entrepot.shapes import text
from entrepot.shapes.document import Node, Refusal, Unreadable
from entrepot.shapes.schemas import Schemas

TOTAL_COUNT = TOTAL.decode().title()

Json = dict[str, Any]


class HeaderImport:
    """Reads the headers of the successes of one operation."""

    def __init__(self, schemas: Schemas, dialect: Dialect) -> None:
        self._schemas = schemas
        self._dialect = dialect
        self.gaps: list[Refusal] = []
        self.statuses: dict[str, tuple[int, ...]] = {}
        """By header that was read: the statuses that it comes with."""

    def read(self, responses: Sequence[tuple[int, Node]]) -> tuple[Field, ...]:
        """Each header once, required where every response has it always."""
        found: dict[str, list[Field]] = {}
        for status, response in responses:
            for field in self._of(response["headers"]):
                same = found.setdefault(field.name.lower(), [])
                same.append(field)
                self.statuses[same[0].name] = (*self.statuses.get(same[0].name, ()), status)
        return tuple(
            msgspec.structs.replace(
                same[0], required=len(same) == len(responses) and all(field.required for field in same)
            )
            for same in found.values()
        )

    def _of(self, headers: Node) -> Iterator[Field]:
        for name in map(str, headers.value if isinstance(headers.value, Mapping) else ()):
            if name.lower().encode() in OF_THE_MESSAGE:
                continue
            try:
                yield self._field(name, headers[name])
            except Unreadable as unreadable:
                self.gaps.append(unreadable.refusal(f"header {name}"))

    def _field(self, name: str, node: Node) -> Field:
        header = self._dialect.header(name, node)
        field = self._schemas.field(name, header.schema, node, required=header.required)
        examples = (node["example"].value,) if node["example"] else ()
        field = msgspec.structs.replace(field, examples=field.examples + examples)
        if isinstance(self._schemas.resolved(field.shape), shape.Anything) and not node["content"]:
            return msgspec.structs.replace(field, shape=shape.Text())
        if _is_json(field, self._schemas.types) != (header.style == "json"):
            raise node.unreadable("a header is text, or an object or a list of them in JSON `content`")
        return field


def written(binding: Binding, status: int, types: Types, schema: Callable[[Field], Json]) -> Json:
    """The headers of an operation's replies of this status."""
    only = binding.told.headers
    fields = (each for each in binding.operation.headers if status in only.get(each.name, (status,)))
    return {field.name: _header(field, types, schema) for field in fields}


def _header(field: Field, types: Types, schema: Callable[[Field], Json]) -> Json:
    said = {"description": field.docs, "deprecated": field.deprecated, "required": field.required}
    own = schema(msgspec.structs.replace(field, docs="", deprecated=False))
    form = {"content": {JSON: {"schema": own}}} if _is_json(field, types) else {"schema": own}
    return {name: value for name, value in said.items() if value} | form


def _is_json(field: Field, types: Types) -> bool:
    """Whether a header can be written in JSON alone."""
    return style_of(field.shape, types) == "json" and not text.has_text_form(field.shape, types)


def derived(binding: Binding, types: Types) -> Json:
    """The headers that follow from the operation itself, and are no part of it."""
    operation = binding.operation
    record = shape.unwrap(operation.output, types)
    headers: Json = {}
    if isinstance(record, Record) and record.with_role("version") and not operation.stream_output:
        headers["ETag"] = _text("The version of what is returned (RFC 9110, §8.8.3).")
    if binding.cache_control:
        headers["Cache-Control"] = _text("What caches may do with the answer (RFC 9111, §5.2).")
    if binding.answer == "value" and not operation.safe:
        headers["Preference-Applied"] = _text("Which preferences of the request were followed (RFC 7240).")
    if binding.answer == "redirect":
        headers["Location"] = _text("Where to go.")
    if binding.location is not None:
        headers["Location"] = _text("Where the new thing is.")
    if is_paged(operation, types):
        headers[TOTAL_COUNT] = _text("How many there are in all.", "integer")
        if Paging(binding).moves:
            headers["Link"] = _text("The first, previous, next and last page, where there are any (RFC 8288).")
    return headers


def without_derived(binding: Binding, types: Types) -> tuple[Field, ...]:
    """The headers that a document has of an operation, but for those."""
    own = {name.lower() for name in derived(binding, types)}
    return tuple(field for field in binding.operation.headers if field.name.lower() not in own)


def _text(description: str, type: str = "string") -> Json:
    return {"description": description, "schema": {"type": type}}
