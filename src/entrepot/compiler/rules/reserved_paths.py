"""Paths below `/-/` are the platform's own."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.compiler.routes import declared_routes
from entrepot.ir.edge import OWN_PREFIX
from entrepot.kit.diagnostics import Diagnostic

CODE = "E315"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Routes below the reserved prefix."""
    for route in declared_routes(draft):
        if route.path.startswith(OWN_PREFIX):
            message = f"paths below {OWN_PREFIX} are taken by readiness and liveness"
            yield Diagnostic(CODE, message, route.place, "Choose another path.")
