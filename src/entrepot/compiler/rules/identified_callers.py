"""An operation with scopes refuses every call while nothing identifies callers."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic

CODE = "W329"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Operations that are served and ask for a scope."""
    for unit in draft.units:
        exposed = {exposure.operation for exposure in unit.exposures}
        for operation in unit.service.operations:
            if operation.scopes and operation.name in exposed:
                message = (
                    f"{unit.service.name}.{operation.name} refuses every call:"
                    f" it asks for {', '.join(operation.scopes)}, and nothing identifies callers yet"
                )
                remedy = "Leave out its scopes if everybody may call it, or do not expose it."
                yield Diagnostic(CODE, message, unit.place_of(operation.name), remedy, "warning")
