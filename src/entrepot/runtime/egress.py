"""Requests to upstreams, through Envoy's Unix socket.

A request's host is the upstream's name; Envoy knows it as `<upstream>.egress`. What Envoy should
know of the call travels as hint headers, which it trusts on this socket alone; what it did travels
back in `x-entrepot-egress`: "-" says that the upstream itself answered, anything else is the kind of
a fault, a space, and what happened.
"""

from __future__ import annotations

import math
import time

import msgspec

from entrepot.http.bodies import close
from entrepot.ir import egress
from entrepot.model.fault import Fault
from entrepot.model.faults import Timeout, Unavailable, UpstreamFailed
from entrepot.model.headers import OF_THE_EDGE, Headers, header
from entrepot.ports.exchange import Request, Response
from entrepot.wire.http1 import Http1Client
from entrepot.wire.pool import NotConnected

_MARK = egress.MARK.encode()
_SUFFIX = egress.HOST_SUFFIX.encode()
_RETRY_ON = (b"x-envoy-retry-on", b"reset,gateway-error")
"""Added to the route's own conditions, which repeat only what never reached the upstream."""

_ANSWERED = egress.ANSWERED.encode()
_UNEXPLAINED = "the request could not be passed on"


class Egress:
    """An Exchange to every upstream. Faults name it, without ".egress"; so do those of a streamed body."""

    def __init__(self, client: Http1Client) -> None:
        self._client = client

    async def __call__(self, request: Request) -> Response:
        """The upstream's own response. Raises `UpstreamFailed`, `Unavailable` or `Timeout` when there is none."""
        try:
            response = await self._client(_with_hints(request))
        except NotConnected as fault:
            raise Unavailable(f"the egress cannot be reached: {fault.detail}") from None
        mark = header(response.headers, _MARK)
        if mark != _ANSWERED:
            await close(response.body)
            failure = _failure(mark or b"")
            failure.upstream = self._client.upstream_of(request)
            raise failure
        response.headers = [pair for pair in response.headers if not pair[0].startswith(OF_THE_EDGE)]
        return response

    async def close(self) -> None:
        """Drop every connection to the egress."""
        await self._client.close()


def egress_exchange(socket_path: str, *, connections_max: int = 128) -> Egress:
    """The Exchange through the egress that listens on this Unix socket."""
    return Egress(Http1Client(path=socket_path, connections_max=connections_max, upstream_suffix=_SUFFIX.decode()))


def _with_hints(request: Request) -> Request:
    host = (header(request.headers, b"host") or b"").removesuffix(_SUFFIX) + _SUFFIX
    headers: Headers = [(b"host", host)]
    headers += (pair for pair in request.headers if pair[0] != b"host" and not pair[0].startswith(OF_THE_EDGE))
    headers.append((b"x-envoy-upstream-rq-timeout-ms", _milliseconds(request.deadline)))
    if request.idempotent:
        headers.append(_RETRY_ON)
    return msgspec.structs.replace(request, headers=headers)


_GRACE_MS = 100
"""How much later than we ourselves Envoy gives up, or the deadline would look like a broken answer."""


def _milliseconds(deadline: float | None) -> bytes:
    """Until a little after the deadline; "0" means no limit, as streams need it."""
    if deadline is None:
        return b"0"
    return b"%d" % max(1, math.ceil((deadline - time.monotonic()) * 1000) + _GRACE_MS)


def _failure(mark: bytes) -> Fault:
    """What Envoy's own answer means."""
    kind, _, detail = mark.decode("latin-1").partition(" ")
    if kind == Timeout.kind:
        return Timeout(detail)
    return UpstreamFailed(detail or _UNEXPLAINED)
