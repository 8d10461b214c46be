"""Generated operations with REST bindings: every field in one of the places it may stand in."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import assume
from hypothesis import strategies as st

from entrepot.model import shape as s
from entrepot.model.operation import Operation
from entrepot.protocols.rest.binding.bound import Binding, union_of
from entrepot.protocols.rest.binding.check import Unbindable
from entrepot.protocols.rest.binding.data import bind
from entrepot.protocols.rest.binding.places import is_flat, is_memberwise, style_of
from support.strategies import ServedOperation, holds_octets, operations

Draw = Any

_WIRE = {"path": "p", "query": "q", "header": "x-h", "cookie": "c", "form": "f", "body": "b"}


@st.composite
def bound_operations(draw: Draw) -> ServedOperation:
    """Operations that REST can carry, by their default binding or one of their own."""
    operation, types = draw(operations())
    kind = draw(st.sampled_from(["values", "octets", "items"]))
    if kind == "octets":
        operation = draw(with_octets(operation))
    elif kind == "items":
        operation = msgspec.structs.replace(operation, stream_input=operation.output)
    if kind == "items" or draw(st.booleans()):
        fields = (*operation.input.fields, *draw(spoken_fields()))
        operation = msgspec.structs.replace(operation, input=msgspec.structs.replace(operation.input, fields=fields))
        operation = msgspec.structs.replace(operation, bindings={"rest": draw(bindings(operation, types))})
    if draw(st.integers(0, 4)) == 0 and not holds_octets(operation.output, types):
        operation = msgspec.structs.replace(operation, stream_output=True)
    elif draw(st.integers(0, 4)) == 0:
        operation = with_statuses(operation, draw(st.sampled_from(ANSWERS)))
    try:
        binding = bind(operation, types)
        if draw(st.integers(0, 4)) == 0:
            operation = in_notation(operation, binding, draw(st.sampled_from(NOTATIONS)))
            bind(operation, types)
    except Unbindable:
        assume(False)
    return ServedOperation(operation, types)


NOTATIONS = ("application/msgpack",)


def in_notation(operation: Operation, binding: Binding, media_type: str) -> Operation:
    """The operation with values written in another notation than JSON."""
    rest = dict(operation.bindings.get("rest", {}))
    rest |= {"accepts": [media_type]} if binding.body in ("object", "value") and binding.at("body") else {}
    rest |= {"produces": [media_type]} if binding.answer in ("value", "arms") else {}
    return msgspec.structs.replace(operation, bindings={"rest": rest})


THING = s.Record(fields=(s.Field(name="id", shape=s.Int()), s.Field(name="by", shape=s.Text(), required=False)))
TICKET = s.Record(fields=(s.Field(name="ticket", shape=s.Decimal()), s.Field(name="by", shape=s.Int(), required=False)))
ANSWERS = [
    s.Union(arms=(THING, TICKET), choose="keys"),
    s.Union(arms=(s.List(item=THING), TICKET, s.Text())),
    s.Nullable(shape=s.Union(arms=(s.List(item=s.Int()), THING, TICKET), choose="keys")),
    s.Union(arms=(s.Nullable(shape=THING), s.List(item=TICKET))),
]
"""Outputs whose arms have statuses of their own."""


def with_statuses(operation: Operation, output: s.Shape) -> Operation:
    """The operation with this output, each arm of which has a status."""
    union = union_of(output)
    statuses = [200, 201, 202][: len(union.arms) if union else 0]
    rest = operation.bindings.get("rest", {}) | {"statuses": statuses}
    return msgspec.structs.replace(operation, output=output, bindings={"rest": rest})


UPLOADS: list[s.Shape] = [
    s.File(), s.File(media_types=("image/png", "text/plain")), s.Raw(), s.Raw(media_type="image/png"),
]  # fmt: skip


@st.composite
def with_octets(draw: Draw, operation: Operation) -> Operation:
    """The operation with a file or raw octets in its input, in its output, or in both."""
    uploads = draw(st.lists(st.sampled_from(UPLOADS), max_size=2))
    shapes = [draw(st.sampled_from([upload, s.Nullable(shape=upload)])) for upload in uploads]
    fields = [
        s.Field(name=f"upload_{index}", shape=shape, required=draw(st.booleans())) for index, shape in enumerate(shapes)
    ]
    record = msgspec.structs.replace(operation.input, fields=(*operation.input.fields, *fields))
    answered = [upload for upload in UPLOADS if isinstance(upload, s.Raw) or not upload.media_types]
    output = draw(st.sampled_from([operation.output, *answered, s.Nullable(shape=s.File())]))
    return msgspec.structs.replace(operation, input=record, output=output)


TEXTS: list[s.Shape] = [
    s.Text(length_min=1), s.Text(length_min=1), s.Int(), s.Bool(), s.Decimal(), s.Nullable(shape=s.Text()),
    s.List(item=s.Text(length_min=1)), s.List(item=s.Int()), s.Enum(values=(s.EnumValue("a,b"), s.EnumValue("c d"))),
]  # fmt: skip
"""What can stand in a path, a query, a header or a cookie: most of what real operations put there."""


@st.composite
def spoken_fields(draw: Draw) -> list[s.Field]:
    """Up to three more fields that can be said in text."""
    shapes = draw(st.lists(st.sampled_from(TEXTS), max_size=3))
    return [
        s.Field(name=f"spoken_{index}", shape=shape, required=draw(st.booleans())) for index, shape in enumerate(shapes)
    ]


@st.composite
def styles(draw: Draw, field: s.Field, types: dict[str, s.Shape], where: str) -> dict[str, Any]:
    """A style that the field has in its place; nothing is the usual one."""
    flat = is_flat(field.shape, types)
    several = flat or style_of(field.shape, types) == "repeat"
    fitting: list[dict[str, Any]] = [{}]
    if where == "path":
        fitting += [{"style": style} for style in ("label", "matrix")]
        fitting += [{"style": "matrix", "explode": True}] if several else []
    if several and where == "query":
        fitting += [{"style": style} for style in ("comma", "space", "pipe")]
    if flat and where in ("header", "cookie"):
        fitting += [{"style": "comma"}]
    if flat and where == "header":
        fitting += [{"style": "comma", "explode": True}]
    if several and not flat and where == "cookie":
        fitting += [{"style": "repeat"}]
    return draw(st.sampled_from(fitting))


@st.composite
def bindings(draw: Draw, operation: Operation, types: dict[str, s.Shape]) -> dict[str, Any]:
    """A method, a path, and a place for each field, under its own name or another."""
    has_items = operation.stream_input is not None
    method = draw(st.sampled_from(["POST", "PUT", "PATCH"] if has_items else ["GET", "POST", "PUT", "PATCH", "DELETE"]))
    body = draw(st.sampled_from(["body", "form"]))
    path = "/things"
    parameters = {}
    for index, field in enumerate(operation.input.fields):
        if draw(st.integers(0, 5)) == 0 and style_of(field.shape, types) != "json":
            parameters[field.name] = {}
            continue
        where = draw(st.sampled_from(["query", "header", "cookie", *([] if method == "GET" or has_items else [body])]))
        sayable = style_of(field.shape, types) != "json" and not isinstance(field.shape, s.Nullable)
        in_path = sayable and field.required and draw(st.booleans())
        name = f"{_WIRE['path' if in_path else where]}{index}"
        if in_path:
            where, path = "path", path + draw(st.sampled_from(["/{%s}", "/{%s}.json", "/a-{%s}"])) % name
        has_members = style_of(field.shape, types) != "scalar" and is_memberwise(field.shape, types)
        deep = where in ("query", "form") and has_members and draw(st.booleans())
        how = {"style": "deep"} if deep else draw(styles(field, types, where))
        parameters[field.name] = {"in": where, "name": name} | how
    said = {"method": method, "path": path, "parameters": {key: said for key, said in parameters.items() if said}}
    return said | ({"conditions": True} if draw(st.booleans()) else {})
