"""Something to read at an address of its own: a contract, a page for people."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from entrepot.http.context import context_of
from entrepot.http.problems import MethodNotAllowed, problem_response
from entrepot.model.operation import Service
from entrepot.ports.exchange import Exchange, Request, Response

ALLOW = b"GET, HEAD"


def docs_path(service: Service) -> str:
    """Where a person reads about a service and its addresses in every protocol."""
    return f"/docs/{service.name}/v{service.version}"


class MadeOnce:
    """Octets that are made when they are first asked for, in a thread: calls go on meanwhile.

    The contract of a thousand operations takes a quarter of a second.
    """

    def __init__(self, make: Callable[[], bytes]) -> None:
        self._make = make
        self._making: asyncio.Task[bytes] | None = None

    async def content(self) -> bytes:
        """The octets. All who come while they are made wait for the same, though one of them may leave."""
        if self._making is None or (self._making.done() and self._making.exception() is not None):
            self._making = asyncio.create_task(asyncio.to_thread(self._make))
        return await asyncio.shield(self._making)


def page(media_type: str, made: MadeOnce) -> Exchange:
    """An exchange that answers GET."""

    async def answer(request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            fault = MethodNotAllowed(f"this address takes {ALLOW.decode()}, not {request.method}")
            return problem_response(fault, context_of(request), headers=[(b"allow", ALLOW)])
        content = await made.content()
        headers = [(b"content-length", b"%d" % len(content)), (b"content-type", media_type.encode())]
        return Response(200, headers, content if request.method == "GET" else b"")

    return answer
