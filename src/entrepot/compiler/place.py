"""place: where each address is answered, and why there: the table that `explain` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from entrepot.compiler.draft import Draft, Exposure, Placement, Unit
from entrepot.ir.worker import PythonSource
from entrepot.model.operation import Outgoing
from entrepot.ports.protocol import Address
from entrepot.spec.declaration import RouteEntry


def place(draft: Draft) -> Draft:
    """The draft with a row for each operation and protocol, for what is sent, and for each route."""
    rows = [row for unit in draft.units for row in (*_rows(unit), *_rows_of_what_is_off(draft, unit))]
    routes = [_route_row(route) for route in draft.declaration.routes]
    return replace(draft, placements=(*rows, *routes))


def _rows(unit: Unit) -> Iterator[Placement]:
    addresses = {served.protocol: served.addresses for served in unit.served}
    for exposure in unit.exposures:
        yield _row(unit, exposure, addresses.get(exposure.protocol, {}))
    for sent in unit.service.outgoing:
        yield _sent_row(unit, sent)


def _row(unit: Unit, exposure: Exposure, addresses: Mapping[str, Address]) -> Placement:
    return Placement(
        service=unit.service.name,
        operation=exposure.operation,
        protocol=exposure.protocol,
        address=addresses[exposure.operation].text if exposure.operation in addresses else "",
        where="nowhere" if exposure.refusal else "worker",
        why=f"{exposure.protocol} cannot carry it: {exposure.refusal}"
        if exposure.refusal
        else _origin(unit, exposure.operation),
    )


def _rows_of_what_is_off(draft: Draft, unit: Unit) -> Iterator[Placement]:
    """The protocols that `dev` has and `serve` has not, of a service that names none."""
    on, named = draft.request.exposed_by_default, {exposure.protocol for exposure in unit.exposures}
    if draft.entry(unit).expose is None and unit.exposures:
        for protocol in [name for name in draft.catalog if name not in on and name not in named]:
            yield Placement(
                service=unit.service.name,
                protocol=protocol,
                where="nowhere",
                why=f"off under serve; `expose: [{', '.join((*on, protocol))}]` switches it on",
            )


def _sent_row(unit: Unit, sent: Outgoing) -> Placement:
    what = f"calls back who called {sent.of}" if sent.of else "sends it to those who asked for it, a webhook"
    return Placement(
        service=unit.service.name,
        operation=sent.operation.name,
        address=sent.address,
        where="nowhere",
        why=f"its upstream {what}; Entrepôt delivers none yet",
    )


def _origin(unit: Unit, operation: str) -> str:
    source = unit.source
    if isinstance(source, PythonSource):
        return f"it runs in Python: {source.module}:{source.attribute}"
    return f"it is translated to {source.protocol} for the upstream {source.upstream_of(operation)}"


def _route_row(route: RouteEntry) -> Placement:
    if route.upstream is not None:
        return Placement(address=route.path, where="edge", why=f"it is passed through to the upstream {route.upstream}")
    return Placement(address=route.path, where="worker", why=f"it is the hosted application {route.wsgi or route.asgi}")
