"""A service of upstreams, each called with the credentials that it demands."""

from __future__ import annotations

from pathlib import Path

from entrepot.ir.worker import Called, ServiceTable, UpstreamSource
from entrepot.ports.exchange import Exchange
from entrepot.ports.protocol import Catalog, ServedService
from entrepot.runtime.bind import Binder, Dialled
from entrepot.runtime.credentials import fetch_credentials


def serve_upstreams(
    table: ServiceTable, binder: Binder, catalog: Catalog, egress: Exchange, project: Path
) -> ServedService:
    """The service whose source is an upstream, called through `egress`.

    Credentials are fetched now. Raises `Refused` with all that cannot be had.
    """
    source = table.source
    assert isinstance(source, UpstreamSource)
    return binder.serve_upstream(
        table.service,
        table.timeout,
        catalog[source.protocol].client,
        egress,
        _dialled(source, project),
        {name: _dialled(called, project) for name, called in source.elsewhere.items()},
        lenient=source.replies == "lenient",
    )


def _dialled(called: UpstreamSource | Called, project: Path) -> Dialled:
    return Dialled(called.upstream, called.base_path, fetch_credentials(called, project))
