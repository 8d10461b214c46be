"""A protocol that an `expose` names can carry every operation it is named for."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic

CODE = "E310"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Operations that a named protocol cannot carry."""
    for unit in draft.units:
        for exposure in unit.exposures:
            if exposure.named and exposure.refusal:
                operation = f"{unit.service.name}.{exposure.operation}"
                message = f"{exposure.protocol} cannot carry {operation}: {exposure.refusal}"
                remedy = f"Leave {exposure.protocol} out, or give the operation an `expose` without it."
                yield Diagnostic(CODE, message, unit.place_of(exposure.operation), remedy)
