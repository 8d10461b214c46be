"""Every operation with settings of its own exists."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft, Unit
from entrepot.kit.diagnostics import Diagnostic
from entrepot.kit.suggest import did_you_mean

CODE = "E307"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Names under a service's `operations` that none of its sources has."""
    units: dict[str, list[Unit]] = {}
    for unit in draft.units:
        units.setdefault(unit.key, []).append(unit)
    for key, found in units.items():
        names = {operation.name for unit in found for operation in unit.service.operations}
        for name in draft.declaration.services[key].operations:
            if name not in names:
                place = draft.at_key("services", key, "operations", name)
                remedy = did_you_mean(name, names) or "Remove it: the service has no operations."
                yield Diagnostic(CODE, f"`{key}` has no operation `{name}`", place, remedy)
