"""What HTTP has no place for: everything that makes an operation unbindable once its fields are placed."""

from __future__ import annotations

import re

from entrepot.model import shape
from entrepot.model.headers import OF_THE_EDGE
from entrepot.model.operation import Operation
from entrepot.model.shape import Shape, Types
from entrepot.protocols.rest.binding.bound import (
    BODILESS,
    DOCUMENT,
    JSON,
    MULTIPARTS,
    Binding,
    BoundField,
    body_record,
    has_default,
    null_is_absence,
    union_of,
)
from entrepot.protocols.rest.binding.notations import notation_of, unfit, unfit_as_part
from entrepot.protocols.rest.binding.places import holds_octets, is_address, is_octets, is_upload, style_of
from entrepot.protocols.rest.routing.template import Template, Variable, parse
from entrepot.protocols.rest.table import row_of
from entrepot.shapes.arms import told_apart

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What a header or a cookie may be called (RFC 9110, §5.6.2; RFC 6265, §4.1.1)."""
_NOT_IN_A_HEADER = re.compile(r"[^\t -~]")
"""What no header's value holds, as they are written here."""
_OURS = tuple(map(bytes.decode, OF_THE_EDGE))
"""How headers begin that the edge takes off every request."""


class Unbindable(ValueError):
    """An operation that REST cannot carry as it is bound; says why."""


def check(binding: Binding, types: Types) -> None:
    """Raises `Unbindable` for what HTTP has no place for."""
    operation = binding.operation
    in_path = {bound.name for bound in binding.at("path")}
    if in_path != set(binding.path.variables):
        odd = ", ".join(sorted(in_path ^ set(binding.path.variables)))
        raise Unbindable(f"{odd}: the path {binding.path.text} and the path parameters do not name the same fields")
    if binding.method == "GET" and binding.path.pattern == parse(DOCUMENT).pattern:
        raise Unbindable(f"GET {DOCUMENT} is the address of the service's own contract")
    if binding.at("form") and binding.at("body"):
        raise Unbindable("some fields are placed in the body and some in a form; a request has one body")
    if binding.at("form", "body") and binding.method in BODILESS:
        raise Unbindable(f"a {binding.method} request has no body (RFC 9110, §9.3.1); place its fields in the query")
    if binding.at("form", "body") and operation.stream_input is not None:
        raise Unbindable("the inbound stream is the body; place the fields in the query or in headers")
    _check_names(binding)
    for bound in binding.at("part"):
        _check_part_header(bound, binding, types)
    for media_type in (*binding.accepts, *binding.produces):
        if not media_type or _NOT_IN_A_HEADER.search(media_type):
            raise Unbindable(f"{media_type!r} is no media type")
    if binding.asks and binding.answer != "value":
        raise Unbindable(f"only an answer in JSON has what `{binding.asks[0]}` could choose among")
    for bound in binding.fields:
        _check_field(bound, binding.path, types)
    if not is_octets(operation.output, types) or operation.stream_output:
        _check_octets_inside("the output", operation.output, types)
    for fault in operation.faults:
        if fault.data is not None:
            _check_octets_inside(f"the data of the fault {fault.name}", fault.data, types)
    if binding.csv and (binding.answer != "value" or row_of(operation.output, types) is None):
        raise Unbindable("only a list or a page of records can be written as CSV")
    if binding.bulk and not (binding.body in ("value", "object") and binding.answer in ("value", "none")):
        raise Unbindable("only what is called and answered in JSON can be called by many lines of it")
    if binding.bulk and not binding.at("body"):
        raise Unbindable("it has no body, of which a request could hold many")
    if binding.cache_control and not operation.safe:
        raise Unbindable("no cache may answer for an operation that is not safe (RFC 9111, §4)")
    if binding.location is not None:
        _check_location(binding.location, operation, types)
    for status in binding.statuses or (binding.status,):
        if status in (204, 205) and binding.produces:
            raise Unbindable(f"status {status} says that there is no body, but the operation has an output")
        if not 200 <= status <= 299 and binding.answer != "redirect":
            raise Unbindable(f"status {status} is not one of success (200 to 299)")
    if binding.answer == "redirect" and not is_address(operation.output):
        raise Unbindable(f"status {binding.status} says where to go, so the output is a record of one text `location`")
    if binding.statuses:
        _check_arms(binding, types)
    _check_notations(binding, types)


def _check_notations(binding: Binding, types: Types) -> None:
    """Each media type of a body or an answer that is a value is of a notation that has a word for it."""
    fields = binding.at("body")
    inputs: list[Shape] = [body_record(binding.operation, fields)] if binding.body == "object" else []
    inputs += [bound.field.shape for bound in fields] if binding.body == "value" else []
    written = [(each, part) for each in binding.accepts for part in inputs]
    if binding.answer in ("value", "arms"):
        written += [(each, binding.operation.output) for each in binding.produces]
    if any(notation_of(each) == "form" for each in (*(binding.accepts[:1] if inputs else ()), *binding.produces)):
        raise Unbindable("a form is one more way to send a value, and neither the first nor an answer")
    usual = (*(binding.accepts[:1] if inputs and binding.bulk else ()), *binding.produces[:1])
    if (binding.asks or binding.csv or binding.bulk) and any(notation_of(each) != "json" for each in usual):
        raise Unbindable("only what is usually JSON can be asked for in part, as a table, or by many lines")
    for media_type, part in written:
        if reason := unfit(notation_of(media_type), part, types):
            raise Unbindable(f"it has no form in {media_type}: {reason}")


