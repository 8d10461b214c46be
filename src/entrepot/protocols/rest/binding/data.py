"""Where each part of an operation stands in an HTTP request.

The binding is plain data in `Operation.bindings["rest"]`; the README of this folder lists its
members. Whatever it leaves out follows from the shapes: names in the path template are path
parameters, scalars and lists of scalars go into the query, the rest is the body.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from entrepot.kit.suggest import did_you_mean
from entrepot.model import shape
from entrepot.model.operation import Operation, Service
from entrepot.model.shape import Field, Shape, Types
from entrepot.protocols.rest.binding.bound import (
    ANY,
    ASKS,
    BODILESS,
    EVENT_STREAM,
    JSON,
    MEDIA,
    MERGE_PATCH,
    METHODS,
    MULTIPART,
    NAME,
    NDJSON,
    OCTETS,
    PATHS,
    REDIRECTS,
    URLENCODED,
    AnswerForm,
    Binding,
    BodyForm,
    BoundField,
    BoundService,
    Style,
    Where,
)
from entrepot.protocols.rest.binding.check import Unbindable, check
from entrepot.protocols.rest.binding.notations import XML
from entrepot.protocols.rest.binding.places import is_flat, is_memberwise, is_octets, is_upload, style_of
from entrepot.protocols.rest.binding.told import NOTHING_OF_OPERATION, OfOperation
from entrepot.protocols.rest.routing import template
from entrepot.protocols.rest.routing.template import Template
from entrepot.shapes import text

_UPLOADS = (ANY, MULTIPART)


class _FieldData(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"where": "in"}):
    """What binding data says of one field."""

    where: Where | None = None
    name: str | None = None
    style: Style | None = None
    explode: bool = False
    reserved: bool = False
    empty: bool = False
    media_type: str = ""
    part: str = ""


class _Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Binding data as an author or an imported contract gives it; the README tells each member."""

    method: str | None = None
    path: str | None = None
    parameters: dict[str, _FieldData] = {}
    body: Literal["object", ""] = ""
    accepts: tuple[str, ...] = ()
    produces: tuple[str, ...] = ()
    status: int | None = None
    statuses: tuple[int, ...] = ()
    location: str | None = None
    conditions: bool = False
    fields: bool = False
    expand: bool = False
    bulk: bool = False
    csv: bool = False
    xml: bool = False
    cache_control: str = ""
    openapi: OfOperation = NOTHING_OF_OPERATION

    @property
    def addressed(self) -> bool:
        """Whether the author chose an address, which then says more than the defaults."""
        return self.method is not None or self.path is not None


def bind(operation: Operation, types: Types) -> Binding:
    """The binding of an operation. Raises `Unbindable`."""
    said = operation.bindings.get(NAME, {})
    for name in said.keys() - set(_Data.__struct_fields__):
        raise Unbindable(f"there is no `{name}` in a binding. {did_you_mean(name, _Data.__struct_fields__)}")
    try:
        data = msgspec.convert(said, _Data)
        method, path = _address(operation, data, types)
        location = None if data.location is None else template.parse(data.location)
    except ValueError as error:
        raise Unbindable(str(error)) from None
    fields = _placed_all(operation, data, types, method, path)
    body = _body_form(operation, fields, types, method, data)
    answer = _answer_form(operation, types, data)
    in_xml = _in_xml(data, body, fields, answer)
    binding = Binding(
        operation=operation,
        method=method,
        path=path,
        fields=fields,
        body=body,
        answer=answer,
        accepts=(data.accepts or _accepts(body, method, fields, types)) + (XML[:1] if in_xml[0] else ()),
        produces=(data.produces or _produces(operation.output, answer, types)) + (XML[:1] if in_xml[1] else ()),
        status=_status(data, answer),
        statuses=data.statuses,
        location=location,
        conditions=data.conditions,
        bulk=data.bulk,
        csv=data.csv,
        cache_control=data.cache_control,
        asks=tuple(name for name in ASKS if getattr(data, name)),
        told=data.openapi,
    )
    check(binding, types)
    return binding


