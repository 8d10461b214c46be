"""resolve: names as the declaration has them, and the order in which services stand."""

from __future__ import annotations

from msgspec.structs import replace

from entrepot.compiler.draft import Draft, Unit


def resolve(draft: Draft) -> Draft:
    """The draft with its units under their final names and versions, in their order."""
    units = [_renamed(draft, unit) for unit in draft.units]
    return replace(draft, units=tuple(sorted(units, key=lambda unit: (unit.service.name, unit.service.version))))


def _renamed(draft: Draft, unit: Unit) -> Unit:
    entry = draft.entry(unit)
    service = unit.service
    return replace(
        unit,
        service=replace(service, name=entry.name or service.name, version=entry.version or service.version),
    )
