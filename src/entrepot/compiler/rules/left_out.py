"""An operation that a protocol cannot carry is left out of it, where the protocol is only on by default."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic

CODE = "N311"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Operations that are missing from a protocol nobody asked for by name."""
    for unit in draft.units:
        for exposure in unit.exposures:
            if exposure.refusal and not exposure.named:
                operation = f"{unit.service.name}.{exposure.operation}"
                message = f"{exposure.protocol} leaves out {operation}: {exposure.refusal}"
                remedy = f"If that is meant, give the operation an `expose` without {exposure.protocol}."
                yield Diagnostic(CODE, message, unit.place_of(exposure.operation), remedy, "note")