def _in_xml(data: _Data, body: BodyForm, fields: Iterable[BoundField], answer: AnswerForm) -> tuple[bool, bool]:
    """Whether a body, and an answer, may be XML, where that is asked for."""
    has_body = body in ("object", "value") and any(bound.where == "body" for bound in fields)
    has_answer = answer in ("value", "arms")
    if data.xml and not (has_body or has_answer):
        raise Unbindable("neither its body nor its answer is a value, which XML could write")
    return data.xml and has_body, data.xml and has_answer


def bind_service(service: Service) -> BoundService:
    """The binding of each operation. Raises `Unbindable`."""
    return BoundService(service, tuple(bind(operation, service.types) for operation in service.operations))


def bind_upstream(operation: Operation, service: Service) -> Binding:
    """The binding of an operation as its upstream has it. Raises `Unbindable`."""
    binding, own = bind(operation, service.types), service.bindings.get(NAME, {})
    said: dict[str, Any] = {name: tuple(each) for name, each in own.get(MEDIA, {}).get(operation.name, {}).items()}
    path = own.get(PATHS, {}).get(operation.name)
    if path is not None:
        said["path"] = template.parse(path)
    return msgspec.structs.replace(binding, **said) if said else binding


def _address(operation: Operation, data: _Data, types: Types) -> tuple[str, Template]:
    method = data.method
    if method is None:
        as_text = operation.stream_input is None and all(
            style_of(field.shape, types) != "json" and not is_upload(field.shape, types)
            for field in operation.input.fields
        )
        method = "GET" if operation.safe and as_text else "POST"
    if method.upper() not in METHODS:
        raise ValueError(f"the method {method} is not one of {', '.join(METHODS)}")
    return method.upper(), template.parse(data.path or f"/{operation.name}")


def _placed_all(operation: Operation, data: _Data, types: Types, method: str, path: Template) -> tuple[BoundField, ...]:
    strangers = data.parameters.keys() - {field.name for field in operation.input.fields}
    if strangers:
        raise Unbindable(f"the binding places {', '.join(sorted(strangers))}, which the operation does not take")
    rest: Where | None = None if data.addressed else "body"
    if operation.stream_input is not None or method in BODILESS:
        rest = "query"
    nothing = _FieldData()
    fields = [
        _placed(field, data.parameters.get(field.name, nothing), types, path, rest) for field in operation.input.fields
    ]
    in_body = [bound.field for bound in fields if bound.where == "body"]
    uploads = sum(is_upload(field.shape, types) for field in in_body)
    alone = len(in_body) == 1 and is_octets(in_body[0].shape, types)
    if uploads and not alone:
        return tuple(msgspec.structs.replace(p, where="form") if p.where == "body" else p for p in fields)
    return tuple(fields)


def _placed(field: Field, said: _FieldData, types: Types, path: Template, rest: Where | None) -> BoundField:
    natural = style_of(field.shape, types)
    where = said.where or _default_placed(field, natural, types, path, rest)
    name = said.name or (field.name.replace("_", "-") if where == "header" else field.name)
    usual: Style = "comma" if natural == "repeat" and where not in ("query", "form") else natural
    style = said.style or usual
    if style == "scalar" and not text.has_text_form(field.shape, types):
        raise Unbindable(f"{field.name} is no scalar, so it cannot be written as one")
    if style == "deep" and not _is_deep(field, where, natural, types):
        raise Unbindable(f"{field.name} cannot be written member by member: only in a query or a form, and of texts")
    if style not in ("scalar", "deep", "json"):
        _check_style(field, where, style, types)
    nullable = isinstance(shape.resolve(field.shape, types), shape.Nullable)
    if (said.reserved or said.empty) and where != "query":
        raise Unbindable(f"{field.name} is in the {where}: only a query has `reserved` and `empty`")
    if bool(said.part) != (where == "part"):
        raise Unbindable(
            f"{field.name} is {'no' if said.part else 'a'} header of a part, and names {said.part or 'none'}"
        )
    if said.media_type and (where != "form" or is_upload(field.shape, types)):
        raise Unbindable(f"{field.name} has a media type of its own, which only a part of a form has that is no file")
    return BoundField(
        field=field,
        where=where,
        name=name,
        style=style,
        explode=said.explode,
        reserved=said.reserved,
        empty=said.empty,
        media_type=said.media_type,
        part=said.part,
        nullable=nullable,
    )


