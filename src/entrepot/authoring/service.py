"""The `Service` an author writes against: decorators that take note, and a description at the end.

Decorators change nothing and read nothing: the function stays callable as it is, and types may
be defined below it. Everything is read when `describe` or one of the properties is first asked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from types import FrameType
from typing import Any, TypedDict, TypeVar, Unpack

from entrepot.authoring import http
from entrepot.authoring.declared import Declared, DeclaredLink, DeclaredOperation
from entrepot.authoring.description import Described, describe
from entrepot.authoring.handler import Handler
from entrepot.authoring.places import place_in, place_of
from entrepot.authoring.resources import DeclaredResource
from entrepot.kit.diagnostics import Place
from entrepot.model import operation as model
from entrepot.model.fault import Fault
from entrepot.model.resource import Resource, Scope

F = TypeVar("F", bound=Callable[..., Any])


class OperationOptions(TypedDict, total=False):
    """What every decorator of an operation takes."""

    name: str | None
    """The operation's name; the function's own if none."""
    faults: Sequence[type[Fault]]
    """The faults it declares: what a caller should expect besides the general kinds."""
    scopes: Sequence[str]
    """What the caller must hold, all of them."""
    timeout: float | None
    """Seconds the answer may take; None leaves it to the service."""
    deprecated: bool | date
    """Whether callers should look for another; a date says since when, which REST tells in a header."""
    sunset: date
    """When it is expected to answer no longer: a date, or a moment with its zone."""
    deferrable: bool
    """It may be answered later, by a queue. Contracts tell it; no protocol or policy uses it yet."""
    tags: Sequence[str]
    """Words by which contracts and docs pages group operations."""
    examples: Sequence[model.Example | Mapping[str, Any]]
    """Sample inputs, or whole examples."""
    bindings: Mapping[str, Mapping[str, Any]]
    """By protocol: how the operation is bound there, where the default will not do. Plain data, which the
    protocol's README tells: `{"jsonrpc": {"method": "orders.place"}}`."""


class HttpOptions(OperationOptions, total=False):
    """What the decorators named after an HTTP method take besides."""

    status: int | None
    """The status of success, where it is not 200."""
    location: str | None
    """A path filled in from the output's fields; it makes the status 201."""
    fields: bool
    """Whether callers may choose among the output's fields: `?fields=id,owner.name`."""
    expand: bool
    """Whether callers may ask for what the output's links lead to: `?expand=owner`."""
    csv: bool
    """Whether a list of records is answered as CSV to who asks for it: `Accept: text/csv`."""
    xml: bool
    """Whether the body, and what is answered, may be XML as well as JSON: `application/xml`."""
    bulk: bool
    """Whether callers may send many bodies at once, each on a line of its own (`application/x-ndjson`)."""
    cache_control: str
    """What caches may do with an answer of a GET (RFC 9111, §5.2): `"public, max-age=3600"`."""


