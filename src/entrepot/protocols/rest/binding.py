"""Where each part of an operation stands in an HTTP request.

The binding is plain data in `Operation.bindings["rest"]`; the README of this folder lists its
members. Whatever it leaves out follows from the shapes: names in the path template are path
parameters, scalars and lists of scalars go into the query, the rest is the body.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from entrepot.model import shape
from entrepot.model.operation import Operation, Service
from entrepot.model.shape import Field, Shape, Types
from entrepot.protocols.rest import deep_objects, template
from entrepot.protocols.rest.template import Template
from entrepot.shapes import text

NAME = "rest"
PATHS = "paths"
"""In a service's own binding, by operation: its path at the upstream, where it is not the one we serve it at."""
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
NDJSON = "application/x-ndjson"
EVENT_STREAM = "text/event-stream"
OCTETS = "application/octet-stream"
ANY = "*/*"
PROBLEMS = "application/problem+json;q=0.9"
"""What a client accepts beside the answer that it asks for."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

Where = Literal["path", "query", "header", "cookie", "form", "body"]
Style = Literal["scalar", "repeat", "comma", "space", "pipe", "deep", "json"]
"""How a value is written as text: one scalar; a list as repeated names or with a separator; member by
member (`deep_objects`); JSON."""

BodyForm = Literal["none", "object", "value", "form", "raw", "file", "stream"]
"""What the body is: nothing; one JSON object of the body's fields; the one field's JSON; a form
(urlencoded or multipart); octets held in memory; a streamed file; a stream of JSON lines."""

_SCALARS = (
    shape.Bool, shape.Int, shape.Float, shape.Decimal, shape.Text, shape.Bytes, shape.Date, shape.Time,
    shape.DateTime, shape.Duration, shape.Uuid, shape.Enum,
)  # fmt: skip
BODILESS = ("GET", "HEAD")
"""Methods whose requests have no body (RFC 9110, §9.3.1)."""


class Unbindable(ValueError):
    """An operation that REST cannot carry as it is bound; says why."""


class _Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"where": "in"}):
    """What binding data says of one field."""

    where: Where | None = None
    name: str | None = None
    style: Style | None = None


class _Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Binding data as an author or an imported contract gives it; the README tells each member."""

    method: str | None = None
    path: str | None = None
    parameters: dict[str, _Place] = {}
    body: Literal["object", ""] = ""
    accepts: tuple[str, ...] = ()
    produces: tuple[str, ...] = ()
    status: int | None = None
    location: str | None = None
    conditions: bool = False

    @property
    def addressed(self) -> bool:
        """Whether the author chose an address, which then says more than the defaults."""
        return self.method is not None or self.path is not None


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """One input field and where it stands."""

    field: Field
    where: Where
    name: str
    """Its name on the wire."""
    style: Style = "scalar"
    nullable: bool = False


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """How one operation is carried over HTTP."""

    method: str
    path: Template
    """Relative to the service's mount."""
    placements: tuple[Placement, ...]
    body: BodyForm
    accepts: tuple[str, ...]
    """Media types a request body may have; a client sends the first."""
    produces: tuple[str, ...]
    """Media types of a successful reply; the first is the usual one."""
    status: int
    location: Template | None
    conditions: bool
    """Whether the handler checks If-Match and If-None-Match."""

    def at(self, *where: Where) -> tuple[Placement, ...]:
        """The fields that stand there."""
        return tuple(placement for placement in self.placements if placement.where in where)


def accept_of(binding: Binding) -> bytes:
    """The Accept header of a client: what the contract says is answered, and problems beside it."""
    wanted = binding.produces or (JSON,)
    return b"*/*" if ANY in wanted else ", ".join((*wanted, PROBLEMS)).encode()


def mount(service: Service) -> str:
    """The prefix of a service's addresses, with a slash at its end."""
    return f"/api/{service.name}/v{service.version}/"


def bind(operation: Operation, types: Types) -> Binding:
    """The binding of an operation. Raises `Unbindable`."""
    try:
        data = msgspec.convert(operation.bindings.get(NAME, {}), _Data)
        method, path = _address(operation, data, types)
        location = None if data.location is None else template.parse(data.location)
    except ValueError as error:
        raise Unbindable(str(error)) from None
    placements = _placements(operation, data, types, method, path)
    body = _body_form(operation, placements, types, method, data)
    binding = Binding(
        method=method,
        path=path,
        placements=placements,
        body=body,
        accepts=data.accepts or _accepts(body, method, placements, types),
        produces=data.produces or _produces(operation, types),
        status=data.status or _status(operation, location, types),
        location=location,
        conditions=data.conditions,
    )
    _check(operation, binding, types)
    return binding


