"""A service without operations is served nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic

CODE = "W332"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Services that have none, and send nothing either."""
    for unit in draft.units:
        if not unit.service.operations and not unit.service.outgoing:
            message = f"the service `{unit.service.name}` has no operations, so nothing of it is served"
            remedy = "Add one, such as a function below `@NAME.operation()`, or remove the service."
            yield Diagnostic(CODE, message, unit.place, remedy, "warning")
