"""expose: over which protocols each operation is to be had, what of that they can carry, and where.

What an operation says of it comes before what its service says, and that before what the mode brings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from msgspec.structs import replace

from entrepot.compiler.draft import Draft, Exposure, Served, Unit


def expose(draft: Draft) -> Draft:
    """The draft with the exposures of its services, and the addresses they have by them."""
    return replace(draft, units=tuple(_exposed(draft, unit) for unit in draft.units))


def _exposed(draft: Draft, unit: Unit) -> Unit:
    unit = replace(unit, exposures=tuple(_exposures(draft, unit)))
    return replace(unit, served=tuple(_served(draft, unit)))


def _exposures(draft: Draft, unit: Unit) -> Iterator[Exposure]:
    """Protocols that do not exist are left out here; their rule reports them."""
    entry = draft.entry(unit)
    fallback = draft.request.exposed_by_default

    @cache
    def refusals(protocol: str) -> Mapping[str, str]:
        return draft.catalog[protocol].can.refusals(unit.service)

    for operation in unit.service.operations:
        own = draft.operation_entry(unit, operation.name).expose
        named = entry.expose if own is None else own
        for protocol in dict.fromkeys(fallback if named is None else named):
            if protocol in draft.catalog:
                refusal = refusals(protocol).get(operation.name, "")
                asked = named is not None or unit.worded.get(operation.name) == protocol
                yield Exposure(operation=operation.name, protocol=protocol, named=asked, refusal=refusal)


def _served(draft: Draft, unit: Unit) -> Iterator[Served]:
    carried: dict[str, list[str]] = {}
    for exposure in unit.exposures:
        if not exposure.refusal:
            carried.setdefault(exposure.protocol, []).append(exposure.operation)
    for protocol, names in carried.items():
        server, service = draft.catalog[protocol].server, unit.service.only(frozenset(names))
        yield Served(
            protocol=protocol,
            operations=tuple(names),
            mounts=tuple(server.mounts(service)),
            addresses=server.addresses(service),
        )
