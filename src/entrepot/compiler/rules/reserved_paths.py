"""Paths below `/-/` are the platform's own."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.ir.edge import OWN_PREFIX
from entrepot.kit.diagnostics import Diagnostic

CODE = "E315"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Routes below the reserved prefix."""
    for route in draft.routes:
        if route.path.startswith(OWN_PREFIX):
            message = f"paths below {OWN_PREFIX} are taken by readiness and liveness"
            yield Diagnostic(CODE, message, draft.at_route(route), "Choose another path.")
