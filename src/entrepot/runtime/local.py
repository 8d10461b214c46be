"""A Python service called in this process, without any server: for tests and `entrepot call`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from entrepot.authoring.service import Service as Authored
from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model.call import Middleware
from entrepot.ports.protocol import ServedService
from entrepot.runtime.bind import Binder
from entrepot.runtime.inflight import InFlight
from entrepot.runtime.resources import application_scope
from entrepot.runtime.threads import Threads

TIMEOUT_SECONDS = 30.0
"""How long an operation may take that sets no time itself."""
THREADS = 4


@asynccontextmanager
async def local_service(
    authored: Authored,
    *,
    middleware: Sequence[Middleware] = (),
    inflight: InFlight | None = None,
    threads: Threads | None = None,
    limits: Limits = DEFAULT_LIMITS,
    check_output: bool = True,
) -> AsyncIterator[ServedService]:
    """The service, its values and an Invoke for each operation, while its application resources are open.

    Raises `Refused` when the service is not sound, and whatever opening a resource raises.
    """
    service = authored.describe()
    threads = threads or Threads(THREADS)
    binder = Binder(threads, inflight=inflight, middleware=middleware, limits=limits, check_output=check_output)
    try:
        async with application_scope(authored.resources, threads) as application:
            try:
                yield binder.serve_handlers(service, TIMEOUT_SECONDS, authored, application)
            finally:
                await binder.finish()
    finally:
        threads.close()
