"""A service as an OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1.html).

What OpenAPI has no word for stands in members `x-entrepot`, so that the reader in `openapi.reader` gives
back the same service; `openapi.words` lists what they hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http.client import responses
from typing import Any

import msgspec

from entrepot.http.problems import PROBLEM
from entrepot.model import shape
from entrepot.model.fault import KINDS, DeclaredFault
from entrepot.model.operation import Operation
from entrepot.model.shape import Field, Shape, Types
from entrepot.ports.extension import said_of, said_of_fault
from entrepot.protocols.rest import faults
from entrepot.protocols.rest.binding.bound import (
    JSON,
    MULTIPART,
    NAME,
    Binding,
    BoundField,
    BoundService,
    body_record,
    union_of,
)
from entrepot.protocols.rest.binding.data import bind
from entrepot.protocols.rest.binding.places import style_of
from entrepot.protocols.rest.body.body import NO_CONTENT
from entrepot.protocols.rest.openapi import asked, bulk, examples, headers, links, outgoing, security, told, words
from entrepot.protocols.rest.openapi.names import attribute_name, field_name
from entrepot.protocols.rest.openapi.words import PROBLEM_SCHEMA, REFERENCES
from entrepot.protocols.rest.table import CSV
from entrepot.shapes import schema_out
from entrepot.shapes.schema_places import placed
from entrepot.shapes.schema_words import ITEM_SCHEMA, OURS

VERSION = "3.1.1"

Json = dict[str, Any]


def write(bound: BoundService) -> bytes:
    """The document of a service."""
    return _ENCODER.encode(_Writer(bound).document())


class _Writer:
    def __init__(self, bound: BoundService) -> None:
        self._bound = bound
        self._service = bound.service
        self._types = bound.service.types
        self._ids = told.identifiers(bound)

    def document(self) -> Json:
        service = self._service
        about = msgspec.to_builtins(told.of_service(self._bound))
        tags, further = about.pop("tags", ()), about.pop("externalDocs", {})
        paths: dict[str, Json] = {}
        for binding in self._bound.bindings:
            operation = self._operation(binding.operation, binding)
            paths.setdefault(binding.path.text, {})[binding.method.lower()] = operation
        schemas = {name: self._schema(part) for name, part in self._types.items()}
        document = _said(
            openapi=VERSION,
            info=_said(title=service.title or service.name, version=service.version, description=service.docs, **about),
            servers=[{"url": self._bound.mount.rstrip("/")}],
            tags=tags or msgspec.to_builtins(told.tags_of(service.operations)),
            externalDocs=further,
            paths=paths,
            webhooks=outgoing.written_webhooks(service.outgoing, self._sent),
            components={"schemas": {**schemas, PROBLEM_SCHEMA: _PROBLEM}, **security.components(service)},
        )
        own = {words.LINKS: [msgspec.to_builtins(link) for link in service.links]}
        written = placed(document)
        return {**written, "paths": written.get("paths", {}), OURS: own}

    def _schema(self, part: Shape) -> Json:
        return schema_out.schema(part, self._types, REFERENCES)

    def _operation(self, operation: Operation, binding: Binding) -> Json:
        said = _said(
            operationId=self._ids.get(operation.name, operation.name),
            summary=operation.summary,
            description=operation.docs,
            tags=list(operation.tags),
            deprecated=operation.deprecated,
            security=security.demands(operation),
            parameters=[
                *(self._parameter(bound, operation) for bound in _parameters(binding)),
                *asked.parameters(binding, self._service),
            ],
            requestBody=self._request_body(operation, binding),
            externalDocs=msgspec.to_builtins(binding.told.external_docs),
            callbacks=outgoing.written_callbacks(operation.name, self._service.outgoing, self._sent),
        )
        said["responses"] = self._responses(operation, binding)
        bulk.write(said, binding)
        return {**said, **_ours(self._extension(operation, binding))}

    def _extension(self, operation: Operation, binding: Binding) -> Json:
        """What the document cannot say of an operation, where it differs from what the method implies."""
        location = "" if binding.location is None else binding.location.text
        name = operation.name if self._ids.get(operation.name, operation.name) != operation.name else ""
        own = _said(
            **{
                words.NAME: name,
                words.CONDITIONS: binding.conditions,
                words.LOCATION: location,
                words.CACHE_CONTROL: binding.cache_control,
                words.BULK: binding.bulk,
                words.CSV: binding.csv,
            }
        )
        return said_of(operation, words.implied(binding.method)) | own

    def _sent(self, operation: Operation) -> Json:
        """What the service sends, as the path item of its receiver."""
        binding = bind(operation, self._types)
        return {binding.method.lower(): self._operation(operation, binding)}

    def _parameter(self, bound: BoundField, operation: Operation) -> Json:
        field = bound.field
        # A header or cookie that may be null is null by being left out.
        by_absence = bound.nullable and bound.where in ("header", "cookie")
        written = _said(
            name=bound.name,
            description=field.docs,
            deprecated=field.deprecated,
            required=field.required and not by_absence,
            allowReserved=bound.reserved,
            allowEmptyValue=bound.empty,
        )
        told = _said(examples=examples.written(operation, lambda example: examples.member(example.input, field.name)))
        written["in"] = bound.where
        schema = self._field_schema(msgspec.structs.replace(field, docs="", deprecated=False))
        if bound.style == "json":
            written["content"] = {JSON: {"schema": schema, **told}}
        else:
            written |= {"schema": schema, **_style(bound), **told}
        required = {words.REQUIRED: True} if by_absence and field.required else {}
        return {**written, **_ours(_identity(bound) | required)}

    def _field_schema(self, field: Field) -> Json:
        return schema_out.annotated(field, self._schema(field.shape))

    def _request_body(self, operation: Operation, binding: Binding) -> Json:
        fields = binding.at("body", "form")
        if operation.stream_input is not None:
            item = {ITEM_SCHEMA: self._schema(operation.stream_input)}
            return {"required": True, "content": {binding.accepts[0]: item}}
        if not fields:
            return {}
        if binding.body in ("object", "form"):
            return self._shared_body(operation, binding, fields)
        return self._own_body(operation, binding, fields[0])

    def _own_body(self, operation: Operation, binding: Binding, bound: BoundField) -> Json:
        """A body that is one field."""
        field = bound.field
        media = _said(
            schema=self._field_schema(msgspec.structs.replace(field, docs="")),
            examples=examples.written(operation, lambda example: examples.member(example.input, field.name)),
        )
        said = _said(description=field.docs, required=field.required)
        content = dict.fromkeys(binding.accepts, media)
        if binding.body == "upload":
            content[MULTIPART] = {"schema": self._schema(body_record(operation, (bound,)))}
        return {**said, "content": content, OURS: {words.FIELD: _identity(bound) | {words.NAME: field.name}}}

    def _shared_body(self, operation: Operation, binding: Binding, fields: Sequence[BoundField]) -> Json:
        """A body that holds several fields, or is an object of one."""
        record = body_record(operation, fields)
        names = {bound.field.name: bound.name for bound in fields}
        media = _said(
            schema=self._schema(record),
            examples=examples.written(operation, lambda example: examples.members(example.input, names)),
        )
        if binding.body == "form":
            media |= _said(encoding={p.name: said for p in fields if (said := self._encoding(p, binding))})
        renamed = {p.name: p.field.name for p in fields if p.name != p.field.name}
        content = dict.fromkeys(binding.accepts, media)
        said = _said(required=any(bound.field.required for bound in fields))
        return {**said, "content": content, OURS: {words.FIELDS: renamed}}

    def _encoding(self, bound: BoundField, binding: Binding) -> Json:
        """How a part is written (OpenAPI 3.1, §4.8.15), where it is not as usual, and its headers."""
        headers = {
            each.name: _said(
                description=each.field.docs,
                required=each.field.required and not each.nullable,
                schema=self._field_schema(msgspec.structs.replace(each.field, docs="")),
            )
            | _ours(_identity(each) | ({words.REQUIRED: True} if each.field.required and each.nullable else {}))
            for each in binding.at("part")
            if each.part == bound.name
        }
        return _form_style(bound, self._types) | _said(headers=headers)

    def _responses(self, operation: Operation, binding: Binding) -> Json:
        by_code: dict[str, list[DeclaredFault]] = {faults.DEFAULT: []}
        for fault in sorted(operation.faults, key=faults.code_of_declared):
            by_code.setdefault(faults.code_of_declared(fault), []).append(fault)
        unknown = by_code.pop(faults.DEFAULT)
        failures = {
            code: self._failure(declared, [_PROBLEM_REF] if faults.is_anyones(code) else [])
            for code, declared in by_code.items()
        }
        return {**self._successes(binding), **failures, faults.DEFAULT: self._failure(unknown, [_PROBLEM_REF])}

    def _successes(self, binding: Binding) -> Json:
        """The one response of success, or that of each arm of the output."""
        output = binding.operation.output
        union = union_of(output)
        if union is None or not binding.statuses:
            one = {str(binding.status): self._success(binding, binding.status, output)}
            return one | (self._nothing(binding) if self._is_octets_or_null(binding) else {})
        arms = zip(binding.statuses, union.arms, strict=True)
        written = {str(status): self._success(binding, status, arm) for status, arm in arms}
        return written | (self._nothing(binding) if isinstance(output, shape.Nullable) else {})

    def _nothing(self, binding: Binding) -> Json:
        """The answer without a body that stands for null."""
        return {str(NO_CONTENT): _said(description=responses[NO_CONTENT], headers=self._headers(binding, NO_CONTENT))}

    def _is_octets_or_null(self, binding: Binding) -> bool:
        """Whether null is an answer without a body, which octets have no word for."""
        output = shape.resolve(binding.operation.output, self._types)
        return binding.answer in ("file", "raw") and isinstance(output, shape.Nullable)

    def _success(self, binding: Binding, status: int, output: Shape) -> Json:
        return _said(
            description=binding.told.responses.get(str(status)) or told.meaning(output, status, self._types),
            headers=self._headers(binding, status),
            content=self._output(binding, status, output),
            links={} if binding.operation.stream_output else self._links(output),
        )

    def _headers(self, binding: Binding, status: int) -> Json:
        own = headers.written(binding, status, self._types, self._field_schema)
        return own | headers.derived(binding, self._types)

    def _output(self, binding: Binding, status: int, output: Shape) -> Json:
        operation = binding.operation
        if operation.stream_output:
            item = self._schema(output)
            return {media_type: {ITEM_SCHEMA: item} for media_type in binding.produces}
        usual = examples.written(operation, lambda example: example.output) if status == binding.status else {}
        schema = self._schema(shape.unwrap(output, self._types) if self._is_octets_or_null(binding) else output)
        media = _said(schema=schema, examples=usual)
        table = {CSV: {"schema": {"type": "string"}}} if binding.csv else {}
        return dict.fromkeys(binding.produces, media) | table

    def _links(self, output: Shape) -> Json:
        """Links from the value itself; those from parts of it stand in `x-entrepot` alone."""
        inner = output.shape if isinstance(output, shape.Nullable) else output
        if not isinstance(inner, shape.Ref):
            return {}
        own = (link for link in self._service.links if link.type == inner.name and not link.batch)
        written = {link.field: links.link(link, self._ids.get(link.operation, ""), self._bound) for link in own}
        return {field: link for field, link in written.items() if link is not None}

    def _failure(self, declared: Sequence[DeclaredFault], others: list[Json]) -> Json:
        """The response of one status; `others` are problems that no fault declares."""
        arms = [self._fault_schema(fault) for fault in declared] + others
        described = " ".join(fault.docs for fault in declared if fault.docs)
        named = " or ".join(fault.name for fault in declared)
        schema = arms[0] if len(arms) == 1 else {"anyOf": arms}
        description = described or named or "The call failed; the problem says how."
        return {"description": description, "content": {PROBLEM: {"schema": schema}}}

    def _fault_schema(self, fault: DeclaredFault) -> Json:
        properties: Json = {"name": {"const": fault.name}, "kind": {"const": fault.kind}}
        required = ["name", "kind"]
        if fault.data is not None:
            properties["data"] = self._schema(fault.data)
            if not self._may_be_null(fault.data):
                required.append("data")
        own: Json = {"type": "object", "properties": properties, "required": required}
        whole = fault.bindings.get(NAME, {}).get(words.WHOLE)
        said = said_of_fault(fault) | ({words.WHOLE: whole} if whole else {})
        return _said(title=fault.name, description=fault.docs, allOf=[_PROBLEM_REF, own]) | _ours(said)

    def _may_be_null(self, data: Shape) -> bool:
        """Whether data may be null, which a problem says by leaving it out."""
        return isinstance(shape.resolve(data, self._types), shape.Nullable | shape.Anything | shape.Json)


def _parameters(binding: Binding) -> Iterable[BoundField]:
    return binding.at("path", "query", "header", "cookie")


def _style(bound: BoundField) -> Json:
    """How a parameter is written, where it is not the default of its place (OpenAPI 3.1, §4.8.12.2)."""
    match bound.where, bound.style:
        case "query", "comma":
            return {"style": "form", "explode": False}
        case "query", "deep":
            return {"style": "deepObject", "explode": True}
        case "query", "space":
            return {"style": "spaceDelimited", "explode": False}
        case "query", "pipe":
            return {"style": "pipeDelimited", "explode": False}
        case "cookie", "comma":
            return {"style": "form", "explode": False}
        case "path", ("label" | "matrix"):
            return {"style": bound.style} | ({"explode": True} if bound.explode else {})
        case _, "comma" if bound.explode:
            return {"style": "simple", "explode": True}
        case _:
            return {}


def _form_style(bound: BoundField, types: Types) -> Json:
    """The encoding of a form's field (OpenAPI 3.1, §4.8.15), where it is not the default of its shape."""
    if bound.style == "json":
        usual = style_of(bound.field.shape, types) == "json" and not bound.media_type
        return {} if usual else {"contentType": bound.media_type or JSON}
    file = shape.unwrap(bound.field.shape, types)
    file = shape.unwrap(file.item, types) if isinstance(file, shape.List) else file
    label = ", ".join(file.media_types) if isinstance(file, shape.File) else bound.media_type
    return _style(msgspec.structs.replace(bound, where="query")) | ({"contentType": label} if label else {})