def bind_upstream(operation: Operation, service: Service) -> Binding:
    """The binding of an operation as its upstream has it. Raises `Unbindable`."""
    binding = bind(operation, service.types)
    path = service.bindings.get(NAME, {}).get(PATHS, {}).get(operation.name)
    return binding if path is None else msgspec.structs.replace(binding, path=template.parse(path))


def unwrap(part: Shape, types: Types) -> Shape:
    """The shape behind references and "or null"."""
    inner = shape.resolve(part, types)
    while isinstance(inner, shape.Nullable):
        inner = shape.resolve(inner.shape, types)
    return inner


def is_octets(part: Shape, types: Types) -> bool:
    """Whether values of this shape are whole bodies or form parts: a file, raw octets."""
    inner = unwrap(part, types)
    return isinstance(inner, (shape.File, shape.Raw)) or (isinstance(inner, shape.Bytes) and inner.encoding == "raw")


def is_upload(part: Shape, types: Types) -> bool:
    """Whether an input of this shape travels outside JSON: octets, or a list of files."""
    inner = shape.resolve(part, types)
    files = isinstance(inner, shape.List) and isinstance(shape.resolve(inner.item, types), shape.File)
    return files or is_octets(part, types)


def style_of(part: Shape, types: Types) -> Style:
    """How a value of this shape is written where only text can stand."""
    inner = unwrap(part, types)
    if isinstance(inner, _SCALARS):
        return "scalar"
    if isinstance(inner, shape.List) and isinstance(shape.resolve(inner.item, types), _SCALARS):
        return "repeat"
    return "json"


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


def _placements(operation: Operation, data: _Data, types: Types, method: str, path: Template) -> tuple[Placement, ...]:
    strangers = data.parameters.keys() - {field.name for field in operation.input.fields}
    if strangers:
        raise Unbindable(f"the binding places {', '.join(sorted(strangers))}, which the operation does not take")
    rest: Where | None = None if data.addressed else "body"
    if operation.stream_input is not None or method in BODILESS:
        rest = "query"
    nothing = _Place()
    placements = [
        _place(field, data.parameters.get(field.name, nothing), types, path, rest) for field in operation.input.fields
    ]
    fields = [placement for placement in placements if placement.where == "body"]
    uploads = sum(is_upload(placement.field.shape, types) for placement in fields)
    alone = len(fields) == 1 and is_octets(fields[0].field.shape, types)
    if uploads and not alone:
        return tuple(msgspec.structs.replace(p, where="form") if p.where == "body" else p for p in placements)
    return tuple(placements)


def _place(field: Field, said: _Place, types: Types, path: Template, rest: Where | None) -> Placement:
    natural = style_of(field.shape, types)
    where = said.where or _default_place(field, natural, types, path, rest)
    name = said.name or (field.name.replace("_", "-") if where == "header" else field.name)
    usual: Style = "comma" if natural == "repeat" and where not in ("query", "form") else natural
    style = said.style or usual
    if style == "scalar" and not text.has_text_form(field.shape, types):
        raise Unbindable(f"{field.name} is no scalar, so it cannot be written as one")
    if style == "deep" and not _is_deep(field, where, natural, types):
        raise Unbindable(f"{field.name} cannot be written member by member: only in a query or a form, and of texts")
    if style not in ("scalar", "deep", "json") and natural != "repeat":
        raise Unbindable(f"{field.name} is no list of scalars, so it cannot be written in the style {style}")
    nullable = isinstance(shape.resolve(field.shape, types), shape.Nullable)
    return Placement(field=field, where=where, name=name, style=style, nullable=nullable)


def _is_deep(field: Field, where: Where, natural: Style, types: Types) -> bool:
    """Whether a field can be written member by member: it has members, each in the end a text."""
    return natural != "scalar" and where in ("query", "form") and deep_objects.carries(field.shape, types)


def _default_place(field: Field, style: Style, types: Types, path: Template, rest: Where | None) -> Where:
    if field.name in path.variables:
        return "path"
    return rest or ("body" if style == "json" or is_upload(field.shape, types) else "query")


def _body_form(
    operation: Operation, placements: Iterable[Placement], types: Types, method: str, data: _Data
) -> BodyForm:
    if operation.stream_input is not None:
        return "stream"
    if any(placement.where == "form" for placement in placements):
        return "form"
    fields = [placement.field for placement in placements if placement.where == "body"]
    if len(fields) == 1 and is_octets(fields[0].shape, types):
        return "file" if isinstance(unwrap(fields[0].shape, types), shape.File) else "raw"
    if len(fields) == 1 and data.addressed and data.body != "object":
        return "value"
    return "none" if method in BODILESS and not fields else "object"


