"""An existing WSGI or ASGI application, served as it is under a prefix, in a pool of its own."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any, cast

from a2wsgi import WSGIMiddleware

from entrepot.ir.worker import HEALTH_PATH, Pool
from entrepot.kit.limits import Limits
from entrepot.model.faults import TooLarge
from entrepot.runtime.sources import import_attribute
from entrepot.runtime.spool import Spool
from entrepot.runtime.threads import WAITING_PER_THREAD
from entrepot.wire.asgi import AsgiApp, Receive, Scope, Send


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
            await _answer(send, 200, b"ok\n")
        elif scope["path"] == mount or scope["path"].startswith(inside):
            await app({**scope, "root_path": mount}, receive, send)
        else:
            await _answer(send, 404, b"nothing is served at this path\n")

    return serve


def _in_threads(app: Any, threads: int, body_max: int) -> AsgiApp:
    """A WSGI application in a pool of threads; requests beyond what may wait for one are refused."""
    adapted = cast(AsgiApp, WSGIMiddleware(app, workers=threads))
    most = threads * (1 + WAITING_PER_THREAD)
    present = 0

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal present
        if present >= most:
            await _answer(send, 503, b"all threads are busy\n", (b"retry-after", b"1"))
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
                await _answer(send, 413, f"{fault.detail}\n".encode(), (b"connection", b"close"))
                return
            if whole:
                await app(scope, spool.replayed(receive), send)

    return serve


async def _answer(send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    plain = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body)), *headers]
    await send({"type": "http.response.start", "status": status, "headers": plain})
    await send({"type": "http.response.body", "body": body})
