"""Messages by POST: what a protocol with an address of its own takes there, and how its client sends them.

HTTP carries one body there and one back. It has a say of its own before the protocol does, in
requests that it refuses and in answers that no message came with.
"""

from __future__ import annotations

from entrepot.http.bodies import close, read_reply, refuse_coding
from entrepot.http.context import context_headers, own_headers
from entrepot.http.headers import HeaderMap
from entrepot.http.media_types import MediaTypes
from entrepot.http.problems import HttpOnly, kind_of, retry_after, status_of
from entrepot.kit.limits import Limits
from entrepot.model.call import Context
from entrepot.model.fault import KINDS, Fault
from entrepot.model.faults import Unsupported, UpstreamFailed
from entrepot.model.headers import Headers
from entrepot.ports.exchange import Exchange, Request, Response


class NotPosted(HttpOnly, Unsupported):
    """The request's method is not POST."""

    http_status = 405


def check_post(request: Request, headers: HeaderMap, taken: MediaTypes) -> None:
    """Raise `Unsupported` unless it is a POST of one of these media types, in UTF-8 and as it is.

    A body without a label is refused too: a foreign page may make a browser post such a one.
    """
    if request.method != "POST":
        raise NotPosted(f"this address takes POST, not {request.method}")
    content_type = headers.get(b"content-type")
    if content_type not in taken.usual and not taken.includes_text(content_type):
        raise Unsupported(f"the body is to be {' or '.join(taken.media_types)} in UTF-8")
    if b"content-encoding" in headers:
        refuse_coding(headers)


def rejection(fault: Fault, message: bytes, media_type: bytes, allow: bytes = b"POST") -> Response:
    """The response to a request that HTTP refuses with this fault, which `message` tells in the protocol's form.

    `allow` are the methods that the address takes.
    """
    status = status_of(fault)
    allowed: Headers = [(b"allow", allow)] if status == 405 else []
    length = (b"content-length", b"%d" % len(message))
    return Response(status, [length, (b"content-type", media_type), *allowed], message)


class Poster:
    """Posts messages to one address. `accepts` are the media types of answers, where they are not the messages' own."""

    def __init__(
        self, exchange: Exchange, host: str, path: str, media_type: bytes, limits: Limits, accepts: bytes = b""
    ) -> None:
        self.host = host
        self.limits = limits
        self._exchange = exchange
        self._path = path.encode()
        self._headers: Headers = [
            (b"host", host.encode()), *own_headers(), (b"content-type", media_type), (b"accept", accepts or media_type),
        ]  # fmt: skip

    async def send(
        self, body: bytes, context: Context, *, idempotent: bool, headers: Headers | None = None
    ) -> Response:
        """The response, its body still to come and to be closed. Raises as `post` does.

        `headers` are the protocol's own for this message; they replace ours of the same name.
        """
        ours = self._headers
        if headers:
            names = {name for name, _ in headers}
            ours = [pair for pair in ours if pair[0] not in names] + headers
        return await self._exchange(
            Request(
                "POST", self._path, headers=ours + context_headers(context), body=body, deadline=context.deadline,
                idempotent=idempotent,
            )
        )  # fmt: skip

    async def post(
        self, body: bytes, context: Context, *, idempotent: bool, headers: Headers | None = None
    ) -> tuple[Response, bytes]:
        """The response and its body. Raises `UpstreamFailed`, `Unavailable` or `Timeout` when there is none."""
        response = await self.send(body, context, idempotent=idempotent, headers=headers)
        try:
            return response, await read_reply(response.body, self.limits.reply_bytes_max, self.host)
        finally:
            await close(response.body)

    def failure(self, response: Response) -> Fault:
        """What HTTP alone tells, where no message of the protocol came."""
        kind = kind_of(response.status)
        if kind not in _TOLD_BY_HTTP:
            return UpstreamFailed(f"{self.host} answered with the HTTP status {response.status}", upstream=self.host)
        blamed = self.host if KINDS[kind].blame != "caller" else ""
        detail = f"{self.host} answered {response.status}"
        return Fault.of(kind, detail, retry_after=retry_after(response.headers), upstream=blamed)


_TOLD_BY_HTTP = ("unauthenticated", "forbidden", "too_large", "rate_limited", "unavailable", "timeout")
"""What a server, or a proxy before it, may say of any call. A 404 is of the one address, never of the call."""
