"""A request as the input of an operation, by the shortest way that its parts allow.

Every issue of every part is reported at once, under a pointer whose first token is the parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from entrepot.http.headers import HeaderMap
from entrepot.model.fault import Issue
from entrepot.model.faults import Invalid
from entrepot.ports.exchange import Request
from entrepot.protocols.rest.binding.bound import Binding
from entrepot.protocols.rest.body.body import BodyReader
from entrepot.protocols.rest.parameters.head import HeadReader
from entrepot.protocols.rest.parameters.parameter import Attributes
from entrepot.shapes.scalars import NotOfShape
from entrepot.shapes.values import Values

ReadInput = Callable[[Request, HeaderMap, tuple[str, ...], Any], Any]
"""The input that a request gives, of whose path these are the variables and whose body was fetched. Raises faults."""


def input_reader(binding: Binding, body: BodyReader | None, values: Values) -> ReadInput:
    """Reads the inputs of one operation; `body` reads its bodies, where it takes any."""
    head = HeadReader(binding, values)
    make = values.codec(binding.operation.input).type
    read_all = _by_parts(head, body, make, values.limits.issues_max)
    if body is not None and body.whole is not None:
        return _by_body(body.whole, read_all)
    if body is None and len(head.path) == 1 and not head.beside_path:
        return _by_path(head, make, read_all)
    return read_all


def _by_parts(head: HeadReader, body: BodyReader | None, make: Callable[..., Any], issues_max: int) -> ReadInput:
    """Any request, attribute by attribute."""

    def read_input(request: Request, headers: HeaderMap, variables: tuple[str, ...], content: Any) -> Any:
        attributes: Attributes = {}
        issues: list[Issue] = []
        head.read(request, headers, variables, attributes, issues)
        if body is not None:
            body.take(content, attributes, issues)
        if issues:
            raise Invalid("the input does not fit its type", issues=tuple(issues[:issues_max]))
        return make(**attributes)

    return read_input


def _by_body(decode: Callable[[bytes], Any], read_all: ReadInput) -> ReadInput:
    """Requests whose body is all there is."""

    def read_input(request: Request, headers: HeaderMap, variables: tuple[str, ...], content: Any) -> Any:
        return read_all(request, headers, variables, content) if request.query else decode(content)

    return read_input


def _by_path(head: HeadReader, make: Callable[..., Any], read_all: ReadInput) -> ReadInput:
    """Requests whose path has one variable, which is all there is."""
    [(_, _, attribute, read, _, _)] = head.path

    def read_input(request: Request, headers: HeaderMap, variables: tuple[str, ...], content: Any) -> Any:
        if not request.query:
            try:
                return make(**{attribute: read(variables[0])})
            except (NotOfShape, Invalid):
                pass  # told by the long way
        return read_all(request, headers, variables, content)

    return read_input
