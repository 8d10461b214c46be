"""A request as the input of an operation, by the shortest way that its parts allow.

Every issue of every part is reported at once, under a pointer whose first token is the parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from entrepot.http.headers import HeaderMap
from entrepot.model.call import Context
from entrepot.model.fault import Issue
from entrepot.model.faults import Invalid
from entrepot.ports.exchange import Request
from entrepot.protocols.rest.asking import Asking
from entrepot.protocols.rest.binding.bound import Binding
from entrepot.protocols.rest.body.codecs import BODIES
from entrepot.protocols.rest.parameters.head import HeadReader
from entrepot.protocols.rest.parameters.parameter import Attributes
from entrepot.shapes.values import Values


class InputReader:
    """Reads the inputs of one operation. Raises faults."""

    __slots__ = ("_body", "_head", "_issues_max", "_make", "fetch", "shortcut")

    def __init__(self, binding: Binding, values: Values, asking: Asking | None = None) -> None:
        self._head = HeadReader(binding, values, asking)
        self._body = BODIES[binding.body].reader(binding, values)
        self._make = values.codec(binding.operation.input).type
        self._issues_max = values.limits.issues_max
        self.fetch = None if self._body is None else self._body.fetch
        """Gets what there is to read of a body; None where there is none."""
        self.shortcut: Callable[[Any], Any] | None = self._head.whole if self._body is None else self._body.whole
        """Reads a request without a query off its fetched body, or else off the one variable of its path;
        None where that is not all."""

    def read(
        self, request: Request, headers: HeaderMap, variables: tuple[str, ...], content: Any, context: Context
    ) -> Any:
        """The input that a request gives: `content` is its fetched body. What it asks besides goes to the context."""
        attributes: Attributes = {}
        issues: list[Issue] = []
        self._head.read(request, headers, variables, context, attributes, issues)
        if self._body is not None:
            self._body.take(content, attributes, issues)
        elif headers.get(b"content-length", b"0") != b"0":
            issues = [_unread(each, request.method) for each in issues]
        if issues:
            raise Invalid("the input does not fit its type", issues=tuple(issues[: self._issues_max]))
        return self._make(**attributes)


def _unread(issue: Issue, method: str) -> Issue:
    """What is wrong with a request whose body nobody reads."""
    said = f"{issue.message}; the body of a {method} is not read"
    return Issue(issue.pointer, issue.code, said) if issue.code == "missing" else issue
