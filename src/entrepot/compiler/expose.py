"""expose: over which protocols each operation is to be had, what of that they can carry, and where.

What an operation says of it comes before what its service says, and that before what the mode brings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
from msgspec.structs import replace

from entrepot.compiler.draft import Draft, Exposure, Served, Unit
from entrepot.model.operation import Service
from entrepot.ports.protocol import Catalog


def expose(draft: Draft) -> Draft:
    """The draft with the exposures of its services, and the addresses they have by them."""
    global _known
    known = {id(unit.service): _look(draft.catalog, unit.service) for unit in draft.units}
    _known = known
    return replace(draft, units=tuple(_exposed(draft, unit, known[id(unit.service)]) for unit in draft.units))


class _Look(msgspec.Struct):
    """What the protocols say of a service, as far as they were asked."""

    catalog: Catalog
    service: Service
    refusals: dict[str, Mapping[str, str]] = {}
    """By protocol."""
    served: dict[tuple[str, tuple[str, ...]], Served] = {}
    """By protocol and the operations that it carries."""


_known: dict[int, _Look] = {}
"""By identity, of the services of the project that was compiled last: one whose document is as it was is the same."""


def _look(catalog: Catalog, service: Service) -> _Look:
    known = _known.get(id(service))
    fits = known is not None and known.service is service and known.catalog is catalog
    return known if known is not None and fits else _Look(catalog, service)


def _exposed(draft: Draft, unit: Unit, look: _Look) -> Unit:
    unit = replace(unit, exposures=tuple(_exposures(draft, unit, look)))
    return replace(unit, served=tuple(_served(unit, look)))


def _exposures(draft: Draft, unit: Unit, look: _Look) -> Iterator[Exposure]:
    """Protocols that do not exist are left out here; their rule reports them."""
    entry = draft.entry(unit)
    fallback = draft.request.exposed_by_default

    def refusals(protocol: str) -> Mapping[str, str]:
        if protocol not in look.refusals:
            look.refusals[protocol] = look.catalog[protocol].can.refusals(look.service)
        return look.refusals[protocol]

    for operation in unit.service.operations:
        own = draft.operation_entry(unit, operation.name).expose
        named = entry.expose if own is None else own
        for protocol in dict.fromkeys(fallback if named is None else named):
            if protocol in draft.catalog:
                refusal = refusals(protocol).get(operation.name, "")
                asked = named is not None or unit.worded.get(operation.name) == protocol
                yield Exposure(operation=operation.name, protocol=protocol, named=asked, refusal=refusal)


def _served(unit: Unit, look: _Look) -> Iterator[Served]:
    carried: dict[str, list[str]] = {}
    for exposure in unit.exposures:
        if not exposure.refusal:
            carried.setdefault(exposure.protocol, []).append(exposure.operation)
    for protocol, names in carried.items():
        wanted = (protocol, tuple(names))
        if wanted not in look.served:
            look.served[wanted] = _addressed(look, *wanted)
        yield look.served[wanted]


def _addressed(look: _Look, protocol: str, names: tuple[str, ...]) -> Served:
    server, service = look.catalog[protocol].server, look.service.only(frozenset(names))
    mounts, addresses = tuple(server.mounts(service)), server.addresses(service)
    return Served(protocol=protocol, operations=names, mounts=mounts, addresses=addresses)
