"""A service as an OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1.html).

What OpenAPI has no word for stands in members that begin with `x-entrepot-`, so that the reader
in `openapi_in` gives back the same service; the README of this folder lists them.
"""

from __future__ import annotations

import http
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from entrepot.model import shape
from entrepot.model.fault import KINDS, DeclaredFault
from entrepot.model.operation import Link, Operation, Service
from entrepot.model.shape import Field, Record, Shape
from entrepot.ports.protocol import Contract
from entrepot.protocols.rest import faults
from entrepot.protocols.rest.binding import (
    JSON,
    Binding,
    Placement,
    bind,
    is_octets,
    is_upload,
    mount,
    unwrap,
)
from entrepot.protocols.rest.bodies import body_record

VERSION = "3.1.1"
PROBLEM_SCHEMA = "entrepot.Problem"
"""The name of the problem schema; a type of a service has no dot in its name."""
REFERENCES = "#/components/schemas/"
ITEM_SCHEMA = "x-item-schema"
"""In a media type: the schema of one item of a stream (OpenAPI 3.2 calls it `itemSchema`)."""

Json = dict[str, Any]


def contract(services: Sequence[Service]) -> Contract:
    """The document of one service. Raises ValueError for several: each has a document of its own."""
    if len(services) != 1:
        raise ValueError("an OpenAPI document describes one service; ask for each service's own")
    return Contract(JSON, msgspec.json.encode(document(services[0])))


def document(service: Service) -> Json:
    """The document as plain JSON values."""
    return _Writer(service).document()