def _accepts(body: BodyForm, method: str, placements: Iterable[Placement], types: Types) -> tuple[str, ...]:
    match body:
        case "none":
            return ()
        case "stream":
            return (NDJSON,)
        case "form":
            octets = any(p.where == "form" and is_upload(p.field.shape, types) for p in placements)
            return (MULTIPART,) if octets else (URLENCODED, MULTIPART)
        case "raw" | "file":
            return _media_types(next(p.field.shape for p in placements if p.where == "body"), types)
        case _:
            return (JSON, MERGE_PATCH) if method == "PATCH" else (JSON,)


def _produces(operation: Operation, types: Types) -> tuple[str, ...]:
    if operation.stream_output:
        return (EVENT_STREAM, NDJSON)
    inner = shape.resolve(operation.output, types)
    if isinstance(inner, shape.Null):
        return ()
    return _media_types(inner, types) if is_octets(inner, types) else (JSON,)


def _media_types(part: Shape, types: Types) -> tuple[str, ...]:
    match unwrap(part, types):
        case shape.File(media_types=media_types) if media_types:
            return media_types
        case shape.File():
            return (ANY,)
        case shape.Raw(media_type=media_type):
            return (media_type,)
        case _:
            return (OCTETS,)


def _status(operation: Operation, location: Template | None, types: Types) -> int:
    if location is not None:
        return 201
    empty = isinstance(shape.resolve(operation.output, types), shape.Null) and not operation.stream_output
    return 204 if empty else 200


def _check(operation: Operation, binding: Binding, types: Types) -> None:
    """Raises `Unbindable` for what HTTP has no place for."""
    in_path = {placement.name for placement in binding.at("path")}
    if in_path != set(binding.path.variables):
        odd = ", ".join(sorted(in_path ^ set(binding.path.variables)))
        raise Unbindable(f"{odd}: the path {binding.path.text} and the path parameters do not name the same fields")
    if binding.at("form") and binding.at("body"):
        raise Unbindable("some fields are placed in the body and some in a form; a request has one body")
    if binding.at("form", "body") and binding.method in BODILESS:
        raise Unbindable(f"a {binding.method} request has no body (RFC 9110, §9.3.1); place its fields in the query")
    if binding.at("form", "body") and operation.stream_input is not None:
        raise Unbindable("the inbound stream is the body; place the fields in the query or in headers")
    _check_names(binding)
    for placement in binding.placements:
        _check_placement(placement, types)
    if not is_octets(operation.output, types) or operation.stream_output:
        _check_octets_inside("the output", operation.output, types)
    for fault in operation.faults:
        if fault.data is not None:
            _check_octets_inside(f"the data of the fault {fault.name}", fault.data, types)
    if binding.location is not None:
        _check_location(binding.location, operation, types)
    if binding.status in (204, 205) and binding.produces:
        raise Unbindable(f"status {binding.status} says that there is no body, but the operation has an output")
    if not 200 <= binding.status <= 299:
        raise Unbindable(f"status {binding.status} is not one of success (200 to 299)")


def _check_location(location: Template, operation: Operation, types: Types) -> None:
    record = unwrap(operation.output, types)
    for name in location.variables:
        field = record.field(name) if isinstance(record, shape.Record) else None
        if field is None or style_of(field.shape, types) != "scalar":
            raise Unbindable(f"the location {location.text} names {name}, which is no scalar field of the output")


def _check_names(binding: Binding) -> None:
    taken: set[tuple[str, str]] = set()
    for placement in binding.placements:
        folded = placement.name.lower() if placement.where == "header" else placement.name
        if (placement.where, folded) in taken:
            raise Unbindable(f"two fields are called {placement.name!r} in the {placement.where}")
        taken.add((placement.where, folded))


def _check_placement(placement: Placement, types: Types) -> None:
    field, where = placement.field, placement.where
    if where in ("path", "query", "header", "cookie") and is_upload(field.shape, types):
        raise Unbindable(f"{field.name} is a file or raw octets, which only a body or a form can hold")
    if where == "path" and (placement.nullable or not (field.required or has_default(field))):
        raise Unbindable(f"{field.name} may be null or absent, which a path cannot say")
    if where in ("header", "cookie") and placement.nullable and not null_is_absence(field):
        raise Unbindable(f"{field.name} may be both null and absent, which a {where} cannot tell apart")
    if is_upload(field.shape, types):
        if placement.nullable and not null_is_absence(field):
            raise Unbindable(f"{field.name} may be both null and absent, which a body of octets cannot tell apart")
    else:
        _check_octets_inside(field.name, field.shape, types)


def _check_octets_inside(what: str, part: Shape, types: Types) -> None:
    if shape.holds_octets(part, types):
        raise Unbindable(f"{what} holds a file or raw octets inside another value, where JSON has no place for them")


def has_default(field: Field) -> bool:
    """Whether an absent field gets a value."""
    return field.default is not msgspec.UNSET


def null_is_absence(field: Field) -> bool:
    """Whether leaving a nullable field out means null."""
    return field.required or field.default is None
