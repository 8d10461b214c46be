"""Something to read at an address of its own: a contract, a page for people."""

from __future__ import annotations

from collections.abc import Callable

from entrepot.http.context import context_of
from entrepot.http.problems import MethodNotAllowed, problem_response
from entrepot.model.operation import Service
from entrepot.ports.exchange import Exchange, Request, Response

ALLOW = b"GET, HEAD"


def docs_path(service: Service) -> str:
    """Where a person reads about a service and its addresses in every protocol."""
    return f"/docs/{service.name}/v{service.version}"


def page(media_type: str, make: Callable[[], bytes]) -> Exchange:
    """An exchange that answers GET with what is made when it is first asked for."""
    content = b""

    async def answer(request: Request) -> Response:
        nonlocal content
        if request.method not in ("GET", "HEAD"):
            fault = MethodNotAllowed(f"this address takes {ALLOW.decode()}, not {request.method}")
            return problem_response(fault, context_of(request), headers=[(b"allow", ALLOW)])
        content = content or make()
        headers = [(b"content-length", b"%d" % len(content)), (b"content-type", media_type.encode())]
        return Response(200, headers, content if request.method == "GET" else b"")

    return answer
