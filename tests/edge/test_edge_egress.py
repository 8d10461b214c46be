"""The way out: upstreams behind the egress socket, hints from workers, marks on every answer."""

from __future__ import annotations

import asyncio
from typing import Literal

from entrepot.ir.edge import PoolTarget, Route, UpstreamTarget
from entrepot.model.upstream import Ejection, Endpoint, HealthCheck, Retry, Upstream
from support.edge import PATIENCE, Origin, Site, read_answer, request_bytes, until
from support.running import free_port
from support.tables import edge_table

NOWHERE = Endpoint("127.0.0.1", 1)


async def serve(site: Site, *upstreams: Upstream, routes: tuple[Route, ...] = ()) -> None:
    await site.start(edge_table(port=site.port, upstreams=upstreams, routes=routes))


async def test_an_upstream_sees_what_the_worker_sent_and_nothing_of_ours(site: Site) -> None:
    crm, port = await site.upstream()
    await serve(site, Upstream(name="crm", endpoints=(Endpoint("127.0.0.1", port),), host="crm.test"))
    hints = ["x-envoy-upstream-rq-timeout-ms: 5000", "x-envoy-max-retries: 0", "x-envoy-retry-on: 5xx"]
    answer = await site.egress("crm", "/a%2Fb/../c//d?q=1", "x-own: 1", "x-request-id: r", *hints)
    assert (answer.status, answer.headers["x-entrepot-egress"]) == (200, "-")
    [request] = crm.seen
    assert request.path == "/a%2Fb/../c//d?q=1"
    assert request.headers == [("host", "crm.test"), ("x-own", "1"), ("x-request-id", "r")]


async def test_an_upstream_cannot_speak_for_the_egress(site: Site) -> None:
    crm, port = await site.upstream()
    crm.answer_headers = (("X-Entrepot-Egress", "UT"), ("Server", "crm/1"))
    await serve(site, Upstream(name="crm", endpoints=(Endpoint("127.0.0.1", port),)))
    for path in ("/x", "/status/503"):
        answer = await site.egress("crm", path)
        assert (answer.headers["x-entrepot-egress"], answer.headers["server"]) == ("-", "crm/1")


async def test_failures_are_marked_with_their_flags(site: Site) -> None:
    _, port = await site.upstream()
    await serve(
        site,
        Upstream(name="crm", endpoints=(Endpoint("127.0.0.1", port),), timeout=0.05),
        Upstream(name="down", endpoints=(NOWHERE,)),
        Upstream(name="unknown", endpoints=(Endpoint("no-such-name.invalid", 80),)),
    )
    cases = (
        ("crm", "/reset", "", 503, "upstream_failed it closed the connection"),
        ("crm", "/hang", "", 504, "timeout it took too long to answer"),
        ("down", "/", "", 503, "upstream_failed no connection to it could be made"),
        ("unknown", "/", "", 503, "upstream_failed none of its endpoints is healthy"),
        ("nobody", "/", "", 404, "upstream_failed the egress has no route to it"),
        ("crm", "/", "x-envoy-max-retries: many", 400, "upstream_failed the egress could not read a hint"),
        ("crm", "/", "x-envoy-upstream-rq-timeout-ms: soon", 400, "upstream_failed the egress could not read a hint"),
    )
    for upstream, path, hint, status, mark in cases:
        answer = await site.egress(upstream, path, *filter(None, [hint]), method="POST")
        told = answer.headers["x-entrepot-egress"]
        assert (upstream, path, hint, answer.status, told) == (upstream, path, hint, status, mark)


async def test_what_envoy_refuses_before_it_routes_is_marked_too(site: Site) -> None:
    crm, port = await site.upstream()
    await serve(site, Upstream(name="crm", endpoints=(Endpoint("127.0.0.1", port),)))
    answer = await site.egress("crm", "/", "Content-Length: 5", "Transfer-Encoding: chunked", method="POST")
    assert answer.status == 400
    assert answer.headers["x-entrepot-egress"] == "upstream_failed the request could not be passed on"
    assert not crm.seen


async def test_a_worker_shortens_the_timeout_and_cannot_lengthen_it(site: Site) -> None:
    _, port = await site.upstream()
    await serve(
        site,
        Upstream(name="slow", endpoints=(Endpoint("127.0.0.1", port),), timeout=PATIENCE),
        Upstream(name="quick", endpoints=(Endpoint("127.0.0.1", port),), timeout=0.02, retry=Retry(attempts=1)),
    )
    for upstream, hint in (("slow", "20"), ("quick", "60000"), ("quick", "0")):
        answer = await site.egress(upstream, "/hang", f"x-envoy-upstream-rq-timeout-ms: {hint}")
        assert (upstream, answer.status, answer.headers["x-entrepot-egress"][:8]) == (upstream, 504, "timeout ")


