"""A route below a service's own prefix takes addresses away from it."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.compiler.routes import declared_routes
from entrepot.kit.diagnostics import Diagnostic

CODE = "W314"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Routes that begin with the prefix at which a protocol serves operations."""
    prefixes = {
        mount.path: f"{unit.service.name} over {served.protocol}"
        for unit in draft.units
        for served in unit.served
        for mount in served.mounts
        if not mount.exact
    }
    for route in declared_routes(draft):
        for prefix, owner in prefixes.items():
            if route.path != prefix and route.path.startswith(prefix):
                message = f"the route {route.entry.path} hides part of {owner}, which is served below {prefix}"
                remedy = "Move the route, unless it is meant to come first."
                yield Diagnostic(CODE, message, route.place, remedy, "warning")
