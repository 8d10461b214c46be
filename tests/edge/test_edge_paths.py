"""Where paths lead, and which are refused (docs/decisions/0004-paths.md)."""

from __future__ import annotations

import re

import pytest

from entrepot.edge.matching import UNCLEAN_PATH
from entrepot.ir.edge import PoolTarget, Route, UpstreamTarget
from entrepot.model.upstream import Endpoint, Upstream
from support.edge import Origin, Site
from support.tables import edge_table

CLEAN = (
    "/",
    "/a",
    "/a/b.c",
    "/a/..b/c",
    "/a/b..",
    "/...",
    "/.well-known/x",
    "/a%20b",
    "/a;b=c",
    "/%252e%252e/",
    "/a%2",
    "/a?next=//b/../%2f",
)
UNCLEAN = (
    "//", "/a//b", "/.", "/..", "/a/.", "/a/..", "/a/./b", "/a/../b", "/a/..;x=1/b", "/a/.;/b", "/a\\b", "/a/..\\b",
    "/a%2fb", "/..?q", "/a/.;x?q", "//?q", "/a%2Fb", "/a%5cb", "/a%5Cb", "/%2e%2e/a", "/a/.%2E/b", "/a%00",
)  # fmt: skip


@pytest.mark.parametrize("path", CLEAN)
def test_clean_paths_pass(path: str) -> None:
    assert not re.fullmatch(UNCLEAN_PATH, path)


@pytest.mark.parametrize("path", UNCLEAN)
def test_unclean_paths_are_found(path: str) -> None:
    assert re.fullmatch(UNCLEAN_PATH, path)


async def serve(site: Site) -> tuple[Origin, Origin]:
    """Operations at /api/ and /jsonrpc, a hosted application at /old/, a stripped and a kept upstream."""
    operations, hosted = await site.worker("operations"), await site.worker("old")
    _, port = await site.upstream("assets")
    endpoints = (Endpoint("127.0.0.1", port),)
    upstreams = (
        Upstream(name="assets", endpoints=endpoints),
        Upstream(name="based", endpoints=endpoints, base_path="/base/v2"),
    )
    routes = (
        Route(path="/api/", target=PoolTarget("operations")),
        Route(path="/api/shop/v1/", target=PoolTarget("operations")),
        Route(path="/based/", target=UpstreamTarget(upstream="based"), raw_path=False),
        Route(path="/both/", exact=True, target=PoolTarget("operations")),
        Route(path="/both/", target=PoolTarget("old"), raw_path=False),
        Route(path="/jsonrpc", exact=True, target=PoolTarget("operations")),
        Route(path="/kept/", target=UpstreamTarget(upstream="assets"), raw_path=False),
        Route(path="/api/raw", exact=True, target=UpstreamTarget(upstream="assets"), raw_path=False),
        Route(path="/logo", exact=True, target=UpstreamTarget(upstream="assets", strip_prefix=True), raw_path=False),
        Route(path="/old/", target=PoolTarget("old"), raw_path=False),
        Route(path="/rebased/", target=UpstreamTarget(upstream="based", strip_prefix=True), raw_path=False),
        Route(path="/static/", target=UpstreamTarget(upstream="assets", strip_prefix=True), raw_path=False),
    )
    await site.start(edge_table(port=site.port, routes=routes, upstreams=upstreams, pools=("old", "operations")))
    return operations, hosted


ARRIVALS = (
    ("/api/a%2Fb/../c//d?q=%2f", "operations", "/api/a%2Fb/../c//d?q=%2f"),
    ("/api/raw", "assets", "/api/raw"),
    ("/api/raw//%2F", "operations", "/api/raw//%2F"),
    ("http://other.test/api/a%2Fb/../c", "operations", "/api/a%2Fb/../c"),
    ("/api/shop/v1/x", "operations", "/api/shop/v1/x"),
    ("/both/", "operations", "/both/"),
    ("/both/?x", "operations", "/both/?x"),
    ("/both/x", "old", "/both/x"),
    ("/jsonrpc", "operations", "/jsonrpc"),
    ("/jsonrpc?x=1", "operations", "/jsonrpc?x=1"),
    ("/old/a?next=/../", "old", "/old/a?next=/../"),
    ("/kept/a", "assets", "/kept/a"),
    ("/kept/", "assets", "/kept/"),
    ("/static/", "assets", "/"),
    ("/static/?q", "assets", "/?q"),
    ("/static/a/b?q=//", "assets", "/a/b?q=//"),
    ("/logo", "assets", "/"),
    ("/logo?v=2", "assets", "/?v=2"),
    ("/based/a", "assets", "/base/v2/based/a"),
    ("/rebased/a", "assets", "/base/v2/a"),
    ("/rebased/", "assets", "/base/v2/"),
)
MISSES = ("/", "/api", "/jsonrpcx", "/jsonrpc/", "/staticx", "/-/", "/-/health", "/-/live/x", "/%61pi/x", "*")


async def test_each_path_reaches_its_target_as_it_should(site: Site) -> None:
    await serve(site)
    for path, target, arrived in ARRIVALS:
        told = (await site.get(path)).json()
        assert (path, told["by"].split("-")[0], told["path"]) == (path, target, arrived)


async def test_a_path_that_lacks_the_slash_of_a_route_is_led_to_it(site: Site) -> None:
    await serve(site)
    led = {"/old": "/old/", "/static?q=1": "/static/?q=1", "/kept": "/kept/"}
    for path, place in led.items():
        answer = await site.get(path, method="POST")
        assert (path, answer.status, answer.headers["location"]) == (path, 308, f"http://edge.test{place}")
    statuses = {"/both": 308, "/api/shop/v1": 200, "/oldx": 404, "/old%2F": 400}
    for path, status in statuses.items():
        assert (path, (await site.get(path)).status) == (path, status)


async def test_an_exact_route_comes_before_the_slash_of_a_longer_one(site: Site) -> None:
    operations, _ = await site.worker("operations"), await site.worker("old")
    routes = (
        Route(path="/", target=PoolTarget("old"), raw_path=False),
        Route(path="/old", exact=True, target=PoolTarget("operations")),
        Route(path="/old/", target=PoolTarget("old"), raw_path=False),
    )
    await site.start(edge_table(port=site.port, routes=routes, pools=("old", "operations")))
    assert (await site.get("/old")).json()["by"] == "operations-g1-0"
    assert operations.seen
    assert (await site.get("/oldx")).json()["by"] == "old-g1-0"


async def test_what_is_not_served_is_a_problem(site: Site) -> None:
    await serve(site)
    for path in MISSES:
        answer = await site.get(path, method="OPTIONS" if path == "*" else "GET")
        assert (path, answer.status, answer.json()["kind"]) == (path, 404, "unknown_operation")


async def test_unclean_paths_never_reach_foreign_applications(site: Site) -> None:
    _, hosted = await serve(site)
    for path in UNCLEAN:
        for prefix in ("/old", "/static", "/kept", "http://other.test/old"):
            answer = await site.get(prefix + path)
            assert (path, answer.status) == (path, 400)
            assert answer.json()["kind"] == "malformed"
    assert not hosted.seen
