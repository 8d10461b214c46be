"""Serving without an edge, where no Envoy runs: one worker on TCP, and a list of what is missing."""

from __future__ import annotations

from msgspec.structs import replace

from entrepot.ir.edge import UpstreamTarget
from entrepot.ir.release import Release
from entrepot.ir.worker import PythonSource
from entrepot.kit.diagnostics import Diagnostic, Refused

NOTHING_TO_SERVE = "E901"
"""The project has no operations in Python, and without an edge nothing else can be served."""

_ALWAYS = ("hardening of requests", "connection limits", "entrepot apply")


def without_edge(release: Release) -> Release:
    """What of a release one worker serves alone. Raises `Refused` when that is nothing."""
    pools = tuple(replace(pool, processes=1) for pool in release.worker.pools if pool.kind == "operations")
    services = tuple(table for table in release.worker.services if isinstance(table.source, PythonSource))
    if not services:
        message = f"without an edge nothing is left to serve; left out: {'; '.join(_left_out(release))}"
        remedy = "Add a service of your own in Python, or run where there is an Envoy (without `--edge none`)."
        raise Refused([Diagnostic(NOTHING_TO_SERVE, message, remedy=remedy)])
    return replace(release, worker=replace(release.worker, pools=pools, services=services))


def missing_without_edge(release: Release) -> tuple[str, ...]:
    """What the project declares, or always has, that one worker alone does not do."""
    return (*_ALWAYS, *_left_out(release))


def _left_out(release: Release) -> list[str]:
    """What the project declares and only an edge can serve, and why."""
    tables = release.worker.services
    left_out = {
        "imported services (only the egress calls upstreams)": [
            table.service.name for table in tables if not isinstance(table.source, PythonSource)
        ],
        "pass-through routes (they never touch a worker)": [
            route.path for route in release.edge.routes if isinstance(route.target, UpstreamTarget)
        ],
        "hosted applications (each needs workers of its own)": [
            pool.mount or "/" for pool in release.worker.pools if pool.kind != "operations"
        ],
    }
    return [f"{what}: {', '.join(names)}" for what, names in left_out.items() if names]
