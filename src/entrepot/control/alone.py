"""Serving without an edge, where no Envoy runs: one worker on TCP, and a list of what is missing."""

from __future__ import annotations

from msgspec.structs import replace

from entrepot.ir.edge import UpstreamTarget
from entrepot.ir.release import Release
from entrepot.ir.worker import PythonSource
from entrepot.kit.diagnostics import Diagnostic, Refused

NOTHING_TO_SERVE = "E901"
"""There are no operations, and without an edge nothing else can be served."""


def without_edge(release: Release) -> Release:
    """What of a release one worker serves alone. Raises `Refused` when that is nothing."""
    pools = tuple(replace(pool, processes=1) for pool in release.worker.pools if pool.kind == "operations")
    services = tuple(table for table in release.worker.services if isinstance(table.source, PythonSource))
    if not pools or not services:
        remedy = "Declare a service, or run where there is an Envoy binary."
        message = "without an edge there is nothing to serve: the project has no operations of its own"
        raise Refused([Diagnostic(NOTHING_TO_SERVE, message, remedy=remedy)])
    return replace(release, worker=replace(release.worker, pools=pools, services=services))


def missing_without_edge(release: Release) -> tuple[str, ...]:
    """What the project declares, or always has, that one worker alone does not do."""
    tables = release.worker.services
    dialled = [table.service.name for table in tables if not isinstance(table.source, PythonSource)]
    passed = [route.path for route in release.edge.routes if isinstance(route.target, UpstreamTarget)]
    hosted = [pool.mount or "/" for pool in release.worker.pools if pool.kind != "operations"]
    missing = {
        "imported services": dialled,
        "pass-through routes": passed,
        "hosted applications": hosted,
    }
    always = ("hardening of requests", "connection limits", "/-/ready and /-/live", "entrepot apply")
    return (*always, *(f"{what}: {', '.join(names)}" for what, names in missing.items() if names))
