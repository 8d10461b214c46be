"""An existing WSGI or ASGI application, served as it is under a prefix, in a pool of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

from a2wsgi import WSGIMiddleware

from entrepot.http.bodies import too_large
from entrepot.http.context import context_of
from entrepot.http.problems import problem_response
from entrepot.http.spool import Spool
from entrepot.ir.worker import HEALTH_PATH, Pool
from entrepot.kit.limits import Limits
from entrepot.model.fault import Fault
from entrepot.model.faults import Cancelled, Internal, Unavailable, UnknownOperation
from entrepot.model.headers import OF_THE_EDGE
from entrepot.ports.exchange import Request, Response
from entrepot.ports.faults import called_off
from entrepot.runtime.dispatch import answer_health
from entrepot.runtime.outbound import Outbound
from entrepot.runtime.sources import import_attribute
from entrepot.runtime.threads import WAITING_PER_THREAD
from entrepot.wire.asgi import IS_GONE, AsgiApp, Inbound, Message, Receive, Scope, Send, asgi_app

log = logging.getLogger("entrepot.runtime")

_OUTBOUND = "entrepot.outbound"
"""In the scope: where the answer goes."""
_MEMORY_MAX = 64 * 1024
"""Octets of a body that are held in memory; a longer one goes into a file."""


def hosted_app(pool: Pool, project: Path, limits: Limits) -> AsgiApp:
    """The pool's application, mounted. Raises what importing it raises."""
    module, _, attribute = pool.app.partition(":")
    app = import_attribute(module, attribute or "app", project / pool.path)
    if pool.kind == "wsgi":
        app = _in_threads(app, pool.threads, limits.file_bytes_max)
    return mounted(app, pool.mount)


def mounted(app: AsgiApp, mount: str) -> AsgiApp:
    """The application under a prefix: it finds the prefix as `root_path`, as if it were served there alone.

    The health path is answered before it, and every other path outside the prefix refused.
    """
    inside = f"{mount}/"
    health = asgi_app(answer_health)
    nothing = _refusing(UnknownOperation("nothing is served at this address"))

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
        elif scope["path"] == HEALTH_PATH:
            await health(scope, receive, send)
        elif scope["path"] == mount or scope["path"].startswith(inside):
            await _watched(app, {**scope, "root_path": mount}, receive, send)
        else:
            await nothing(scope, receive, send)

    return serve


async def _watched(app: AsgiApp, scope: Scope, receive: Receive, send: Send) -> None:
    """What the application answers; a problem whose trace id finds the log line when it raises instead.

    One that goes on to answer a caller who has left is told by an OSError, as ASGI has it: uvicorn would let it go
    on, and never give the loop to anything else meanwhile.
    """
    begun = left = False
    is_gone = scope["extensions"][IS_GONE]

    async def sending(message: Message) -> None:
        nonlocal begun, left
        message = _sound(message)
        begun, left = True, message.get("more_body", False) and is_gone()
        if left:
            raise ConnectionResetError("the caller has left")
        await send(message)

    try:
        await app(scope, receive, sending)
    except BaseException as error:
        if left and not called_off(error):
            return
        if begun or called_off(error):
            raise  # the answer breaks off, which is all that its caller can still be told
        await asgi_app(partial(_own_up, error))(scope, receive, send)


def _sound(message: Message) -> Message:
    """The message without headers that the edge would take for ours or its own. Raises ValueError for a status that
    ends no exchange (RFC 9110, §15), with which nothing would arrive."""
    if message["type"] != "http.response.start":
        return message
    if not 200 <= message["status"] <= 599:
        raise ValueError(f"the application answered with the status {message['status']}; those from 200 to 599 arrive")
    said = message.get("headers", ())
    return {**message, "headers": [pair for pair in said if not bytes(pair[0]).lower().startswith(OF_THE_EDGE)]}


async def _own_up(error: BaseException, request: Request) -> Response:
    context = context_of(request)
    extra = {"trace_id": context.trace_id}
    log.error("the application raised %s", type(error).__name__, exc_info=error, extra=extra)
    return problem_response(Internal(), context)


def _in_threads(app: Any, threads: int, body_max: int) -> AsgiApp:
    """A WSGI application in a pool of threads; requests beyond what may wait for one are refused."""
    adapted = cast(AsgiApp, WSGIMiddleware(_while_wanted(app), workers=threads))
    most = threads * (1 + WAITING_PER_THREAD)
    present = 0
    busy = _refusing(Unavailable("all threads of the application are busy", retry_after=1))

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal present
        if present >= most:
            await busy(scope, receive, send)
            return
        present += 1
        try:
            await adapted(scope, receive, send)
        finally:
            present -= 1

    return _read_ahead(_written_ahead(serve, body_max), body_max)


def _while_wanted(app: Any) -> Any:
    """The WSGI application, asked for no more of an answer than goes to somebody: one without an end, such as a
    stream of events, would keep its thread for ever.

    What is no octets is refused where the application sees it. The adapter would never let go of the thread.
    """

    def answer(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        outbound: Outbound = environ["asgi.scope"][_OUTBOUND]
        chunks = app(environ, start_response)
        try:
            for chunk in chunks:
                if not isinstance(chunk, bytes):
                    raise TypeError(f"the application answered with {type(chunk).__name__} in the place of bytes")
                if outbound.is_lost:
                    return
                yield chunk
        finally:
            getattr(chunks, "close", lambda: None)()

    return answer


def _written_ahead(app: AsgiApp, unsent_max: int) -> AsgiApp:
    """The application, whose answer is taken as fast as it comes: a slow reader takes no thread either.

    One that lies unsent with more octets than may be holds its thread.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        outbound = Outbound(send, _MEMORY_MAX, unsent_max)
        sending = asyncio.create_task(outbound.forward())
        try:
            await app({**scope, _OUTBOUND: outbound}, receive, outbound.take)
        except asyncio.CancelledError:
            sending.cancel()
            raise
        finally:
            outbound.end()
            await sending

    return serve


def _read_ahead(app: AsgiApp, body_max: int) -> AsgiApp:
    """The application, asked when the body of the request is there.

    A thread that reads from a slow caller is a thread that nobody else has: a few dozen such
    callers could keep an application from everybody.
    """
    too_long = _refusing(too_large(body_max), (b"connection", b"close"))

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        spool = Spool(_MEMORY_MAX)
        try:
            async for chunk in Inbound(receive, scope["headers"]):
                await spool.write(chunk)
                if spool.size > body_max:
                    await too_long(scope, receive, send)
                    return
        except Cancelled:
            return
        await app(scope, _replayed(spool.read()), send)

    return serve


def _replayed(body: AsyncIterator[bytes]) -> Receive:
    """A `receive` that gives the body. Nothing is asked of it after that."""

    async def again() -> Message:
        chunk = await anext(body, b"")
        return {"type": "http.request", "body": chunk, "more_body": chunk != b""}

    return again


def _refusing(fault: Fault, *headers: tuple[bytes, bytes]) -> AsgiApp:
    """What answers every request with this fault."""

    async def refuse(request: Request) -> Response:
        return problem_response(fault, context_of(request), headers=[*headers])

    return asgi_app(refuse)