async def test_a_stream_outlives_the_timeout(site: Site) -> None:
    crm, port = await site.upstream()
    upstream = Upstream(name="crm", endpoints=(Endpoint("127.0.0.1", port),), timeout=0.05, retry=Retry(attempts=1))
    route = Route(path="/crm/", target=UpstreamTarget(upstream="crm", strip_prefix=True), raw_path=False)
    await serve(site, upstream, routes=(route,))
    hint = "x-envoy-upstream-rq-timeout-ms: 0"
    streams = [asyncio.create_task(each) for each in (site.egress("crm", "/stream", hint), site.get("/crm/stream"))]
    await site.until_statistic(site.statistic_of("crm", "upstream_rq_active"), "2")
    for _ in range(2):
        assert (await site.egress("crm", "/hang")).status == 504, "by now the streams have outlived it"
    assert not any(stream.done() for stream in streams)
    crm.over.set()
    for stream in streams:
        crm.pulse.set()
        answer = await asyncio.wait_for(stream, PATIENCE)
        assert answer.status == 200
        assert answer.body.endswith(b"0\r\n\r\n")


async def test_only_what_never_arrived_is_repeated_unless_the_worker_says_so(site: Site) -> None:
    crm, port = await site.upstream()
    await serve(site, Upstream(name="crm", endpoints=(Endpoint("127.0.0.1", port),), retry=Retry(attempts=3)))
    cases: tuple[tuple[str, tuple[str, ...], int], ...] = (
        ("/reset", (), 1),
        ("/status/503", (), 1),
        ("/reset", ("x-envoy-retry-on: reset",), 3),
        ("/status/503", ("x-envoy-retry-on: 5xx,reset",), 3),
        ("/reset", ("x-envoy-retry-on: reset", "x-envoy-max-retries: 0"), 1),
    )
    for path, hints, tries in cases:
        crm.seen.clear()
        await site.egress("crm", path, *hints)
        assert (path, hints, len(crm.seen)) == (path, hints, tries)


async def test_an_answer_that_was_repeated_in_vain_is_still_the_upstreams_own(site: Site) -> None:
    _, port = await site.upstream()
    await serve(site, Upstream(name="crm", endpoints=(Endpoint("127.0.0.1", port),)))
    answer = await site.egress("crm", "/status/503", "x-envoy-retry-on: 5xx")
    assert (answer.status, answer.headers["x-entrepot-egress"], answer.body) == (503, "-", b"{}")


async def test_one_attempt_means_one(site: Site) -> None:
    crm, port = await site.upstream()
    await serve(site, Upstream(name="crm", endpoints=(Endpoint("127.0.0.1", port),), retry=Retry(attempts=1)))
    await site.egress("crm", "/reset", "x-envoy-retry-on: reset,5xx", "x-envoy-max-retries: 5")
    assert len(crm.seen) == 1


async def test_a_dead_endpoint_is_passed_over(site: Site) -> None:
    _, port = await site.upstream()
    endpoints = (NOWHERE, Endpoint("127.0.0.1", port))
    await serve(site, Upstream(name="crm", endpoints=endpoints, ejection=None, retry=Retry(attempts=3)))
    assert [(await site.egress("crm", "/x", method="POST")).status for _ in range(10)] == [200] * 10


async def test_a_failing_endpoint_is_ejected(site: Site) -> None:
    bad, bad_port = await site.upstream("bad")
    good, good_port = await site.upstream("good")
    both = (Endpoint("127.0.0.1", bad_port), Endpoint("127.0.0.1", good_port))
    ejection = Ejection(failures=3, duration=60.0)
    await serve(site, Upstream(name="crm", endpoints=both, ejection=ejection, retry=Retry(attempts=1)))
    bad.answer_headers = (("x", "1"),)
    for _ in range(6):
        await site.egress("crm", "/reset")
    await site.until_statistic(site.statistic_of("crm", "outlier_detection.ejections_active"), "1")
    reached = {(await site.egress("crm", "/x")).json()["by"] for _ in range(6)}
    assert len(reached) == 1
    assert len(bad.seen) + len(good.seen) == 12


async def three(site: Site, balance: Literal["round_robin", "least_request"]) -> list[Origin]:
    """Origins that share the work of one upstream, behind an edge that runs."""
    origins = [await site.upstream(name) for name in ("a", "b", "c")]
    endpoints = tuple(Endpoint("127.0.0.1", port) for _, port in origins)
    await serve(site, Upstream(name="crm", endpoints=endpoints, balance=balance))
    return [origin for origin, _ in origins]


async def test_round_robin_gives_each_endpoint_as_much(site: Site) -> None:
    origins = await three(site, "round_robin")
    reader, writer = await asyncio.open_unix_connection(str(site.layout.egress_socket))
    for _ in range(30):
        writer.write(request_bytes("/x", host="crm.egress").replace(b"Connection: close\r\n", b""))
        assert (await asyncio.wait_for(read_answer(reader), PATIENCE)).status == 200
    writer.close()
    assert [len(origin.seen) for origin in origins] == [10, 10, 10]


