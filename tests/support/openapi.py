"""OpenAPI documents that a test makes: the services they become, and the upstreams they tell of."""

from __future__ import annotations

from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from entrepot.http.bodies import read
from entrepot.model.operation import Service
from entrepot.ports.exchange import Exchange, Request, Response
from entrepot.ports.protocol import ServedService
from entrepot.protocols.rest import PROTOCOL
from entrepot.shapes.document import Document
from entrepot.shapes.values import Values
from entrepot.spec import documents
from support.contracts import contract

Json = dict[str, Any]


def imported(content: Json) -> Service:
    found = PROTOCOL.client.read(Document(content, "specs/x.json"), "made")
    assert found.refusals == ()
    return found.service


def own_document(service: Service) -> Json:
    content: Json = documents.read(contract(PROTOCOL, service), "own").content
    return content


def of_one(**operation: Any) -> Json:
    said = {"operationId": "do", "responses": {"204": {"description": ""}}} | operation
    return {"openapi": "3.1.0", "info": {"title": "Made", "version": "1"}, "paths": {"/do": {"post": said}}}


def comes_back(content: Json) -> Json:
    """The service's own document, which is valid and says the same."""
    service = imported(content)
    own = own_document(service)
    assert [error.message for error in OpenAPIV31SpecValidator(own).iter_errors()] == []
    assert imported(own) == service
    return own


class Upstream:
    """Remembers requests and gives the answer that was set, behind our own server."""

    def __init__(self, service: Service) -> None:
        self.requests: list[Request] = []
        self.answer = Response(200, [(b"content-type", b"application/json"), (b"etag", b'"v*1\\"')], b'{"id":"1"}')
        values = Values(service.types)
        invokes = PROTOCOL.client.dial(service, values, self._exchange, "crm")
        served = ServedService(service=service, values=values, invokes=invokes)
        self._server: Exchange = PROTOCOL.server.serve([served])
        self._mount = f"/api/{service.name}/v{service.version}"

    async def _exchange(self, request: Request) -> Response:
        self.requests.append(request)
        return self.answer

    async def asked(
        self, method: str, path: str = "/things/1", query: bytes = b"", body: bytes = b"", **headers: str
    ) -> tuple[Response, bytes]:
        pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        response = await self._server(Request(method, f"{self._mount}{path}".encode(), query, headers=pairs, body=body))
        return response, await read(response.body, 10**6)

    def got(self, name: bytes) -> list[bytes]:
        """The values under this header of the latest request."""
        return [value for key, value in self.requests[-1].headers if key == name]
