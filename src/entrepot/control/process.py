"""The control process: its parts put together, and the admin API served."""

from __future__ import annotations

import asyncio
import traceback
from functools import partial

import uvicorn

from entrepot.control import directories
from entrepot.control.applying import Again, Applier
from entrepot.control.building import Recipe, again, build, other_versions
from entrepot.control.edge_delivery import EnvoyDelivery
from entrepot.control.releases import Releases
from entrepot.control.server import AdminApi
from entrepot.control.wanted_fleet import WantedFleet
from entrepot.control.watching import look_at, told, watch
from entrepot.edge import run
from entrepot.ir.release import Release, Sealed
from entrepot.kit.clock import SystemClock
from entrepot.ports.protocol import Catalog
from entrepot.wire.asgi import asgi_app

SHUTDOWN_SECONDS = 3
"""Seconds that an answer in progress may take when the process is told to end."""


def run_control(recipe: Recipe, catalog: Catalog, descriptor: int, notify: int) -> None:
    """Serve the admin API on an inherited socket until told to end.

    A byte on `notify` tells the supervisor to look at the workers and the edge that should run.
    """
    asyncio.run(_run(recipe, catalog, descriptor, notify))


class OnDisk:
    """Implements `applying.Project`."""

    def __init__(self, recipe: Recipe, catalog: Catalog) -> None:
        self._recipe = recipe
        self._catalog = catalog

    async def build(self) -> Sealed:
        return (await asyncio.to_thread(build, self._recipe, self._catalog)).sealed

    def again(self, release: Release) -> Again:
        return Again(again(release, self._recipe), other_versions(release))


async def _run(recipe: Recipe, catalog: Catalog, descriptor: int, notify: int) -> None:
    layout = directories.layout_of(recipe.project)
    releases = Releases(layout)

    project = OnDisk(recipe, catalog)
    clock = SystemClock()
    edge = EnvoyDelivery(layout, run.binary(), notify, clock)
    applier = Applier(releases, project, WantedFleet(layout, notify), edge, clock)
    await applier.recover()
    config = uvicorn.Config(
        asgi_app(AdminApi(layout, recipe.serves, releases, applier)),
        fd=descriptor,
        lifespan="off",
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    watching = asyncio.create_task(_watch(recipe, releases, applier)) if recipe.watch else None
    await uvicorn.Server(config).serve()
    if watching is not None:
        watching.cancel()


async def _watch(recipe: Recipe, releases: Releases, applier: Applier) -> None:
    async def apply() -> None:
        try:
            text = told(await applier.apply())
        except Exception as error:  # what is saved next may be better
            traceback.print_exception(error)
        else:
            print(text, flush=True, end="\n" if text else "")

    await watch(partial(look_at, recipe, releases), apply, SystemClock())
