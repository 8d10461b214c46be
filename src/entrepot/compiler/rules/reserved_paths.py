"""Paths below `/-/` are the platform's own."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.compiler.routes import declared_routes
from entrepot.kit.diagnostics import Diagnostic

CODE = "E315"

RESERVED = "/-/"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Routes below the reserved prefix."""
    for route in declared_routes(draft):
        if route.path.startswith(RESERVED):
            message = f"paths below {RESERVED} are taken by readiness and liveness"
            yield Diagnostic(CODE, message, route.place, "Choose another path.")
