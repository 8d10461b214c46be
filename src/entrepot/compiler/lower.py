"""lower: from what the author wrote to what edge and workers read; no author's type goes further."""

from __future__ import annotations

import math
from collections.abc import Iterator

from msgspec.structs import replace

from entrepot.compiler.draft import Draft, Served, Unit
from entrepot.http.pages import docs_path
from entrepot.ir.edge import EdgeIR, PoolTarget, Route, UpstreamTarget
from entrepot.ir.worker import Pool, ServiceTable, UpstreamSource, WorkerIR
from entrepot.kit.names import snake, unique
from entrepot.model import shape
from entrepot.model.operation import Operation
from entrepot.ports.protocol import Mount
from entrepot.spec.declaration import RouteEntry
from entrepot.spec.references import parse_reference, root_of
from entrepot.spec.units import seconds

OPERATIONS = "operations"
"""The pool that serves operations."""

_SILENCE_MARGIN = 60.0
"""Seconds by which the edge waits longer than a worker, which can say which operation was late, and may still be
committing."""
_STREAM_SILENCE = 3600.0
"""Seconds that a stream may be quiet, or the reader of a file may rest."""

_POOL_NAME_MAX = 24
"""Characters of a pool's name, which is part of the names of sockets."""


def lower(draft: Draft) -> Draft:
    """The draft with the tables of edge and workers."""
    served = [unit for unit in draft.units if unit.served]
    hosted = _hosted_pools(draft)
    worker = WorkerIR(
        services=tuple(_table(unit) for unit in served),
        pools=tuple([_operations_pool(draft)] * bool(served) + list(hosted.values())),
        limits=draft.settings.limits,
        check_output=draft.request.mode == "dev",
    )
    return replace(draft, worker=worker, edge=_edge(draft, served, hosted))


def _table(unit: Unit) -> ServiceTable:
    refused: dict[str, dict[str, str]] = {}
    for exposure in unit.exposures:
        if exposure.refusal:
            refused.setdefault(exposure.protocol, {})[exposure.operation] = exposure.refusal
    return ServiceTable(
        service=unit.service,
        source=unit.source,
        carried={served.protocol: served.operations for served in unit.served},
        refused=refused,
        timeout=unit.timeout,
    )


def _operations_pool(draft: Draft) -> Pool:
    return Pool(name=OPERATIONS, processes=draft.settings.workers, threads=draft.settings.threads)


def _hosted_pools(draft: Draft) -> dict[str, Pool]:
    """By path of its route: the pool of each hosted application."""
    taken = {OPERATIONS: 1}
    pools = {}
    for route in draft.routes:
        entry = route.entry
        if entry.upstream is None:
            app = entry.wsgi or entry.asgi or ""
            name = unique(snake(route.path)[:_POOL_NAME_MAX] if route.path != "/" else "root", taken)
            pools[entry.path] = Pool(
                name=name,
                kind="wsgi" if entry.wsgi else "asgi",
                app=app,
                path=_root_of_app(draft, app),
                mount=route.path.rstrip("/"),
                processes=entry.workers or draft.settings.workers,
                threads=draft.settings.threads,
            )
    return pools


def _root_of_app(draft: Draft, app: str) -> str:
    reference = parse_reference(app)
    return root_of(draft.loaded.project, reference.module) if reference else ""


def _edge(draft: Draft, served: list[Unit], hosted: dict[str, Pool]) -> EdgeIR:
    routes = [*_operation_routes(draft, served), *_declared_routes(draft, hosted)]
    used = {route.entry.upstream for route in draft.routes if route.entry.upstream is not None}
    used |= {name for unit in served if isinstance(unit.source, UpstreamSource) for name in unit.source.upstreams}
    return EdgeIR(
        address=draft.settings.address,
        port=draft.settings.port,
        routes=tuple(sorted(routes, key=lambda route: (route.path, route.exact))),
        upstreams=tuple(draft.upstreams[name] for name in sorted(used)),
        pools=tuple(sorted([OPERATIONS] * bool(served) + [pool.name for pool in hosted.values()])),
        connections_max=draft.settings.connections_max,
        memory_max=draft.settings.edge_memory_max,
    )


def _operation_routes(draft: Draft, served: list[Unit]) -> Iterator[Route]:
    for unit in served:
        yield Route(path=docs_path(unit.service), exact=True, target=PoolTarget(OPERATIONS))
    silences: dict[Mount, float] = {}
    for unit in served:
        for each in unit.served:
            silence = _silence(draft, unit, each)
            silences |= {mount: max(silence, silences.get(mount, 0.0)) for mount in each.mounts}
    for mount, silence in silences.items():
        yield Route(path=mount.path, exact=mount.exact, target=PoolTarget(OPERATIONS), silence=silence)


def _silence(draft: Draft, unit: Unit, served: Served) -> float:
    """How long the longest of the operations may say nothing, with room for the worker to say so itself."""
    found = unit.service.only(frozenset(served.operations)).operations
    if any(each.stream_output or each.stream_input is not None or _answers_file(each, unit) for each in found):
        return _STREAM_SILENCE
    longest = max((each.timeout or unit.timeout for each in found), default=unit.timeout)
    return longest * _rounds(draft, served.protocol) + _SILENCE_MARGIN


def _answers_file(operation: Operation, unit: Unit) -> bool:
    return isinstance(shape.unwrap(operation.output, unit.service.types), shape.File)


def _rounds(draft: Draft, protocol: str) -> int:
    """How many calls one request may carry out one after the other."""
    limits = draft.settings.limits
    return math.ceil(limits.batch_max / limits.batch_concurrency_max) if draft.catalog[protocol].can.batches else 1


def _declared_routes(draft: Draft, hosted: dict[str, Pool]) -> Iterator[Route]:
    for route in draft.routes:
        timeout = route.entry.timeout
        yield Route(
            path=route.path,
            exact=route.exact,
            target=_target(route.entry, hosted),
            raw_path=False,
            timeout=None if timeout is None else seconds(timeout),
        )


def _target(entry: RouteEntry, hosted: dict[str, Pool]) -> PoolTarget | UpstreamTarget:
    if entry.upstream is None:
        return PoolTarget(hosted[entry.path].name)
    return UpstreamTarget(upstream=entry.upstream, strip_prefix=entry.strip_prefix)
