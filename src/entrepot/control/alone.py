"""Serving without an edge, where no Envoy runs: one worker on TCP, and a list of what is missing."""

from __future__ import annotations

from msgspec.structs import replace

from entrepot.ir.edge import UpstreamTarget
from entrepot.ir.release import Release
from entrepot.kit.diagnostics import Diagnostic, Refused

NOTHING_TO_SERVE = "E901"
"""There are no operations, and without an edge nothing else can be served."""


def without_edge(release: Release) -> Release:
    """What of a release one worker serves alone. Raises `Refused` when that is nothing."""
    pools = tuple(replace(pool, processes=1) for pool in release.worker.pools if pool.kind == "operations")
    if not pools:
        remedy = "Declare a service, or run where there is an Envoy binary."
        message = "without an edge there is nothing to serve: the project has no operations"
        raise Refused([Diagnostic(NOTHING_TO_SERVE, message, remedy=remedy)])
    return replace(release, worker=replace(release.worker, pools=pools))


def missing_without_edge(release: Release) -> tuple[str, ...]:
    """What the project declares, or always has, that one worker alone does not do."""
    upstreams = [upstream.name for upstream in release.edge.upstreams]
    passed = [route.path for route in release.edge.routes if isinstance(route.target, UpstreamTarget)]
    hosted = [pool.mount or "/" for pool in release.worker.pools if pool.kind != "operations"]
    missing = {
        "calls to upstreams": upstreams,
        "pass-through routes": passed,
        "hosted applications": hosted,
    }
    always = ("hardening of requests", "connection limits", "/-/ready and /-/live", "entrepot apply")
    return (*always, *(f"{what}: {', '.join(names)}" for what, names in missing.items() if names))
