"""`dev` and `serve`: compile, put everything on disk, start it, and keep it up until told to end."""

from __future__ import annotations

import asyncio
import signal
import time

import msgspec

from entrepot.control import directories, lock, readiness, sockets, workers
from entrepot.control.alone import missing_without_edge, without_edge
from entrepot.control.building import Recipe, again, build
from entrepot.control.commands import Programs
from entrepot.control.edge_process import Drain, EnvoyProcess
from entrepot.control.events import Ready, Report
from entrepot.control.logs import Echo, LogBook
from entrepot.control.releases import Live, Releases
from entrepot.control.supervisor import Settings, StartFailed, Supervisor
from entrepot.control.workers import Generation, Wanted
from entrepot.edge import run
from entrepot.edge.chain import INGRESS
from entrepot.edge.listeners import access_log
from entrepot.ir.edge import READY_PATH
from entrepot.ir.layout import Layout
from entrepot.ir.release import Release, Sealed
from entrepot.ir.worker import HEALTH_PATH
from entrepot.ports.protocol import Catalog

DRAIN = {"dev": Drain(listener=1, calls=2), "serve": Drain(listener=5, calls=30)}
"""By mode: how long ending in order may take."""

_REACHABLE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Where to find a listener that takes connections on every address."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """What is on disk before the first process starts."""

    layout: Layout
    release: Release
    generation: Generation
    held: bool
    """A rollback made it what runs, whatever is on disk."""
    missing: tuple[str, ...] = ()
    """What is not served for want of an edge."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port at which this machine reaches the listener."""
        edge = self.release.edge
        return _REACHABLE.get(edge.address, edge.address), edge.port


def start(
    recipe: Recipe,
    catalog: Catalog,
    report: Report,
    echo: Echo | None = None,
    *,
    with_edge: bool = True,
    last_good: bool = False,
) -> None:
    """Serve the project until a signal ends it.

    `last_good` starts the release that served last, without compiling: the way back when what is on
    disk does not compile. Raises `Refused` (it does not compile), `AlreadyRunning`, `PortTaken`, `NoEnvoy`,
    `StartFailed`, and KeyboardInterrupt when it was Ctrl-C that ended it.
    """
    begun = time.monotonic()
    drain = DRAIN[recipe.mode]
    layout = directories.layout_of(recipe.project)
    # Where nothing has run yet, nothing is made before it is known that there is something to run.
    chosen = None if layout.state.exists() else _chosen(layout, recipe, catalog, last_good)
    directories.create(layout)
    with lock.held(layout.lock, recipe.serves), directories.run_removed(layout):
        directories.sweep(layout)
        held = _is_held(layout, recipe)
        sealed = chosen or _chosen(layout, recipe, catalog, last_good or held)
        edge_table = sealed.release.edge
        edge = EnvoyProcess(layout, run.binary(), drain) if with_edge else None
        sockets.require_free(edge_table.address, edge_table.port)
        prepared = _prepare(layout, sealed, with_edge, held)
        run.raise_file_limit()
        logs = LogBook(layout.logs, echo)
        settings = Settings(
            layout=layout,
            programs=Programs(
                project=layout.project,
                kept=layout.files,
                drain=drain.calls,
                egress_socket=layout.egress_socket if with_edge else None,
                control_arguments=recipe.arguments,
            ),
            edge=edge,
            address=(edge_table.address, edge_table.port),
        )
        try:
            asyncio.run(_serve(prepared, settings, edge, logs, report, begun))
        finally:
            logs.close()


def has_last_good(recipe: Recipe) -> bool:
    """Whether the release that served last was made by this recipe."""
    releases = Releases(directories.layout_of(recipe.project))
    live = releases.live()
    return live is not None and releases.made(live.number) == recipe.made


def _is_held(layout: Layout, recipe: Recipe) -> bool:
    """Whether a rollback has said what is to run by this recipe until the next apply. Raises `StartFailed`."""
    releases = Releases(layout)
    live = releases.live()
    if live is None or not live.held or recipe.mode == "dev":  # `dev` shows what is on disk
        return False
    try:
        return releases.read(live.number).made == recipe.made
    except (OSError, ValueError) as error:
        reason = f"release {live.number} is held since a rollback, and is lost: {error}"
        raise StartFailed(f"{reason}\nremove {layout.state / 'live.json'} to start what is on disk") from None


def _chosen(layout: Layout, recipe: Recipe, catalog: Catalog, last_good: bool) -> Sealed:
    return _last_good(layout, recipe) if last_good else build(recipe, catalog).sealed


def _last_good(layout: Layout, recipe: Recipe) -> Sealed:
    releases = Releases(layout)
    live = releases.live()
    if live is None:
        raise StartFailed("no release of this project has served yet; start it without --last-good")
    return Sealed(again(releases.read(live.number), recipe), {})


def _prepare(layout: Layout, compiled: Sealed, with_edge: bool, held: bool) -> Prepared:
    """Store the release, unless it is the one that served last, and say which workers should run."""
    release = compiled.release if with_edge else without_edge(compiled.release)
    releases = Releases(layout)
    live = releases.live()
    unchanged = live is not None and releases.digest(live.number) == release.digest
    sealed = Sealed(release, compiled.contents)
    releases.keep(sealed)
    number = live.number if live is not None and unchanged else releases.add(sealed)
    generation = Generation.of(number, release.worker.pools)
    workers.write(layout.processes, Wanted((generation,)))
    missing = () if with_edge else missing_without_edge(compiled.release)
    return Prepared(layout=layout, release=release, generation=generation, held=held, missing=missing)


async def _serve(
    prepared: Prepared, settings: Settings, edge: EnvoyProcess | None, logs: LogBook, report: Report, begun: float
) -> None:
    supervisor = Supervisor(settings, logs, report)
    supervisor.listen_to_signals()
    following = asyncio.create_task(logs.follow(INGRESS, access_log(settings.layout, INGRESS)))
    try:
        supervisor.start_workers()
        await asyncio.sleep(0)  # lets the workers' processes begin before our own work on files
        if edge is not None:
            edge.start_files(prepared.release.edge, prepared.generation)
            supervisor.start_edge()
        if await supervisor.until_ready(_until_serving(prepared, edge)):
            generation = prepared.generation
            Releases(prepared.layout).go_live(Live(generation.release, generation.release, prepared.held))
            host, port = prepared.address
            number, seconds = generation.release, time.monotonic() - begun
            base_url, release = f"http://{host}:{port}", prepared.release
            supervisor.report(Ready(base_url, seconds, release, number, prepared.held, prepared.missing))
            if edge is not None:
                supervisor.start_control()
            await supervisor.until_told_to_end()
    finally:
        await supervisor.drain()
        following.cancel()
    if supervisor.ended_by is signal.SIGINT:
        raise KeyboardInterrupt


async def _until_serving(prepared: Prepared, edge: EnvoyProcess | None) -> None:
    """Return when clients get answers. Raises `StartFailed` when the edge refuses the release."""
    if edge is None:
        await readiness.until_answering(prepared.address, HEALTH_PATH)
        return
    reason = await edge.until_accepted(prepared.release.edge, prepared.generation)
    if reason:
        raise StartFailed(f"the edge refuses the release: {reason}")
    await readiness.until_answering(prepared.address, READY_PATH)
