"""One Exchange for a worker: each request goes to the protocol that took its address."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable

from entrepot.ir.worker import HEALTH_PATH
from entrepot.model.call import Headers
from entrepot.model.faults import UnknownOperation
from entrepot.ports.context import context_of
from entrepot.ports.exchange import Exchange, Request, Response
from entrepot.ports.problems import refusal
from entrepot.ports.protocol import Mount

_TEXT: Headers = [(b"content-type", b"text/plain; charset=utf-8")]


def dispatcher(mounted: Iterable[tuple[Mount, Exchange]]) -> Exchange:
    """An exchange that hands a request to the exact mount of its path, or else to the longest prefix.

    Paths are compared as they came. Raises ValueError when two exchanges want the same address.
    """
    exact: dict[bytes, Exchange] = {HEALTH_PATH.encode(): _answer_health}
    prefixes: dict[bytes, Exchange] = {}
    for mount, exchange in mounted:
        table = exact if mount.exact else prefixes
        if table.setdefault(mount.path.encode(), exchange) is not exchange:
            raise ValueError(f"two protocols want to be served at {mount.path}")
    depths = sorted({prefix.count(b"/") for prefix in prefixes}, reverse=True)

    def dispatch(request: Request) -> Awaitable[Response]:
        path = request.path
        exchange = exact.get(path)
        if exchange is not None:
            return exchange(request)
        for depth in depths:
            exchange = prefixes.get(_up_to_slash(path, depth))
            if exchange is not None:
                return exchange(request)
        return _refuse(request)

    return dispatch


def _up_to_slash(path: bytes, number: int) -> bytes:
    """The path up to and with its slash of that number, or its last one when it has fewer."""
    return path[: len(path) - len(path.split(b"/", number)[-1])]


async def _refuse(request: Request) -> Response:
    return refusal(UnknownOperation("nothing is served at this path"), context_of(request))


async def _answer_health(_request: Request) -> Response:
    return Response(200, _TEXT, b"ok\n")
