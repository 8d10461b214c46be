"""What is told of two releases that differ."""

from __future__ import annotations

from typing import Any

import pytest

from entrepot.control.differences import differences
from entrepot.ir.edge import PoolTarget, Route
from entrepot.ir.release import Release
from entrepot.ir.worker import UpstreamSource
from entrepot.model.operation import Operation, Service
from entrepot.model.shape import Bool, Int
from entrepot.model.upstream import Endpoint, Upstream
from support.tables import edge_table, release_of, service_table, worker_pool, worker_table

QUOTE, FIND = Operation(name="quote", output=Int()), Operation(name="find")
CRM = Upstream(name="crm", endpoints=(Endpoint("127.0.0.1", 1),))


def release(*operations: Operation, timeout: float = 30.0, **given: Any) -> Release:
    service = service_table(Service(name="shop", operations=operations), UpstreamSource("rest", "crm"), timeout=timeout)
    worker = worker_table(services=(service,), pools=(worker_pool("operations"),))
    return release_of(worker=worker, **given)


def told(one: Release, other: Release) -> list[tuple[str, str]]:
    return [(each.kind, each.what) for each in differences(one, other)]


def test_nothing_is_told_of_releases_that_are_alike() -> None:
    assert differences(release(QUOTE), release(QUOTE)) == []


def test_what_is_added_or_removed_is_told_once_and_by_its_name() -> None:
    [added] = differences(release(QUOTE), release(QUOTE, FIND))
    assert (added.kind, added.what, added.after["name"]) == ("added", "services.shop.operations.find", "find")
    [removed] = differences(release(QUOTE, FIND), release(QUOTE))
    assert (removed.kind, removed.what, removed.before["name"]) == ("removed", "services.shop.operations.find", "find")


def test_a_change_is_told_where_it_is() -> None:
    changed = Operation(name="quote", output=Bool(), deprecated=True)
    assert ("added", "services.shop.operations.quote.deprecated") in told(release(QUOTE), release(changed))
    assert all(what.startswith("services.shop.operations.quote.") for _, what in told(release(QUOTE), release(changed)))
    [timeout] = differences(release(QUOTE), release(QUOTE, timeout=5.0))
    assert (timeout.what, timeout.before, timeout.after) == ("services.shop.timeout", 30.0, 5.0)


@pytest.mark.parametrize(
    ("given", "kind", "what"),
    [
        ({"edge": edge_table(port=9000)}, "changed", "port"),
        ({"edge": edge_table(upstreams=(CRM,))}, "added", "upstreams.crm"),
        ({"edge": edge_table(routes=(Route(path="/old/", target=PoolTarget("old")),))}, "added", "routes./old/"),
        ({"dependencies": {"lib": "2"}}, "added", "dependencies.lib"),
        ({"code": "b"}, "changed", "files.p.py"),
        ({"environment": "production"}, "changed", "environment"),
    ],
)
def test_every_part_of_a_release_is_told(given: dict[str, Any], kind: str, what: str) -> None:
    assert told(release(QUOTE), release(QUOTE, **given)) == [(kind, what)]


def test_an_exact_route_beside_its_prefix_is_told_apart() -> None:
    both = (Route(path="/old", exact=True, target=PoolTarget("old")), Route(path="/old", target=PoolTarget("old")))
    one, other = (release(QUOTE, edge=edge_table(routes=routes)) for routes in (both[:1], both))
    assert [each.what for each in differences(one, other)] == ["routes"]