def _check_part_header(bound: BoundField, binding: Binding, types: Types) -> None:
    """A header of a part belongs to one part: of a list there are several, and an urlencoded form has none."""
    owner = next((each for each in binding.at("form") if each.name == bound.part), None)
    if owner is None or not set(binding.accepts) <= set(MULTIPARTS):
        raise Unbindable(f"{bound.field.name} is a header of {bound.part}, which is no part of a multipart form")
    if bound.field.required and (owner.nullable or not owner.field.required):
        raise Unbindable(f"{bound.field.name} is required, and {bound.part}, whose header it is, is not")
    if isinstance(shape.unwrap(owner.field.shape, types), shape.List) or owner.style == "deep":
        raise Unbindable(f"{bound.field.name} is a header of {bound.part}, of which there may be several parts")


def _check_part(bound: BoundField, types: Types) -> None:
    """A part that is labelled as of another notation can be written in it."""
    if bound.style == "json" and (reason := unfit_as_part(bound.media_type or JSON, bound.field.shape, types)):
        raise Unbindable(f"{bound.field.name} has no form in {bound.media_type}: {reason}")


def _check_arms(binding: Binding, types: Types) -> None:
    """Each arm of the output has a status, which no other has, and can be told from the others without it."""
    union, statuses = union_of(binding.operation.output), binding.statuses
    if binding.answer != "arms" or union is None or len(union.arms) != len(statuses):
        raise Unbindable(f"the statuses {', '.join(map(str, statuses))} are not those of the arms of the output")
    if len(set(statuses)) < len(statuses):
        raise Unbindable("two arms of the output have one status")
    if any(isinstance(shape.resolve(arm, types), shape.Null) for arm in union.arms):
        raise Unbindable("an arm of the output is null, which has no body")
    if union.choose == "tag":
        raise Unbindable(f"the arms of the output are told apart by {union.tag_field}, so they have no statuses")
    if told_apart(union.arms, types) != union.choose:
        raise Unbindable("nothing but their status would tell the arms of the output apart")


def _check_location(location: Template, operation: Operation, types: Types) -> None:
    record = shape.unwrap(operation.output, types)
    for name in location.variables:
        field = record.field(name) if isinstance(record, shape.Record) else None
        if field is None or style_of(field.shape, types) != "scalar":
            raise Unbindable(f"the location {location.text} names {name}, which is no scalar field of the output")


def _check_names(binding: Binding) -> None:
    taken: set[tuple[str, str]] = {("query", name) for name in binding.asks}
    for bound in binding.fields:
        folded = bound.name.lower() if bound.where in ("header", "part") else bound.name
        if (bound.where + bound.part, folded) in taken:
            raise Unbindable(f"two parameters are called {bound.name!r} in the {bound.where}")
        taken.add((bound.where + bound.part, folded))


def misnamed(where: str, name: str) -> str:
    """Why nothing called so ever arrives in such a place; "" when it may."""
    if where in ("header", "cookie", "part") and not _TOKEN.fullmatch(name):
        return f"{name!r} cannot be the name of a {where}: it holds letters, digits and !#$%&'*+-.^_`|~ only"
    if where == "header" and name.lower().startswith(_OURS):
        return f"the header {name} never arrives: the edge takes off what begins with {' or '.join(_OURS)}"
    return ""


def _check_field(bound: BoundField, path: Template, types: Types) -> None:
    field, where = bound.field, bound.where
    if where != "body" and not bound.name:
        raise Unbindable(f"a field without a name has no place in a {where}; give it one, or place it in the body")
    if problem := misnamed(where, bound.name):
        raise Unbindable(problem)
    if where in ("path", "query", "header", "cookie", "part") and is_upload(field.shape, types):
        raise Unbindable(f"{field.name} is a file or raw octets, which only a body or a form can hold")
    if bound.style in ("label", "matrix") and _shares_segment(bound.name, path):
        raise Unbindable(f"{field.name} is in the style {bound.style}, and no other variable may share its segment")
    if where == "path" and (bound.nullable or not (field.required or has_default(field))):
        raise Unbindable(f"{field.name} may be null or absent, which a path cannot say")
    if where in ("header", "cookie", "part") and bound.nullable and not null_is_absence(field):
        raise Unbindable(f"{field.name} may be both null and absent, which a {where} cannot tell apart")
    _check_part(bound, types)
    if is_upload(field.shape, types):
        if bound.nullable and not null_is_absence(field):
            raise Unbindable(f"{field.name} may be both null and absent, which a body of octets cannot tell apart")
    else:
        _check_octets_inside(field.name, field.shape, types)


def _shares_segment(name: str, path: Template) -> bool:
    """Whether another variable stands in the same segment, which might begin or end anywhere."""
    segments = [[part.name for part in each if isinstance(part, Variable)] for each in path.segments]
    return any(name in names and len(names) > 1 for names in segments)


def _check_octets_inside(what: str, part: Shape, types: Types) -> None:
    if holds_octets(part, types):
        raise Unbindable(f"{what} holds a file or raw octets inside another value, where JSON has no place for them")
