"""The head of a request: what of an input stands in its path, query, headers and cookies."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import quote, unquote

from entrepot.http.forms import RESERVED, format_pairs, parse_pairs
from entrepot.http.headers import HeaderMap
from entrepot.http.preferences import preferences
from entrepot.kit.pointers import escape
from entrepot.model.call import Context
from entrepot.model.fault import Issue
from entrepot.model.faults import Invalid, Malformed
from entrepot.model.headers import Headers, every_cookie, text_of
from entrepot.ports.exchange import Request
from entrepot.protocols.rest.asking import Asking
from entrepot.protocols.rest.binding.bound import HEAD, Binding, BoundField
from entrepot.protocols.rest.parameters import deep
from entrepot.protocols.rest.parameters.parameter import (
    Attributes,
    Parameter,
    parameter,
    renamed,
    take_all,
    wire_names,
)
from entrepot.protocols.rest.parameters.text import Texts, field_writers, path_reader, reader, write_fields
from entrepot.shapes import text
from entrepot.shapes.scalars import NotOfShape
from entrepot.shapes.values import Values

COOKIE_SAFE = "!#$&'()*+-./:<=>?@[]^_`{|}~"
"""What a cookie's value may hold unescaped (RFC 6265, §4.1.1), but for the percent sign."""


class HeadReader:
    """Reads the heads of requests for one operation. Every issue of every part is reported at once."""

    def __init__(self, binding: Binding, values: Values, asking: Asking | None = None) -> None:
        self._asking = asking
        in_path = {bound.name: bound for bound in binding.at("path")}
        self._path = [_parameter(in_path[name], path_reader(in_path[name], values)) for name in binding.path.variables]
        query = binding.at("query")
        self._query = [_text_parameter(bound, values) for bound in query if bound.style != "deep"]
        self._objects = [
            _parameter(bound, deep.reader(bound.field.shape, values)) for bound in query if bound.style == "deep"
        ]
        self._query_names = wire_names(query)
        self._in_body = {name: each for each in binding.at("body", "form") for name in (each.field.name, each.name)}
        self._headers = [_text_parameter(bound, values) for bound in binding.at("header")]
        self._cookies = [_text_parameter(bound, values) for bound in binding.at("cookie")]
        self._lists = frozenset(bound.name for bound in binding.at("cookie") if bound.style == "repeat")
        self._position = _position(binding, values)
        self.whole = _whole_reader(binding, values)
        """Where one variable of the path is all of the input: reads it, or raises what is wrong."""

    def read(
        self,
        request: Request,
        headers: HeaderMap,
        variables: tuple[str, ...],
        context: Context,
        attributes: Attributes,
        issues: list[Issue],
    ) -> None:
        """Adds what the head gives, and what is wrong with it. Raises `Malformed` or `TooLarge` for a query."""
        for each, raw in zip(self._path, variables, strict=True):
            each.take(raw, attributes, issues)
        if self._query or self._objects or request.query:
            self._read_query(request.query, context, attributes, issues)
        if self._headers:
            take_all(self._headers, _header_texts(request, self._headers), attributes, issues)
        if self._cookies:
            take_all(self._cookies, _cookie_texts(request, self._lists), attributes, issues)
        if self._position is not None and (last := headers.get(b"last-event-id")):
            self._position.take([text_of(last)], attributes, issues)

    def _read_query(self, query: bytes, context: Context, attributes: Attributes, issues: list[Issue]) -> None:
        try:
            texts = parse_pairs(query)
        except Malformed as malformed:
            malformed.issues = renamed(malformed.issues, self._query_names)
            raise
        take_all(self._query, texts, attributes, issues)
        if self._asking is not None:
            self._asking.take(texts, context, issues)
        if self._objects:
            found = deep.gather(texts, {each.name for each in self._objects})
            take_all(self._objects, found, attributes, issues)
        if texts and preferences(context.meta.headers).get("handling") != "lenient":
            issues.extend(map(self._unknown, texts))

    def _unknown(self, name: str) -> Issue:
        """What is wrong with a name in a query that no parameter has."""
        bound = self._in_body.get(name)
        if bound is None:
            return Issue(f"/{escape(name)}", "unknown", "the operation has no such query parameter")
        return Issue(f"/{escape(bound.field.name)}", "unknown", "must be sent in the body, not in the query")


