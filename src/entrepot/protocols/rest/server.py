"""Serves services over HTTP: an operation to a method and path, a document to a service."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from entrepot.http.bodies import close
from entrepot.http.context import context_of
from entrepot.http.pages import page
from entrepot.http.problems import MethodNotAllowed, problem_response
from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model.faults import Malformed, UnknownOperation
from entrepot.model.operation import Operation, Service
from entrepot.ports.exchange import Exchange, Request, Response
from entrepot.ports.protocol import Address, Contract, Mount, ServedService
from entrepot.protocols.rest import sample
from entrepot.protocols.rest.addresses import addresses
from entrepot.protocols.rest.binding.bound import JSON, Binding, document_path, mount
from entrepot.protocols.rest.binding.check import Unbindable
from entrepot.protocols.rest.binding.data import bind
from entrepot.protocols.rest.endpoint import Endpoint, OperationEndpoint
from entrepot.protocols.rest.openapi import writer
from entrepot.protocols.rest.routing import template
from entrepot.protocols.rest.routing.router import Entry, MethodTable, Router

T = TypeVar("T")

HEARTBEAT_SECONDS = 15.0
UNBINDABLE = "E702"
"""An operation's binding cannot be carried out."""


class RestServer:
    """The server half of REST. `heartbeat` is the most seconds an event stream is silent."""

    def __init__(self, heartbeat: float = HEARTBEAT_SECONDS) -> None:
        self._heartbeat = heartbeat

    def mounts(self, service: Service) -> Sequence[Mount]:
        """The one prefix of a service."""
        return (Mount(mount(service)),)

    def addresses(self, service: Service) -> Mapping[str, Address]:
        """By operation: its method and path."""
        return addresses(service, _bound(service, service.operations))

    def sample(self, service: Service, base_url: str) -> str:
        """A curl line for the operation that is easiest to call."""
        return sample.command(service, _bound(service, service.operations), base_url)

    def contracts(self, services: Sequence[Service]) -> Mapping[str, Contract]:
        """An OpenAPI 3.1 document for each service, below its prefix."""
        return {document_path(each): Contract("openapi", JSON, partial(writer.write, each)) for each in services}

    def serve(self, services: Sequence[ServedService], limits: Limits = DEFAULT_LIMITS) -> Exchange:
        """Answers requests to these services, and for each its `openapi.json`.

        Raises `Ambiguous` when two addresses are one, which `check` has told before.
        """
        router = Router((entry for served in services for entry in self._endpoints(served, limits)), _without_body)

        def exchange(request: Request) -> Awaitable[Response]:
            try:
                found = router.find(request.path)
            except Malformed as malformed:
                return _ready(problem_response(malformed, context_of(request)))
            if found is None:
                nothing = UnknownOperation("nothing is served at this address")
                return _ready(problem_response(nothing, context_of(request)))
            table, variables = found
            endpoint = table.methods.get(request.method)
            if endpoint is None:
                return _ready(_no_method(table, request))
            return endpoint(request, variables)

        return exchange

    def _endpoints(self, served: ServedService, limits: Limits) -> list[Entry[Endpoint]]:
        service = served.service
        bound = _bound(service, [operation for operation in service.operations if operation.name in served.invokes])
        endpoints: list[Endpoint] = [
            OperationEndpoint(
                operation, binding, served.invokes[operation.name], served.values, service.types, mount(service),
                limits, self._heartbeat,
            )
            for operation, binding in bound
        ]  # fmt: skip
        documents = self.contracts([service]).items()
        pages = [Entry("GET", template.parse(path), _read(contract)) for path, contract in documents]
        return _entries(service, bound, endpoints) + pages


def _bound(service: Service, operations: Iterable[Operation]) -> list[tuple[Operation, Binding]]:
    """Each operation with its binding. Raises `Refused` with every one that has none."""
    bound: list[tuple[Operation, Binding]] = []
    problems: list[Diagnostic] = []
    for operation in operations:
        try:
            bound.append((operation, bind(operation, service.types)))
        except Unbindable as unbindable:
            message = f"REST cannot carry {service.name}.{operation.name}: {unbindable}"
            problems.append(
                Diagnostic(UNBINDABLE, message, remedy="Change its REST binding, or do not expose it there.")
            )
    if problems:
        raise Refused(problems)
    return bound


def _entries(service: Service, bound: Iterable[tuple[Operation, Binding]], endpoints: Iterable[T]) -> list[Entry[T]]:
    base = mount(service).rstrip("/")
    return [
        Entry(binding.method, template.parse(base + binding.path.text), endpoint)
        for (_, binding), endpoint in zip(bound, endpoints, strict=True)
    ]


def _read(contract: Contract) -> Endpoint:
    answer = page(contract.media_type, contract.write)
    return lambda request, _variables: answer(request)


def _no_method(table: MethodTable[Endpoint], request: Request) -> Response:
    """What this address allows (RFC 9110, §9.3.7 and §15.5.6)."""
    allow = [(b"allow", table.allow)]
    if request.method == "OPTIONS":
        return Response(204, allow)
    fault = MethodNotAllowed(f"this address takes {table.allow.decode()}, not {request.method}")
    return problem_response(fault, context_of(request), headers=allow)


async def _ready(response: Response) -> Response:
    return response


def _without_body(endpoint: Endpoint) -> Endpoint:
    async def answer(request: Request, variables: tuple[str, ...]) -> Response:
        response = await endpoint(request, variables)
        if not isinstance(response.body, bytes):
            await close(response.body)
        return Response(response.status, response.headers, b"")

    return answer
