"""A worker process: one pool of a sealed release, on an inherited socket."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import threading
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import uvloop

from entrepot.ir.release import Release
from entrepot.ir.worker import Pool, PythonSource, ServiceTable
from entrepot.kit.diagnostics import Diagnostic, Place, Refused
from entrepot.ports.exchange import Exchange
from entrepot.ports.protocol import Catalog, ServedService
from entrepot.runtime.bind import Binder, exchange_of
from entrepot.runtime.egress import egress_exchange
from entrepot.runtime.hosted import hosted_app
from entrepot.runtime.http_server import HttpServer
from entrepot.runtime.logs import log_as_json
from entrepot.runtime.resources import application_scope
from entrepot.runtime.sealed import import_from
from entrepot.runtime.sources import import_service
from entrepot.runtime.threads import Threads
from entrepot.runtime.upstreams import serve_upstreams
from entrepot.wire.asgi import asgi_app

RELEASE_UNREADABLE = "E853"
"""The release's file is not one that this version can read."""
POOL_UNKNOWN = "E854"
"""The release has no such pool."""
EGRESS_MISSING = "E855"
"""A service of the release needs the egress, and the worker was given none."""

DRAIN_SECONDS = 10.0
"""How long calls and streams may go on after SIGTERM."""

_CLOSING_SECONDS = 5.0
"""How long resources may take to close at the end."""

log = logging.getLogger("entrepot.runtime")


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker process is started with."""

    release: Release
    pool: Pool
    fd: int
    catalog: Catalog
    egress_socket: str = ""
    project: Path
    drain_seconds: float = DRAIN_SECONDS


def run_worker(
    release_file: Path,
    pool: str,
    fd: int,
    catalog: Catalog,
    egress_socket: Path | str = "",
    project_dir: Path = Path(),
    kept: Path = Path(),
    drain_seconds: float = DRAIN_SECONDS,
) -> None:
    """Serve the pool on the listening socket `fd` until SIGTERM, then finish what is in progress.

    `kept` is the directory with the release's files, from which the project's modules are imported.
    Calls have `drain_seconds` to end; streams are told to end shortly before. Raises `Refused`
    when the release cannot be served as it was sealed, and what the author's modules raise when
    they are imported.
    """
    log_as_json()
    release = _read(release_file)
    worker = Worker(
        release=release,
        pool=_pool(release, pool),
        fd=fd,
        catalog=catalog,
        egress_socket=str(egress_socket),
        project=project_dir.resolve(),
        drain_seconds=drain_seconds,
    )
    import_from(worker.project, release.files, kept.resolve())
    serve = _serve_operations if worker.pool.kind == "operations" else _serve_hosted
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        threads_left = runner.run(serve(worker))
    if threads_left:
        log.warning("threads that did not end and are given up: %d", threads_left)
        logging.shutdown()
        os._exit(0)  # Python would wait for them for ever


def _read(file: Path) -> Release:
    try:
        return Release.of(file.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        remedy = "Run `entrepot apply` to make a release with this version."
        place = Place(file=str(file))
        raise Refused([Diagnostic(RELEASE_UNREADABLE, f"the release is unreadable: {error}", place, remedy)]) from None


def _pool(release: Release, name: str) -> Pool:
    for pool in release.worker.pools:
        if pool.name == name:
            return pool
    known = ", ".join(pool.name for pool in release.worker.pools) or "none"
    message = f"the release has no pool {name!r}; it has {known}"
    raise Refused([Diagnostic(POOL_UNKNOWN, message, remedy="Name one of its pools.")])


async def _serve_operations(worker: Worker) -> int:
    """Returns how many threads are still at work at the end."""
    ir = worker.release.worker
    threads = Threads(worker.pool.threads)
    binder = Binder(threads, limits=ir.limits, check_output=ir.check_output)
    async with AsyncExitStack() as opened:
        egress = _egress(worker, opened)
        served = {table.service.name: await _serve(table, worker, binder, egress, opened) for table in ir.services}
        app = asgi_app(exchange_of(ir.services, served, worker.catalog, ir.limits))
        _settle_memory()
        server = HttpServer(
            app,
            drain_seconds=worker.drain_seconds,
            end_streams=lambda: _end_streams(binder),
        )
        await server.run_on(worker.fd)
        opened.push_async_callback(binder.finish)
        await _close(opened.pop_all())
    threads.close()
    return threads.at_work


async def _serve(
    table: ServiceTable, worker: Worker, binder: Binder, egress: Exchange | None, opened: AsyncExitStack
) -> ServedService:
    service, source = table.service, table.source
    if isinstance(source, PythonSource):
        authored = import_service(source, service, worker.project)
        application = await opened.enter_async_context(application_scope(authored.resources, binder.threads))
        return binder.serve_handlers(service, table.timeout, authored, application)
    if egress is None:
        message = f"service {service.name!r} is an upstream's, which is reached through the egress alone"
        raise Refused([Diagnostic(EGRESS_MISSING, message, remedy="Give the worker the egress's socket.")])
    return serve_upstreams(table, binder, worker.catalog, egress, worker.project)


async def _serve_hosted(worker: Worker) -> int:
    app = hosted_app(worker.pool, worker.project, worker.release.worker.limits)
    _settle_memory()
    server = HttpServer(
        app,
        drain_seconds=worker.drain_seconds,
        lifespan="auto" if worker.pool.kind == "asgi" else "off",
        trusts_edge=True,
    )
    await server.run_on(worker.fd)
    return sum(thread.name.startswith("WSGI") for thread in threading.enumerate())


def _end_streams(binder: Binder) -> None:
    counts = (binder.inflight.count, binder.streams.count)
    log.warning("the drain limit is near: %d calls are unanswered, %d streams are told to end", *counts)
    binder.streams.end()


def _egress(worker: Worker, opened: AsyncExitStack) -> Exchange | None:
    if not worker.egress_socket:
        return None
    egress = egress_exchange(worker.egress_socket)
    opened.push_async_callback(egress.close)
    return egress


def _settle_memory() -> None:
    """What has been made by now lives as long as the process: the collector need not look at it again."""
    gc.collect()
    gc.freeze()


async def _close(opened: AsyncExitStack) -> None:
    try:
        await asyncio.wait_for(opened.aclose(), _CLOSING_SECONDS)
    except TimeoutError:
        log.error("resources did not close within %g seconds and are given up", _CLOSING_SECONDS)
