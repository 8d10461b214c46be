"""A protocol that an `expose` names, or whose words an operation's code speaks, can carry the operation."""

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
                if unit.worded.get(exposure.operation) == exposure.protocol:
                    remedy = f"Correct what its code says of {exposure.protocol}, or write `@service.operation()`."
                yield Diagnostic(CODE, message, unit.place_of(exposure.operation), remedy)
