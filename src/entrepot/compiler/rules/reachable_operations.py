"""Every operation can be reached over some protocol."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic

CODE = "W326"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Operations that no protocol serves, but for those of which `can_carry` says why."""
    for unit in draft.units:
        reached = {exposure.operation for exposure in unit.exposures if exposure.named or not exposure.refusal}
        for operation in unit.service.operations:
            if operation.name not in reached:
                message = f"{unit.service.name}.{operation.name} is served over no protocol"
                remedy = "Name one in its `expose`, or in that of its service."
                yield Diagnostic(CODE, message, unit.place_of(operation.name), remedy, "warning")
