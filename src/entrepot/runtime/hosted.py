"""An existing WSGI or ASGI application, served as it is under a prefix, in a pool of its own."""

from __future__ import annotations

import logging
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from a2wsgi import WSGIMiddleware

from entrepot.http.problems import problem_response
from entrepot.ir.worker import HEALTH_PATH, Pool
from entrepot.kit.limits import Limits
from entrepot.model.call import Context
from entrepot.model.fault import Fault
from entrepot.model.faults import Internal, TooLarge, Unavailable, UnknownOperation
from entrepot.ports.exchange import Response
from entrepot.runtime.sources import import_attribute
from entrepot.runtime.spool import Spool
from entrepot.runtime.threads import WAITING_PER_THREAD
from entrepot.wire.asgi import AsgiApp, Message, Receive, Scope, Send

log = logging.getLogger("entrepot.runtime")


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

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
        elif scope["path"] == HEALTH_PATH:
            await _answer(send, Response(200, [(b"content-type", b"text/plain; charset=utf-8")], b"ok\n"))
        elif scope["path"] == mount or scope["path"].startswith(inside):
            await _watched(app, {**scope, "root_path": mount}, receive, send)
        else:
            await _refuse(UnknownOperation("nothing is served at this address"), scope, send)

    return serve


async def _watched(app: AsgiApp, scope: Scope, receive: Receive, send: Send) -> None:
    """What the application answers; a problem whose trace id finds the log line when it raises instead."""
    begun = False

    async def sending(message: Message) -> None:
        nonlocal begun
        begun = True
        await send(message)

    try:
        await app(scope, receive, sending)
    except (Exception, SystemExit) as error:
        if begun:
            raise  # the answer breaks off, which is all that its caller can still be told
        extra = {"trace_id": _context(scope).trace_id}
        log.error("the application raised %s", type(error).__name__, exc_info=error, extra=extra)
        await _refuse(Internal(), scope, send)


def _in_threads(app: Any, threads: int, body_max: int) -> AsgiApp:
    """A WSGI application in a pool of threads; requests beyond what may wait for one are refused."""
    adapted = cast(AsgiApp, WSGIMiddleware(app, workers=threads))
    most = threads * (1 + WAITING_PER_THREAD)
    present = 0

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal present
        if present >= most:
            await _refuse(Unavailable("all threads of the application are busy", retry_after=1), scope, send)
            return
        present += 1
        try:
            await adapted(scope, receive, send)
        finally:
            present -= 1

    return _read_ahead(serve, body_max)


def _read_ahead(app: AsgiApp, body_max: int) -> AsgiApp:
    """The application, asked when the body of the request is there."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        with closing(Spool(body_max)) as spool:
            try:
                whole = await spool.fill(receive)
            except TooLarge as fault:
                await _refuse(fault, scope, send, (b"connection", b"close"))
                return
            if whole:
                await app(scope, spool.replayed(receive), send)

    return serve


def _context(scope: Scope) -> Context:
    traceparent = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
    return Context(traceparent=traceparent.decode("latin-1"))


async def _refuse(fault: Fault, scope: Scope, send: Send, *headers: tuple[bytes, bytes]) -> None:
    await _answer(send, problem_response(fault, _context(scope), headers=[*headers]))


async def _answer(send: Send, response: Response) -> None:
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    await send({"type": "http.response.body", "body": response.body})
