"""ASGI in: any server that speaks ASGI 3 can drive an `Exchange`.

This is on the way of every request, so it does as little as possible for the usual one (body
and answer in memory) and starts a watcher task for streamed answers only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote

import msgspec

from entrepot.http.bodies import close, collect, too_large
from entrepot.http.context import context_of
from entrepot.http.problems import problem_response
from entrepot.model.faults import Cancelled, Internal
from entrepot.model.headers import Headers, header
from entrepot.ports.exchange import Exchange, Request, Response
from entrepot.ports.faults import called_off

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

ANSWER_WHOLE = "entrepot.answer_whole"
"""An extension of the scope: a callable that writes the answer to it, of a status, headers and a body, at once.
It answers False where it does not, and the answer is to be sent as ASGI has it."""

IS_GONE = "entrepot.is_gone"
"""Another: a callable that says whether the caller has left."""

log = logging.getLogger("entrepot.wire")


def asgi_app(exchange: Exchange) -> AsgiApp:
    """The exchange as an ASGI application for scopes of type "http".

    An exception from the exchange becomes a bare 500 whose trace id finds the log line. Once
    the answer has begun it is raised on, because only a broken connection then tells the
    caller that the answer is not whole.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"this application answers HTTP requests, not {scope['type']!r}")
        method, headers = scope["method"], scope["headers"]
        inbound = Inbound(receive, headers)
        path = scope.get("raw_path") or quote(scope["path"]).encode()
        request = Request(method, path, scope["query_string"], headers, inbound, inbound.departure)
        try:
            response = await exchange(request)
        except BaseException as error:
            if called_off(error):
                raise
            if inbound.gone:
                return
            response = _internal_error(request)
        body = response.body
        if isinstance(body, bytes):
            headers = response.headers
            if not headers or headers[0][0] != b"content-length":
                headers = _with_length(response, body)
            if method != "HEAD" and _answered_whole(scope, response.status, headers, body):
                return
            await send({"type": "http.response.start", "status": response.status, "headers": headers})
            await send({"type": "http.response.body", "body": body if method != "HEAD" else b""})
        else:
            try:
                await _send_stream(response, body, method, inbound, send)
            except BaseException as error:
                if not called_off(error):
                    log.exception("the answer broke off", extra={"trace_id": context_of(request).trace_id})
                raise

    return app


def _answered_whole(scope: Scope, status: int, headers: Headers, body: bytes) -> bool:
    """Whether the server has taken the answer at once. Only where its length is what it says."""
    extensions = scope.get("extensions")
    answer = None if extensions is None else extensions.get(ANSWER_WHOLE)
    if answer is None or (headers and headers[0] != (b"content-length", b"%d" % len(body))):
        return False
    taken: bool = answer(scope, status, headers, body)
    return taken


class Inbound(msgspec.Struct, eq=False):
    """A request's body, read as it is asked for, and after it the caller's departure."""

    receive: Receive
    headers: Headers
    ended: bool = False
    """Whether the body has been read whole, or will never be."""
    gone: bool = False
    """Whether the caller has left."""
    all_read: asyncio.Event | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """The next chunk. Raises `Cancelled` when the caller leaves before the body is whole."""
        if self.ended:
            raise StopAsyncIteration
        message = await self.receive()
        if not message.get("more_body", False):
            self._end(message)
        chunk: bytes = message.get("body", b"")
        return chunk

    async def whole(self, limit: int) -> bytes:
        """All that is still to come, which nearly always is one chunk. Raises as `collect` does."""
        if self.ended:
            return b""
        message = await self.receive()
        chunk: bytes = message.get("body", b"")
        if message.get("more_body", False):
            return await collect(self, limit, chunk)
        self.ended = True
        if self.all_read is not None or message["type"] == "http.disconnect":
            self._end(message)
        if len(chunk) > limit:
            raise too_large(limit)
        return chunk

    async def departure(self) -> None:
        """Return when the caller has left.

        Messages that belong to a body still being read are left to its reader.
        """
        if not self.ended and self._announces_body():
            self.all_read = self.all_read or asyncio.Event()
            await self.all_read.wait()
        while not self.gone:
            message = await self.receive()
            self.gone = message["type"] == "http.disconnect"

    def _end(self, last: Message) -> None:
        self.ended = True
        if self.all_read is not None:
            self.all_read.set()
        if last["type"] == "http.disconnect":
            self.gone = True
            raise Cancelled("the caller left before the request was whole")

    def _announces_body(self) -> bool:
        length = header(self.headers, b"content-length")
        return header(self.headers, b"transfer-encoding") is not None or length not in (None, b"0")


def _with_length(response: Response, body: bytes) -> Headers:
    """The headers, and the body's length where it may be said (RFC 9110, §8.6)."""
    headers = response.headers
    for name, _ in headers:
        if name == b"content-length":
            return headers
    if response.status in (204, 304) or response.status < 200:
        return headers
    return [*headers, (b"content-length", b"%d" % len(body))]


async def _send_stream(
    response: Response, body: AsyncIterator[bytes], method: str, inbound: Inbound, send: Send
) -> None:
    """Send chunks as fast as the caller takes them; stop at once when the caller leaves."""
    task = asyncio.current_task()
    watcher = asyncio.create_task(_cancel_at_departure(inbound, task))
    try:
        await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
        if method != "HEAD":
            async for chunk in body:
                if chunk:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    except asyncio.CancelledError:
        if not inbound.gone or task is None or task.uncancel() > 0:
            raise
    finally:
        watcher.cancel()
        await close(body)


async def _cancel_at_departure(inbound: Inbound, task: asyncio.Task[Any] | None) -> None:
    await inbound.departure()
    if task is not None:
        task.cancel()


def _internal_error(request: Request) -> Response:
    context = context_of(request)
    log.exception("the exchange raised", extra={"trace_id": context.trace_id})
    return problem_response(Internal(), context)
