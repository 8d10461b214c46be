"""Where a running project can be reached, for a person to read and paste."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from entrepot.ir.release import Release
from entrepot.ports.protocol import Catalog

SHOWN_MAX = 12
"""Most addresses printed for one service and protocol; `explain` prints all."""


def lines(release: Release, catalog: Catalog, base_url: str) -> Iterator[str]:
    """By service and protocol: the addresses, and a command to paste."""
    for table in release.worker.services:
        for name in table.expose:
            server, service = catalog[name].server, table.served_over(name)
            yield f"  {table.service.name} over {name}"
            shown = list(dict.fromkeys(address.text for address in server.addresses(service).values()))
            yield from (f"    {address}" for address in shown[:SHOWN_MAX])
            if len(shown) > SHOWN_MAX:
                yield f"    … and {len(shown) - SHOWN_MAX} more: entrepot explain"
            for operation, reason in table.left_out.get(name, {}).items():
                yield f"    left out: {operation}" + (f", because {reason}" if reason else "")
            yield from (f"    read: {base_url}{page.text}" for page in server.pages(service))
            sample = server.sample(service, base_url)
            if sample:
                yield f"    try: {sample}"
    if paths := declared_paths(release):
        yield f"  routes: {', '.join(paths)}"


def declared_paths(release: Release) -> list[str]:
    """The paths of the routes that lead to an upstream or an application, as they are declared."""
    return [route.path if route.exact else f"{route.path}*" for route in release.edge.routes if not route.raw_path]


def plain(release: Release, catalog: Catalog, base_url: str) -> list[dict[str, Any]]:
    """The same for programs, and all of it."""
    return [
        {
            "service": table.service.name,
            "protocol": name,
            "addresses": {
                operation: address.text
                for operation, address in catalog[name].server.addresses(table.served_over(name)).items()
            },
            "left_out": table.left_out.get(name, {}),
            "pages": [base_url + page.text for page in catalog[name].server.pages(table.served_over(name))],
            "sample": catalog[name].server.sample(table.served_over(name), base_url),
        }
        for table in release.worker.services
        for name in table.expose
    ]