def _check_style(field: Field, where: Where, style: Style, types: Types) -> None:
    """Raises `Unbindable` for a value that cannot be written as several texts, or not so in its place."""
    prefixed = style in ("label", "matrix")
    if prefixed and where != "path":
        raise Unbindable(f"{field.name} is in the style {style}, which belongs to paths")
    if where == "path" and not prefixed and style != "comma":
        raise Unbindable(f"{field.name} is in the style {style}, which paths do not have")
    if style_of(field.shape, types) == "repeat" or (prefixed and text.has_text_form(field.shape, types)):
        return
    if style == "repeat" or not is_flat(field.shape, types):
        members = "" if style == "repeat" else " and no object of them"
        raise Unbindable(f"{field.name} is no list of scalars{members}, so it cannot be written in the style {style}")


def _default_placed(field: Field, style: Style, types: Types, path: Template, rest: Where | None) -> Where:
    if field.name in path.variables:
        return "path"
    return rest or ("body" if style == "json" or is_upload(field.shape, types) else "query")


def _body_form(operation: Operation, fields: Iterable[BoundField], types: Types, method: str, data: _Data) -> BodyForm:
    if operation.stream_input is not None:
        return "stream"
    if any(bound.where == "form" for bound in fields):
        return "form"
    in_body = [bound.field for bound in fields if bound.where == "body"]
    if len(in_body) == 1 and is_octets(in_body[0].shape, types):
        inner = shape.unwrap(in_body[0].shape, types)
        if not isinstance(inner, shape.File):
            return "raw"
        # A file of any type is uploaded by a form, too, unless somebody said that it is the body.
        unsaid = not data.accepts and in_body[0].name not in data.parameters and not inner.media_types
        return "upload" if unsaid or data.accepts == _UPLOADS else "file"
    if len(in_body) == 1 and data.addressed and data.body != "object":
        return "value"
    return "none" if method in BODILESS and not in_body else "object"


def _accepts(body: BodyForm, method: str, fields: Iterable[BoundField], types: Types) -> tuple[str, ...]:
    match body:
        case "none":
            return ()
        case "stream":
            return (NDJSON,)
        case "form":
            octets = any(p.where == "part" or (p.where == "form" and is_upload(p.field.shape, types)) for p in fields)
            return (MULTIPART,) if octets else (URLENCODED, MULTIPART)
        case "upload":
            return _UPLOADS
        case "raw" | "file":
            return _media_types(next(p.field.shape for p in fields if p.where == "body"), types)
        case _:
            return (JSON, MERGE_PATCH) if method == "PATCH" else (JSON,)


def _status(data: _Data, answer: AnswerForm) -> int:
    """That of success, where there is one for all that may be answered."""
    if data.statuses:
        return data.statuses[0]
    return data.status or (201 if data.location is not None else 204 if answer == "none" else 200)


def _answer_form(operation: Operation, types: Types, data: _Data) -> AnswerForm:
    if operation.stream_output:
        return "stream"
    if data.status in REDIRECTS:
        return "redirect"
    if data.statuses:
        return "arms"
    inner = shape.resolve(operation.output, types)
    if isinstance(inner, shape.Null):
        return "none"
    if not is_octets(inner, types):
        return "value"
    return "file" if isinstance(shape.unwrap(inner, types), shape.File) else "raw"


def _produces(output: Shape, answer: AnswerForm, types: Types) -> tuple[str, ...]:
    match answer:
        case "stream":
            return (EVENT_STREAM, NDJSON)
        case "none" | "redirect":
            return ()
        case "value" | "arms":
            return (JSON,)
        case _:
            return _media_types(output, types)


def _media_types(part: Shape, types: Types) -> tuple[str, ...]:
    match shape.unwrap(part, types):
        case shape.File(media_types=media_types) if media_types:
            return media_types
        case shape.File():
            return (ANY,)
        case shape.Raw(media_type=media_type):
            return (media_type,)
        case _:
            return (OCTETS,)


def _is_deep(field: Field, where: Where, natural: Style, types: Types) -> bool:
    """Whether a field can be written member by member: it has members, each in the end a text."""
    return natural != "scalar" and where in ("query", "form") and is_memberwise(field.shape, types)
