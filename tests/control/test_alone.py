"""What one worker serves where no edge runs, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from entrepot.control.alone import missing_without_edge, without_edge
from entrepot.ir.edge import PoolTarget, Route, UpstreamTarget
from entrepot.ir.release import Release
from entrepot.ir.worker import Pool, PythonSource, ServiceTable, UpstreamSource
from entrepot.kit.diagnostics import Refused
from entrepot.model.operation import Service
from support.tables import edge_table, release_of, service_table, worker_pool, worker_table

OPERATIONS = worker_pool("operations", processes=4)
HOSTED = worker_pool("old", kind="wsgi", app="old:app", mount="/old")
SHOP = service_table(Service(name="shop"), source=PythonSource(module="shop", attribute="shop", path=""))
CRM, BANK = (
    service_table(Service(name=name), source=UpstreamSource(protocol="rest", upstream=name)) for name in ("crm", "bank")
)
ROUTES = (
    Route(path="/old/", target=PoolTarget("old"), raw_path=False),
    Route(path="/static/", target=UpstreamTarget(upstream="assets"), raw_path=False),
)


def release(*tables: ServiceTable, pools: tuple[Pool, ...] = (OPERATIONS,), **edge: Any) -> Release:
    return release_of(edge=edge_table(**edge), worker=worker_table(services=tables, pools=pools))


def test_own_services_are_served_and_the_rest_is_told_with_its_reason() -> None:
    whole = release(SHOP, CRM, BANK, pools=(OPERATIONS, HOSTED), routes=ROUTES)
    alone = without_edge(whole).worker
    assert alone.services == (SHOP,)
    assert [(pool.name, pool.processes) for pool in alone.pools] == [("operations", 1)]
    assert missing_without_edge(whole)[-3:] == (
        "imported services (only the egress calls upstreams): crm, bank",
        "pass-through routes (they never touch a worker): /static/",
        "hosted applications (each needs workers of its own): /old",
    )


def test_what_is_not_declared_is_not_missing() -> None:
    assert missing_without_edge(release(SHOP)) == ("hardening of requests", "connection limits", "entrepot apply")


def test_a_project_of_which_nothing_is_left_is_refused_with_the_reason() -> None:
    with pytest.raises(Refused) as refused:
        without_edge(release(CRM, BANK))
    [diagnostic] = refused.value.diagnostics
    assert diagnostic.code == "E901"
    assert diagnostic.message.startswith("without an edge nothing is left to serve")
    assert diagnostic.message.endswith("imported services (only the egress calls upstreams): crm, bank")
    assert "--edge none" in diagnostic.remedy
