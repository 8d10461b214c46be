"""Many routes: each costs Envoy little, all are delivered, and each leads where it should."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from entrepot.edge.clusters import Workers
from entrepot.edge.emit import emit
from entrepot.ir.edge import EdgeIR, PoolTarget, Route, UpstreamTarget
from entrepot.ir.layout import Layout
from entrepot.model.upstream import Endpoint, Retry, Upstream
from support.edge import Site
from support.large_project import ROUTES_OF_AN_UPSTREAM, upstream_of
from support.tables import edge_table

LAYOUT = Layout(Path("/site"), Path("/site/state"), Path("/site/run"))
ROUTE_OCTETS_MAX = 600
"""What Envoy reads for a route, for the redirect to it as well."""


def through(path: str, upstream: str) -> Route:
    return Route(path=path, target=UpstreamTarget(upstream=upstream), raw_path=False)


def large_edge(routes: int, *, listen: int = 8080, port: int = 9, first: Retry | None = None) -> EdgeIR:
    """So many pass-through routes to a tenth as many upstreams, the first of which may have tries of its own."""
    upstreams = tuple(
        Upstream(name=f"u{number}", endpoints=(Endpoint("127.0.0.1", port),), retry=first or Retry())
        if number == 0
        else Upstream(name=f"u{number}", endpoints=(Endpoint("127.0.0.1", port),))
        for number in range(routes // ROUTES_OF_AN_UPSTREAM)
    )
    table = (through(f"/s{number}/", upstream_of(number, routes)) for number in range(routes))
    return edge_table(port=listen, routes=tuple(table), upstreams=upstreams)


def ingress_of(edge: EdgeIR) -> bytes:
    return emit(edge, Workers("g1", {}), LAYOUT, Path("/site/ca.pem")).routes[0].content


def test_what_routes_have_alike_is_said_once() -> None:
    small, large = ingress_of(large_edge(100)), ingress_of(large_edge(200))
    for alike in (b"safe_regex", b"retry_policy", b"typed_per_filter_config"):
        assert large.count(alike) == small.count(alike), alike
    assert (len(large) - len(small)) / 100 < ROUTE_OCTETS_MAX


def test_what_is_unusual_is_said_where_it_is() -> None:
    usual = ingress_of(large_edge(100)).count(b"retry_policy")
    unusual = ingress_of(large_edge(100, first=Retry(attempts=5))).count(b"retry_policy")
    assert unusual == usual + ROUTES_OF_AN_UPSTREAM


@pytest.mark.parametrize("routes", [300, pytest.param(10_000, marks=pytest.mark.full)])
async def test_routes_are_delivered_and_served_however_many(site: Site, routes: int) -> None:
    origin, port = await site.upstream()
    edge = large_edge(routes, listen=site.port, port=port)
    await site.start(edge, ready=False)
    for number in (0, 1, routes // 2, routes - 1):
        told = (await site.get(f"/s{number}/x?q=/../")).json()
        assert (told["by"], told["path"]) == (origin.name, f"/s{number}/x?q=/../")
    changed = msgspec.structs.replace(edge, routes=(through("/s/", "u0"), *edge.routes[1:]))
    outcome = await site.deliverer.deliver(changed, site.workers)
    assert outcome.state == "live", outcome.reason
    assert [(await site.get(path)).status for path in ("/s/x", "/s1/x", "/s0/x", "/s1//x")] == [200, 200, 404, 400]
    assert list(outcome.seconds) == ["validate", "deliver", "settle"]


@pytest.mark.parametrize(("method", "tries"), [("GET", 3), ("PUT", 3), ("POST", 1), ("PROPFIND", 1)])
async def test_what_may_be_repeated_is_decided_by_the_method(site: Site, method: str, tries: int) -> None:
    origin, port = await site.upstream()
    endpoints = (Endpoint("127.0.0.1", port),)
    upstreams = (
        Upstream(name="once", endpoints=endpoints, retry=Retry(attempts=1)),
        Upstream(name="often", endpoints=endpoints, retry=Retry(attempts=3)),
        Upstream(name="usual", endpoints=endpoints),
    )
    routes = (*(through(f"/{each.name}/", each.name) for each in upstreams), through("/usual/too/", "usual"))
    await site.start(edge_table(port=site.port, routes=routes, upstreams=upstreams), ready=False)
    for name, expected in (("once", 1), ("usual", min(2, tries)), ("often", tries)):
        origin.seen.clear()
        assert (await site.get(f"/{name}/status/503", method=method)).status == 503
        assert (name, len(origin.seen)) == (name, expected)
        assert not [header for seen in origin.seen for header, _ in seen.headers if header.startswith("x-envoy-retry")]


async def test_an_operations_own_503_is_never_repeated(site: Site) -> None:
    worker, (_, port) = await site.worker("operations"), await site.upstream()
    upstream = Upstream(name="u0", endpoints=(Endpoint("127.0.0.1", port),))
    routes = (Route(path="/api/", target=PoolTarget("operations")), through("/s/", "u0"))
    await site.start(edge_table(port=site.port, routes=routes, upstreams=(upstream,), pools=("operations",)))
    answers = await asyncio.gather(*(site.get("/api/status/503", method=each) for each in ("GET", "POST")))
    assert [(answer.status, answer.body) for answer in answers] == [(503, b"{}")] * 2
    assert len(worker.seen) == 2
