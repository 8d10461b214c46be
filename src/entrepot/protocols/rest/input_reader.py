"""A request as the input of an operation: the server's half of the codec.

Everything that can be known before the first request is compiled. Every issue of every part is
reported at once, under a pointer whose first token is the parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from entrepot.http.forms import parse_pairs
from entrepot.http.headers import HeaderMap
from entrepot.kit.limits import Limits
from entrepot.kit.pointers import escape
from entrepot.model.fault import Issue
from entrepot.model.faults import Invalid, Malformed
from entrepot.model.headers import cookies_of, text_of
from entrepot.model.operation import Operation
from entrepot.model.shape import Types
from entrepot.ports.exchange import Request
from entrepot.protocols.rest.binding.bound import Binding, BoundField, Where, null_is_absence
from entrepot.protocols.rest.body.json import body_reader
from entrepot.protocols.rest.body.received import Given
from entrepot.protocols.rest.parameters import deep
from entrepot.protocols.rest.parameters.deep import Members
from entrepot.protocols.rest.parameters.text import Texts, path_reader, prefixed, reader, renamed, wire_names
from entrepot.shapes.scalars import NotOfShape
from entrepot.shapes.values import Values

T = TypeVar("T")


class _Parameter(NamedTuple, Generic[T]):
    field: str
    attribute: str
    name: str
    where: Where
    read: Callable[[T], Any]
    required: bool
    absence: Any
    """What leaving it out means; UNSET leaves that to the input's type."""


class InputReader:
    """Reads the input of one operation. Raises faults, and nothing else."""

    def __init__(self, operation: Operation, binding: Binding, values: Values, types: Types, limits: Limits) -> None:
        self._issues_max = limits.issues_max
        self.make = values.codec(operation.input).type
        """Makes the input of its attributes."""
        order = binding.path.variables
        self._path = [
            (p.field.name, p.field.attribute, order.index(p.name), path_reader(p, types, values))
            for p in binding.at("path")
        ]
        in_query = binding.at("query")
        self._query = [_parameter(bound, types, values) for bound in in_query if bound.style != "deep"]
        self._objects = [_object(bound, types, values) for bound in in_query if bound.style == "deep"]
        self._object_names = {parameter.name for parameter in self._objects}
        self._query_names = wire_names(in_query)
        self._headers = [_parameter(bound, types, values) for bound in binding.at("header")]
        self._cookies = [_parameter(bound, types, values) for bound in binding.at("cookie")]
        self._position = _position(operation, binding, types, values)
        self._beside = bool(self._query or self._objects or self._headers or self._cookies or self._position)
        self.has_parameters = bool(self._path or self._beside)
        self.read_body = body_reader(operation, binding, values, types, limits)
        """None when the operation takes no body."""

    def take_parameters(
        self, request: Request, known: HeaderMap, variables: tuple[str, ...], given: Given, issues: list[Issue]
    ) -> None:
        """Adds what the request's head gives, and what is wrong with it."""
        for field, attribute, index, read in self._path:
            try:
                given[attribute] = read(variables[index])
            except NotOfShape as error:
                issues.append(Issue(f"/{escape(field)}", *error.problem))
            except Invalid as invalid:
                issues.extend(prefixed(invalid.issues, field))
        if self._beside or request.query:
            self._take_beside(request, known, given, issues)

    def refusal(self, issues: list[Issue]) -> Invalid:
        """The fault for what is wrong with a request's parts."""
        return Invalid("the input does not fit its type", issues=tuple(issues[: self._issues_max]))

    def _take_beside(self, request: Request, known: HeaderMap, given: Given, issues: list[Issue]) -> None:
        """What stands beside the path: in the query, in headers, in cookies."""
        if self._query or self._objects or request.query:
            self._take_query(request.query, given, issues)
        if self._headers:
            _take_all(self._headers, _header_texts(request, self._headers), given, issues)
        if self._cookies:
            cookies: dict[str, Texts] = {name: [text] for name, text in cookies_of(request.headers).items()}
            _take_all(self._cookies, cookies, given, issues)
        if self._position is not None and (last := known.get(b"last-event-id")):
            texts: Texts = [text_of(last)]
            _take(self._position, texts, given, issues)

    def _take_query(self, query: bytes, given: Given, issues: list[Issue]) -> None:
        try:
            texts = parse_pairs(query)
        except Malformed as malformed:
            malformed.issues = tuple(renamed(malformed.issues, self._query_names))
            raise
        _take_all(self._query, texts, given, issues)
        if self._objects:
            _take_all(self._objects, deep.gather(texts, self._object_names), given, issues)
        issues.extend(
            Issue(f"/{escape(name)}", "unknown", "the operation has no such query parameter") for name in texts
        )


def _parameter(bound: BoundField, types: Types, values: Values) -> _Parameter[Texts]:
    return _read_by(reader(bound, types, values), bound)


def _object(bound: BoundField, types: Types, values: Values) -> _Parameter[Members]:
    return _read_by(deep.reader(bound.field.shape, types, values), bound)


def _read_by(read: Callable[[T], Any], bound: BoundField) -> _Parameter[T]:
    field = bound.field
    by_absence = bound.where in ("header", "cookie") and bound.nullable and null_is_absence(field)
    return _Parameter(
        field=field.name,
        attribute=field.attribute,
        name=bound.name,
        where=bound.where,
        read=read,
        required=field.required and not by_absence,
        absence=None if by_absence else msgspec.UNSET,
    )


def _position(operation: Operation, binding: Binding, types: Types, values: Values) -> _Parameter[Texts] | None:
    """The parameter that Last-Event-ID fills: where a stream is to go on."""
    if not operation.stream_output:
        return None
    return next((_parameter(p, types, values) for p in binding.at("query", "header") if p.field.role == "cursor"), None)


def _take_all(parameters: Iterable[_Parameter[T]], texts: dict[str, T], given: Given, issues: list[Issue]) -> None:
    """Reads every parameter, and takes its name out of `texts`."""
    for parameter in parameters:
        found = texts.pop(parameter.name, None)
        if found is not None:
            _take(parameter, found, given, issues)
        elif parameter.required:
            message = f"is required as the {parameter.where} parameter `{parameter.name}`"
            issues.append(Issue(f"/{escape(parameter.field)}", "missing", message))
        elif parameter.absence is not msgspec.UNSET:
            given[parameter.attribute] = parameter.absence


def _take(parameter: _Parameter[T], texts: T, given: Given, issues: list[Issue]) -> None:
    try:
        given[parameter.attribute] = parameter.read(texts)
    except Invalid as invalid:
        issues.extend(prefixed(invalid.issues, parameter.field))


def _header_texts(request: Request, parameters: Iterable[_Parameter[Texts]]) -> dict[str, Texts]:
    wanted = {parameter.name.lower().encode(): parameter.name for parameter in parameters}
    found: dict[str, Texts] = {}
    for name, value in request.headers:
        if name in wanted:
            found.setdefault(wanted[name], []).append(text_of(value))
    return found