class Service:
    """A set of operations written as Python functions.

    A GET is safe and idempotent, a PUT or DELETE idempotent; `operation` is none of it unless
    it says so, and speaks no HTTP at all.
    """

    def __init__(self, name: str, version: str = "1", title: str = "", docs: str = "") -> None:
        place = place_in(_caller())
        options = {"name": name, "version": version, "title": title, "docs": docs}
        self._declared = Declared(options=options, place=place)
        self._described: Described | None = None

    def get(self, path: str, **options: Unpack[HttpOptions]) -> Callable[[F], F]:
        """An operation that reads: safe and idempotent."""
        return self._http("GET", path, options)

    def post(self, path: str, **options: Unpack[HttpOptions]) -> Callable[[F], F]:
        """An operation that does something, each time it is called."""
        return self._http("POST", path, options)

    def put(self, path: str, **options: Unpack[HttpOptions]) -> Callable[[F], F]:
        """An operation that replaces something; doing it twice is doing it once."""
        return self._http("PUT", path, options)

    def patch(self, path: str, **options: Unpack[HttpOptions]) -> Callable[[F], F]:
        """An operation that changes parts of something: what is absent stays (RFC 7396)."""
        return self._http("PATCH", path, options)

    def delete(self, path: str, **options: Unpack[HttpOptions]) -> Callable[[F], F]:
        """An operation that removes something; doing it twice is doing it once."""
        return self._http("DELETE", path, options)

    def operation(
        self, *, safe: bool = False, idempotent: bool = False, **options: Unpack[OperationOptions]
    ) -> Callable[[F], F]:
        """An operation that leaves its address to each protocol's default."""
        return self._operation({"safe": safe, "idempotent": idempotent, **options})

    def resource(self, scope: Scope = "call") -> Callable[[F], F]:
        """A generator that opens what it yields and closes it afterwards.

        A parameter of the yielded type receives it. What follows the `yield` runs before the
        reply is acknowledged, so a failing commit is a failed call; on a fault the generator
        sees it raised at the `yield`.
        """
        if callable(scope):
            raise TypeError("a resource is declared by a call: `@service.resource()`")
        names, place = _local_names(_caller()), place_in(_caller())

        def declare(factory: F) -> F:
            self._changed().resources.append(
                DeclaredResource(factory=factory, names=names, place=place, options={"scope": scope})
            )
            return factory

        return declare

    def link(
        self,
        type: type,
        field: str,
        *,
        operation: Callable[..., Any] | str,
        arguments: Mapping[str, str],
        batch: bool = False,
    ) -> None:
        """From a value of `type`, `field` is what `operation` gives for `arguments`.

        `arguments` maps the operation's parameters to the type's fields; with `batch` the
        parameters are lists, and one call serves many values.
        """
        self._changed().links.append(
            DeclaredLink(
                type=type,
                field=field,
                operation=operation,
                arguments=arguments,
                batch=batch,
                place=place_in(_caller()),
            )
        )

    def describe(self) -> model.Service:
        """The service as a value. Raises `Refused` with everything that is wrong."""
        return self._description.service

    @property
    def classes(self) -> Mapping[str, Any]:
        """The author's classes by the names of their types."""
        return self._description.classes

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """The functions by the names of their operations."""
        return self._description.handlers

    @property
    def resources(self) -> tuple[Resource, ...]:
        """The resources, each after those it needs."""
        return self._description.resources

    @property
    def place(self) -> Place:
        """Where the service is written."""
        return self._declared.place

    @property
    def worded(self) -> Mapping[str, str]:
        """By operation: the protocol in whose words its decorator speaks; none of one that leaves it to each."""
        return {each.name: http.PROTOCOL for each in self._declared.operations if each.method}

    @property
    def places(self) -> Mapping[str, Place]:
        """Where each operation is written."""
        return {each.name: place_of(each.function) for each in self._declared.operations}

    @property
    def _description(self) -> Described:
        if self._described is None:
            self._described = describe(self._declared)
        return self._described

    def _changed(self) -> Declared:
        self._described = None
        return self._declared

    def _http(self, method: str, path: str, options: HttpOptions) -> Callable[[F], F]:
        if not isinstance(path, str):
            raise TypeError(f"a path comes first: `@service.{method.lower()}('/things/{{id}}')`")
        return self._operation(options, method, path)

    def _operation(self, options: Mapping[str, Any], method: str = "", path: str = "") -> Callable[[F], F]:
        names, place = _local_names(_caller()), place_in(_caller())

        def declare(function: F) -> F:
            operation = DeclaredOperation(
                function=function, names=names, place=place, options=options, method=method, path=path
            )
            self._changed().operations.append(operation)
            return function

        return declare


def _caller() -> FrameType:
    """The frame that called into this module."""
    frame = sys._getframe(1)
    while frame.f_globals is globals() and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _local_names(frame: FrameType) -> Mapping[str, Any]:
    """The local names of the function that declares a service; a module's own are found without."""
    return {} if frame.f_locals is frame.f_globals else dict(frame.f_locals)