class HeadWriter:
    """Writes what stands in the heads of requests for one operation."""

    def __init__(self, binding: Binding, values: Values, base_path: str) -> None:
        self._base_path = base_path.rstrip("/")
        self._path = binding.path
        self._safe = {
            bound.name: RESERVED if bound.reserved else ","
            for bound in binding.at("query")
            if bound.reserved or bound.style == "comma"
        }
        self._fields = [field_writers(binding.at(place), values) for place in HEAD]

    def write(self, input: Any) -> tuple[bytes, bytes, Headers]:
        """The path, the query and the headers. Raises `Invalid` for values that their place cannot hold."""
        issues: list[Issue] = []
        in_path, query, headers, cookies = (write_fields(each, input, issues) for each in self._fields)
        texts: dict[str, list[str]] = {}
        for name, said in in_path:
            texts.setdefault(name, []).append(said or "")
        issues += self._steps(texts)
        if issues:
            raise Invalid("the input cannot be written as an HTTP request", issues=tuple(issues))
        lines = [(name.lower().encode(), (said or "").encode()) for name, said in headers]
        if cookies:
            pairs = (f"{name}={quote(said or '', safe=COOKIE_SAFE)}" for name, said in cookies)
            lines.append((b"cookie", "; ".join(pairs).encode()))
        return (self._base_path + self._path.expand(texts)).encode(), format_pairs(query, self._safe), lines

    def _steps(self, texts: dict[str, list[str]]) -> list[Issue]:
        """What a server would take for a step to another path."""
        stepping = self._path.stepping(texts)
        return [
            Issue(f"/{escape(bound.field.name)}", "encoding", "`.` and `..` lead to another path, so a path holds none")
            for bound, _ in self._fields[0]
            if bound.name in stepping
        ]


def _parameter(bound: BoundField, read: Callable[[Any], Any]) -> Parameter[Any]:
    return parameter(bound, read, f"is required as the {bound.where} parameter `{bound.name}`")


def _text_parameter(bound: BoundField, values: Values) -> Parameter[Texts]:
    return _parameter(bound, reader(bound, values))


def _whole_reader(binding: Binding, values: Values) -> Callable[[str], Any] | None:
    if len(binding.fields) != 1 or binding.fields[0].where != "path" or binding.fields[0].style != "scalar":
        return None
    field, make = binding.fields[0].field, values.codec(binding.operation.input).type
    read = text.reader(field.shape, values.types, values.classes, values.limits)

    def whole(raw: str) -> Any:
        try:
            return make(read(unquote(raw) if "%" in raw else raw))
        except NotOfShape as error:
            issue = Issue(f"/{escape(field.name)}", *error.problem)
            raise Invalid("the input does not fit its type", issues=(issue,)) from None

    return whole


def _position(binding: Binding, values: Values) -> Parameter[Texts] | None:
    """The parameter that Last-Event-ID fills: where a stream is to go on."""
    if binding.answer != "stream":
        return None
    cursors = (bound for bound in binding.at("query", "header") if bound.field.role == "cursor")
    return next((_text_parameter(bound, values) for bound in cursors), None)


def _cookie_texts(request: Request, lists: Collection[str]) -> dict[str, Texts]:
    """The first cookie of each name, but of a list all of them; a lone one without a value is the empty list."""
    return {
        name: ([None] if said == [""] else [*said]) if name in lists else [said[0]]
        for name, said in every_cookie(request.headers).items()
    }


def _header_texts(request: Request, parameters: list[Parameter[Texts]]) -> dict[str, Texts]:
    wanted = {parameter.name.lower().encode(): parameter.name for parameter in parameters}
    found: dict[str, Texts] = {}
    for name, value in request.headers:
        if name in wanted:
            found.setdefault(wanted[name], []).append(text_of(value))
    return found