async def test_least_request_prefers_the_endpoints_that_have_less_to_do(site: Site) -> None:
    """It compares two at random, so that the busy one is taken when both are that one: a ninth of the time."""
    busy, *idle = await three(site, "least_request")
    busy.holds = True
    calls = []
    for _ in range(90):
        before = len(busy.seen)
        calls.append(call := asyncio.create_task(site.egress("crm", "/x")))
        await until(lambda call=call, before=before: call.done() or len(busy.seen) > before)
    assert 0 < len(busy.seen) < 25
    assert sum(len(origin.seen) for origin in idle) == 90 - len(busy.seen)
    for call in calls:
        call.cancel()


async def test_an_endpoint_is_found_by_its_name(site: Site) -> None:
    crm, port = await site.upstream()
    await serve(site, Upstream(name="crm", endpoints=(Endpoint("localhost", port),)))
    await site.until_statistic(site.statistic_of("crm", "membership_healthy"), "1")
    assert (await site.egress("crm", "/x")).status == 200
    assert crm.seen[0].header("host") == f"localhost:{port}"


async def test_an_endpoint_that_fails_its_health_check_gets_nothing(site: Site) -> None:
    sick, sick_port = await site.upstream("sick")
    _, well_port = await site.upstream("well")
    sick.healthy = False
    both = (Endpoint("127.0.0.1", sick_port), Endpoint("127.0.0.1", well_port))
    health = HealthCheck(path="/-/health", interval=0.05)
    await serve(site, Upstream(name="crm", endpoints=both, health=health))
    await site.until_statistic(site.statistic_of("crm", "membership_healthy"), "1")
    assert {(await site.egress("crm", "/x")).json()["by"] for _ in range(6)} == {"well"}
    sick.healthy = True
    await site.until_statistic(site.statistic_of("crm", "membership_healthy"), "2")


async def test_more_than_an_upstream_can_bear_is_refused(site: Site) -> None:
    crm, port = await site.upstream()
    narrow = Upstream(name="crm", endpoints=(Endpoint("127.0.0.1", port),), connections_max=1, requests_max=1)
    await serve(site, narrow)
    held = [asyncio.create_task(site.egress("crm", "/hang"))]
    await site.until_statistic(site.statistic_of("crm", "upstream_rq_active"), "1")
    held.append(asyncio.create_task(site.egress("crm", "/hang")))
    await site.until_statistic(site.statistic_of("crm", "upstream_rq_pending_active"), "1")
    answer = await site.egress("crm", "/x")
    assert answer.headers["x-entrepot-egress"] == "upstream_failed too many requests to it are in progress"
    assert len(crm.seen) == 1
    for each in held:
        each.cancel()


async def test_hints_from_clients_do_nothing(site: Site) -> None:
    crm, port = await site.upstream()
    upstream = Upstream(name="crm", endpoints=(Endpoint("127.0.0.1", port),), retry=Retry(attempts=3))
    route = Route(path="/crm/", target=UpstreamTarget(upstream="crm", strip_prefix=True), raw_path=False)
    await serve(site, upstream, routes=(route,))
    await site.get("/crm/reset", "x-envoy-retry-on: reset,5xx", "x-envoy-max-retries: 9", method="POST")
    assert len(crm.seen) == 1
    assert not [name for name, _ in crm.seen[0].headers if name.startswith("x-envoy-max")]


async def test_a_pass_through_route_repeats_what_may_be_repeated(site: Site) -> None:
    crm, port = await site.upstream()
    upstream = Upstream(name="crm", endpoints=(Endpoint("127.0.0.1", port),), host="crm.test", timeout=0.05)
    route = Route(path="/crm/", target=UpstreamTarget(upstream="crm", strip_prefix=True), raw_path=False)
    await serve(site, upstream, routes=(route,))
    for method, tries in (("GET", 2), ("POST", 1)):
        crm.seen.clear()
        assert (await site.get("/crm/status/503", method=method)).status == 503
        assert len(crm.seen) == tries
    assert (crm.seen[0].header("host"), crm.seen[0].header("x-forwarded-host")) == ("crm.test", "edge.test")


async def test_an_upstream_that_breaks_the_protocol_is_told_from_one_that_is_away(site: Site) -> None:
    async def liar(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n")

    port = free_port()
    server = await asyncio.start_server(liar, "127.0.0.1", port)
    await serve(site, Upstream(name="crm", endpoints=(Endpoint("127.0.0.1", port),)))
    answer = await site.egress("crm", "/x", method="POST")
    server.close()
    assert answer.headers["x-entrepot-egress"] == "upstream_failed it broke the HTTP protocol"


async def test_the_way_out_stays_open_while_clients_are_sent_away(site: Site) -> None:
    crm, port = await site.upstream()
    await site.worker("one")
    routes = (Route(path="/one/", target=PoolTarget("one")),)
    crm_upstream = Upstream(name="crm", endpoints=(Endpoint("127.0.0.1", port),))
    await site.start(edge_table(port=site.port, routes=routes, pools=("one",), upstreams=(crm_upstream,)))
    await site.admin.switch("drain_listeners?inboundonly")
    assert (await site.egress("crm", "/x")).status == 200
    assert crm.seen
