"""resolve: names as the declaration has them, the order in which services stand, and what routes take."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from entrepot.compiler.addresses import parse_route_path
from entrepot.compiler.draft import DeclaredRoute, Draft, Unit


def resolve(draft: Draft) -> Draft:
    """The draft with its units under their final names and versions, in their order, and its routes."""
    units = [_renamed(draft, unit) for unit in draft.units]
    units.sort(key=lambda unit: (unit.service.name, unit.service.version))
    return replace(draft, units=tuple(units), routes=tuple(_routes(draft)))


def _routes(draft: Draft) -> Iterator[DeclaredRoute]:
    for index, entry in enumerate(draft.declaration.routes):
        try:
            path, exact = parse_route_path(entry.path)
        except ValueError:
            continue
        yield DeclaredRoute(entry, path, exact, index)


def _renamed(draft: Draft, unit: Unit) -> Unit:
    entry, service = draft.entry(unit), unit.service
    name, version = entry.name or service.name, entry.version or service.version
    if (name, version) == (service.name, service.version):
        return unit
    return replace(unit, service=replace(service, name=name, version=version))