def _ours(said: Json) -> Json:
    return {OURS: said} if said else {}


def _identity(bound: BoundField) -> Json:
    """The names of a field, where they are not what its name on the wire would become."""
    field, wire = bound.field, bound.name
    name = field.name if field.name != field_name(wire) else ""
    python = field.attribute if field.attribute != attribute_name(wire) else ""
    return _said(**{words.NAME: name, words.PYTHON: python})


def _said(**members: Any) -> Json:
    """The members that say something; a null that stands for a value is kept under `value`."""
    return {name: value for name, value in members.items() if name == "value" or value not in (None, "", [], {}, False)}


_ENCODER = msgspec.json.Encoder(decimal_format="number")
"""Examples and bounds hold numbers as exact decimals."""
_PROBLEM_REF: Json = {"$ref": REFERENCES + PROBLEM_SCHEMA}
_PROBLEM: Json = {
    "title": "A failure as RFC 9457 has it",
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "kind": {"enum": list(KINDS)},
        "name": {"type": "string", "description": "The declared failure, where it is one."},
        "trace_id": {"type": "string", "description": "Finds the log lines of this call."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the input (RFC 6901)."},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
                "required": ["pointer", "code", "message"],
            },
        },
        "data": {"description": "What a declared failure tells."},
        "retry_after": {"type": "number", "description": "Seconds."},
        "upstream": {"type": "string", "description": "The upstream that failed."},
    },
    "required": ["type", "title", "status", "kind"],
}