class _Writer:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._types = service.types

    def document(self) -> Json:
        service = self._service
        paths: dict[str, Json] = {}
        for operation in service.operations:
            binding = bind(operation, self._types)
            paths.setdefault(binding.path.text, {})[binding.method.lower()] = self._operation(operation, binding)
        schemas = {name: self._schema(part) for name, part in self._types.items()}
        return _said(
            openapi=VERSION,
            info=_said(title=service.title or service.name, version=service.version, description=service.docs),
            servers=[{"url": mount(service).rstrip("/")}],
            tags=[{"name": tag} for tag in _tags(service.operations)],
            paths=paths,
            components={"schemas": {**schemas, PROBLEM_SCHEMA: _PROBLEM}},
            **{"x-entrepot-links": [msgspec.to_builtins(link) for link in service.links]},
        )

    def _schema(self, part: Shape) -> Json:
        from entrepot.shapes import schema_out

        return schema_out.schema(part, self._types, REFERENCES)

    def _operation(self, operation: Operation, binding: Binding) -> Json:
        said = _said(
            operationId=operation.name,
            summary=operation.summary,
            description=operation.docs,
            tags=list(operation.tags),
            deprecated=operation.deprecated,
            parameters=[self._parameter(placement, operation) for placement in _parameters(binding)],
            requestBody=self._request_body(operation, binding),
        )
        said["responses"] = self._responses(operation, binding)
        return {**said, **_extensions(operation, binding)}

    def _parameter(self, placement: Placement, operation: Operation) -> Json:
        field = placement.field
        schema = {**self._schema(field.shape), **_default(field)}
        written = _said(
            name=placement.name,
            description=field.docs,
            deprecated=field.deprecated,
            examples=_examples(operation, lambda example: _member(example.input, field.name)),
        )
        written["in"] = placement.where
        written["required"] = placement.where == "path" or (field.required and not placement.nullable)
        if placement.style == "json":
            written["content"] = {JSON: {"schema": schema}}
        else:
            written["schema"] = schema
            written.update(_style(placement))
        return {**written, **_field_extensions(placement)}

    def _request_body(self, operation: Operation, binding: Binding) -> Json:
        placements = binding.at("body", "form")
        if not placements and operation.stream_input is None:
            return {}
        match binding.body:
            case "stream":
                assert operation.stream_input is not None
                content = {binding.accepts[0]: {ITEM_SCHEMA: self._schema(operation.stream_input)}}
            case "value":
                content = self._json_bodies(binding, placements[0].field.shape, operation, placements[0].field.name)
            case "object":
                content = self._json_bodies(binding, body_record(operation, placements), operation, "")
            case "form":
                form = self._form(placements, operation)
                content = dict.fromkeys(binding.accepts, form)
            case _:
                content = {media_type: {} for media_type in binding.accepts}
        required = operation.stream_input is not None or any(p.field.required for p in placements)
        named = {"x-entrepot-field": _body_field(placements[0])} if binding.body in ("value", "raw", "file") else {}
        described = placements[0].field.docs if named else ""
        return {**_said(description=described, required=required), "content": content, **named}

    def _json_bodies(self, binding: Binding, part: Shape, operation: Operation, member: str) -> Json:
        def of_example(example: Any) -> Any:
            return _member(example.input, member) if member else _members(example.input, part)

        media = _said(schema=self._schema(part), examples=_examples(operation, of_example))
        return dict.fromkeys(binding.accepts, media)

    def _form(self, placements: Sequence[Placement], operation: Operation) -> Json:
        fields = tuple(
            msgspec.structs.replace(placement.field, name=placement.name, python=placement.field.attribute)
            for placement in placements
            if not is_upload(placement.field.shape, self._types)
        )
        schema = self._schema(msgspec.structs.replace(operation.input, fields=fields))
        for placement in placements:
            if is_upload(placement.field.shape, self._types):
                schema.setdefault("properties", {})[placement.name] = self._upload(placement.field)
                if placement.field.required:
                    schema.setdefault("required", []).append(placement.name)
        return {"schema": schema, "x-entrepot-fields": {p.name: _body_field(p) for p in placements}}

    def _upload(self, field: Field) -> Json:
        inner = unwrap(field.shape, self._types)
        if isinstance(inner, shape.List):
            return _said(type="array", items={"contentMediaType": _OCTETS}, description=field.docs)
        media_type = inner.media_type if isinstance(inner, shape.Raw) else _OCTETS
        return _said(contentMediaType=media_type, description=field.docs)

    def _responses(self, operation: Operation, binding: Binding) -> Json:
        success = _said(
            description=self._meaning(operation),
            headers=self._headers(operation, binding),
            content=self._output(operation, binding),
            links=self._links(operation),
        )
        by_status: dict[str, list[DeclaredFault]] = {}
        for fault in operation.faults:
            by_status.setdefault(str(faults.status_of_declared(fault)), []).append(fault)
        failures = {status: self._failure(declared) for status, declared in sorted(by_status.items())}
        usual = {"description": "The call failed; the problem says how.", "content": _problem_content(_PROBLEM_REF)}
        return {str(binding.status): success, **failures, "default": usual}

    def _meaning(self, operation: Operation) -> str:
        record = shape.resolve(operation.output, self._types)
        said = record.docs if isinstance(record, Record) else ""
        return said or http.HTTPStatus(bind(operation, self._types).status).phrase

    def _output(self, operation: Operation, binding: Binding) -> Json:
        examples = _examples(operation, lambda example: example.output)
        if operation.stream_output:
            item = self._schema(operation.output)
            return {media_type: {ITEM_SCHEMA: item} for media_type in binding.produces}
        if is_octets(operation.output, self._types):
            return {media_type: {} for media_type in binding.produces}
        media = _said(schema=self._schema(operation.output), examples=examples)
        return dict.fromkeys(binding.produces, media)

    def _headers(self, operation: Operation, binding: Binding) -> Json:
        record = unwrap(operation.output, self._types)
        headers: Json = {}
        if isinstance(record, Record) and record.with_role("version") and not operation.stream_output:
            headers["ETag"] = _header("The version of what is returned (RFC 9110, §8.8.3).")
        if binding.location is not None:
            headers["Location"] = _header("Where the new thing is.")
        if isinstance(record, shape.Page):
            headers["Link"] = _header('The next page, as rel="next" (RFC 8288).')
        return headers

    def _links(self, operation: Operation) -> Json:
        """Links from the value itself; those from parts of it stand in `x-entrepot-links` alone."""
        if not isinstance(operation.output, shape.Ref) or operation.stream_output:
            return {}
        name = operation.output.name
        return {link.field: _link(link) for link in self._service.links if link.type == name and not link.batch}

    def _failure(self, declared: Sequence[DeclaredFault]) -> Json:
        described = " ".join(fault.docs for fault in declared if fault.docs)
        whole = [fault for fault in declared if faults.is_whole_body(fault)]
        if whole:
            content = {JSON: _said(schema=self._schema(whole[0].data) if whole[0].data else {})}
            own = {"name": whole[0].name, "kind": whole[0].kind}
            return {"description": described or whole[0].name, "content": content, "x-entrepot-fault": own}
        arms = [self._fault_schema(fault) for fault in declared]
        schema = arms[0] if len(arms) == 1 else {"oneOf": arms}
        title = " or ".join(fault.name for fault in declared)
        return {"description": described or title, "content": _problem_content(schema)}

    def _fault_schema(self, fault: DeclaredFault) -> Json:
        properties: Json = {"name": {"const": fault.name}, "kind": {"const": fault.kind}}
        required = ["name", "kind"]
        if fault.data is not None:
            properties["data"] = self._schema(fault.data)
            required.append("data")
        own = {"type": "object", "properties": properties, "required": required}
        return _said(title=fault.name, description=fault.docs, allOf=[_PROBLEM_REF, own])


