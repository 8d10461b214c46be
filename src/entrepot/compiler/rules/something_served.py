"""A project serves something."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic

CODE = "W325"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Declarations with neither services nor routes."""
    if not draft.declaration.services and not draft.declaration.routes:
        remedy = "Add a service, `services: {shop: {python: shop}}`, or a route below `routes`."
        yield Diagnostic(CODE, "nothing is served", draft.at(), remedy, "warning")
