"""Where a running project can be reached, for a person to read and paste."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from entrepot.http.pages import docs_path
from entrepot.ir.release import Release
from entrepot.ir.worker import ServiceTable
from entrepot.ports.protocol import Catalog

SHOWN_MAX = 12
"""Most addresses printed for one service and protocol; `explain` prints all."""


class Listing(msgspec.Struct, frozen=True):
    """A service over one protocol: what programs are told of it, all of it."""

    service: str
    protocol: str
    addresses: dict[str, str]
    """By operation."""
    left_out: dict[str, str]
    """By operation that cannot be had there: the reason; "" where nobody wants it there."""
    pages: list[str]
    sample: str


def listings(release: Release, catalog: Catalog, base_url: str) -> list[Listing]:
    """Every service over each of its protocols, these in the order of the catalog."""
    return [
        _listing(table, name, catalog, base_url)
        for table in release.worker.services
        for name in catalog
        if name in table.carried
    ]


def _listing(table: ServiceTable, protocol: str, catalog: Catalog, base_url: str) -> Listing:
    server, service = catalog[protocol].server, table.served_over(protocol)
    addresses = {operation: address.text for operation, address in server.addresses(service).items()}
    refused = table.refused.get(protocol, {})
    return Listing(
        service=service.name,
        protocol=protocol,
        addresses=addresses,
        left_out={
            each.name: refused.get(each.name, "") for each in table.service.operations if each.name not in addresses
        },
        pages=[base_url + path for path in (docs_path(service), *server.contracts([service]))],
        sample=server.sample(service, base_url),
    )


def lines(listings: Iterable[Listing], release: Release, all_by: str) -> Iterator[str]:
    """The same for a person: of the addresses the first, and a command to paste.

    `all_by` is the command that tells all of them.
    """
    for each in listings:
        yield f"  {each.service} over {each.protocol}"
        shown = list(dict.fromkeys(each.addresses.values()))
        yield from (f"    {address}" for address in shown[:SHOWN_MAX])
        if len(shown) > SHOWN_MAX:
            yield f"    … and {len(shown) - SHOWN_MAX} more: {all_by}"
        for operation, reason in each.left_out.items():
            yield f"    left out: {operation}" + (f", because {reason}" if reason else "")
        yield from (f"    read: {page}" for page in each.pages)
        if each.sample:
            yield f"    try: {each.sample}"
    if paths := declared_paths(release):
        yield f"  routes: {', '.join(paths)}"


def declared_paths(release: Release) -> list[str]:
    """The paths of the routes that lead to an upstream or an application, as they are declared."""
    return [route.path if route.exact else f"{route.path}*" for route in release.edge.routes if not route.raw_path]