def _parameters(binding: Binding) -> Iterable[Placement]:
    return binding.at("path", "query", "header", "cookie")


def _tags(operations: Iterable[Operation]) -> list[str]:
    return list(dict.fromkeys(tag for operation in operations for tag in operation.tags))


def _style(placement: Placement) -> Json:
    """How a list is written, where it is not the default of its place (OpenAPI 3.1, §4.8.12.2)."""
    match placement.where, placement.style:
        case "query", "comma":
            return {"style": "form", "explode": False}
        case "query", "space":
            return {"style": "spaceDelimited", "explode": False}
        case "query", "pipe":
            return {"style": "pipeDelimited", "explode": False}
        case "cookie", "comma":
            return {"style": "form", "explode": False}
        case _:
            return {}


def _extensions(operation: Operation, binding: Binding) -> Json:
    """What the document cannot say of an operation, where it differs from what the method implies."""
    safe = binding.method in ("GET", "HEAD")
    idempotent = safe or binding.method in ("PUT", "DELETE")
    flags = {
        "x-entrepot-safe": operation.safe if operation.safe != safe else None,
        "x-entrepot-idempotent": operation.idempotent if operation.idempotent != idempotent else None,
        "x-entrepot-deferrable": operation.deferrable or None,
        "x-entrepot-timeout": operation.timeout,
        "x-entrepot-scopes": list(operation.scopes) or None,
        "x-entrepot-conditions": binding.conditions or None,
        "x-entrepot-location": None if binding.location is None else binding.location.text,
    }
    return {name: value for name, value in flags.items() if value is not None}


def _body_field(placement: Placement) -> Json:
    """What a schema cannot say of the field that a body or a form part is."""
    return {"name": placement.field.name, **_field_extensions(placement)}


def _field_extensions(placement: Placement) -> Json:
    field = placement.field
    return _said(
        **{
            "x-entrepot-name": field.name if field.name != placement.name else "",
            "x-entrepot-python": field.python,
            "x-entrepot-role": field.role,
            "x-entrepot-required": field.required and placement.nullable and placement.where != "path",
        }
    )


def _default(field: Field) -> Json:
    return {} if field.default is msgspec.UNSET else {"default": field.default}


def _header(description: str) -> Json:
    return {"description": description, "schema": {"type": "string"}}


def _link(link: Link) -> Json:
    parameters = {name: f"$response.body#/{field}" for name, field in link.arguments.items()}
    return _said(operationId=link.operation, parameters=parameters, description=link.docs)


def _problem_content(schema: Json) -> Json:
    return {faults.PROBLEM: {"schema": schema}}


def _examples(operation: Operation, part: Any) -> Json:
    """The examples that have this part, by name."""
    found = {example.name: (part(example), example.docs) for example in operation.examples}
    return {
        name: _said(summary=docs, value=value) for name, (value, docs) in found.items() if value is not msgspec.UNSET
    }


def _member(value: Any, name: str) -> Any:
    return value.get(name, msgspec.UNSET) if isinstance(value, Mapping) else msgspec.UNSET


def _members(value: Any, part: Shape) -> Any:
    if not isinstance(value, Mapping) or not isinstance(part, Record):
        return msgspec.UNSET
    return {field.name: value[field.name] for field in part.fields if field.name in value}


def _said(**members: Any) -> Json:
    """The members that say something; a null that stands for a value is kept under `value`."""
    return {name: value for name, value in members.items() if name == "value" or value not in (None, "", [], {}, False)}


_OCTETS = "application/octet-stream"
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
