"""Serves services over HTTP: an operation to a method and path, a document to a service."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from functools import partial

from entrepot.http.bodies import close
from entrepot.http.context import context_of
from entrepot.http.pages import MadeOnce, page
from entrepot.http.problems import MethodNotAllowed, problem_response
from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model.faults import Malformed, UnknownOperation
from entrepot.model.operation import Service
from entrepot.ports.exchange import Exchange, Request, Response
from entrepot.ports.links import Links
from entrepot.ports.protocol import Address, Contract, Mount, ServedService
from entrepot.protocols.rest import sample
from entrepot.protocols.rest.addresses import addresses
from entrepot.protocols.rest.binding.bound import JSON, Binding, document_path, mount
from entrepot.protocols.rest.binding.data import bind_service
from entrepot.protocols.rest.bulk import Bulk
from entrepot.protocols.rest.endpoint import Answer, OperationAnswer
from entrepot.protocols.rest.openapi import writer
from entrepot.protocols.rest.routing import template
from entrepot.protocols.rest.routing.router import Entry, MethodTable, Router


class RestServer:
    """The server half of REST."""

    def mounts(self, service: Service) -> Sequence[Mount]:
        """The one prefix of a service."""
        return (Mount(mount(service)),)

    def addresses(self, service: Service) -> Mapping[str, Address]:
        """By operation: its method and path."""
        return addresses(bind_service(service))

    def sample(self, service: Service, base_url: str) -> str:
        """A curl line for the operation that is easiest to call."""
        return sample.command(bind_service(service), base_url)

    def contracts(self, services: Sequence[Service]) -> Mapping[str, Contract]:
        """An OpenAPI 3.1 document for each service, below its prefix."""
        return {document_path(each): Contract("openapi", JSON, partial(_document, each)) for each in services}

    def serve(self, services: Sequence[ServedService], limits: Limits = DEFAULT_LIMITS) -> Exchange:  # noqa: ARG002
        """Answers requests to these services, and for each its `openapi.json`.

        Raises `Ambiguous` when two addresses are one, which `check` has told before.
        """
        router = Router((entry for served in services for entry in _entries(served)), _without_body)
        if router.clashes:
            raise router.clashes[0]

        def exchange(request: Request) -> Awaitable[Response]:
            try:
                found = router.find(request.path)
            except Malformed as malformed:
                return _ready(problem_response(malformed, context_of(request)))
            if found is None:
                nothing = UnknownOperation("nothing is served at this address")
                return _ready(problem_response(nothing, context_of(request)))
            table, variables = found
            answer = table.methods.get(request.method)
            if answer is None:
                return _ready(_no_method(table, request))
            return answer(request, variables)

        return exchange


def _document(service: Service) -> bytes:
    return writer.write(bind_service(service))


def _entries(served: ServedService) -> list[Entry[Answer]]:
    """The operations of a service, and its document."""
    bound = bind_service(served.service)
    document, links = page(JSON, MadeOnce(partial(writer.write, bound))), Links(served)
    entries: list[Entry[Answer]] = [
        Entry(each.method, bound.address(each), _answer(each, served, links)) for each in bound.bindings
    ]
    path = template.parse(document_path(served.service))
    return [*entries, Entry("GET", path, lambda request, _variables: document(request))]


def _answer(binding: Binding, served: ServedService, links: Links) -> Answer:
    answer = OperationAnswer(binding, served, links).answer
    return Bulk(answer, binding.operation, served.values).answer if binding.bulk else answer


def _no_method(table: MethodTable[Answer], request: Request) -> Response:
    """What this address allows (RFC 9110, §9.3.7 and §15.5.6)."""
    allow = [(b"allow", table.allow)]
    if request.method == "OPTIONS":
        return Response(204, allow)
    fault = MethodNotAllowed(f"this address takes {table.allow.decode()}, not {request.method}")
    return problem_response(fault, context_of(request), headers=allow)


async def _ready(response: Response) -> Response:
    return response


def _without_body(whole: Answer) -> Answer:
    async def answer(request: Request, variables: tuple[str, ...]) -> Response:
        response = await whole(request, variables)
        if not isinstance(response.body, bytes):
            await close(response.body)
        return Response(response.status, response.headers, b"")

    return answer
