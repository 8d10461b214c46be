"""What clients may not do: claim an identity, smuggle a request, stall, or send what others misread."""

from __future__ import annotations

import asyncio

import pytest

from entrepot.edge import chain
from entrepot.edge.chain import HEADERS_COUNT_MAX, HEADERS_KIB_MAX
from entrepot.ir.edge import PoolTarget, Route, UpstreamTarget
from entrepot.model.upstream import Endpoint, Upstream
from support.edge import Origin, Site, request_bytes
from support.tables import edge_table

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SMUGGLED = b"GET /api/smuggled HTTP/1.1\r\nHost: edge.test\r\n\r\n"


async def serve(site: Site, **settings: int) -> Origin:
    operations = await site.worker("operations")
    routes = (Route(path="/api/", target=PoolTarget("operations")),)
    await site.start(edge_table(port=site.port, routes=routes, pools=("operations",), **settings))
    return operations


async def test_spoofed_identity_never_reaches_a_worker(site: Site) -> None:
    worker = await serve(site)
    spoofed = [
        "X-Entrepot-Principal: admin", "x-entrepot-anything: 1", "X-Envoy-Original-Path: /admin",
        "x-envoy-retry-on: 5xx", "x-envoy-upstream-rq-timeout-ms: 1", "x-envoy-external-address: 6.6.6.6",
        "x-envoy-internal: true", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Host: evil.test", "x-forwarded-proto: https",
        "X-Forwarded-Client-Cert: Subject=admin", "Forwarded: for=6.6.6.6", "X-Real-IP: 6.6.6.6",
        "X-Original-URL: /admin", "X-Rewrite-URL: /admin", "Proxy: http://6.6.6.6",
        "x-request-id: 6.6.6.6", "Connection: x-entrepot-principal",
    ]  # fmt: skip
    assert (await site.get("/api/x", *spoofed)).status == 200
    [request] = worker.seen
    told = {name: value for name, value in request.headers if name not in ("host", "x-request-id", "traceparent")}
    assert "6.6.6.6" not in str(request.headers)
    assert set(told) == {"x-forwarded-for", "x-forwarded-proto", "x-envoy-external-address"}
    assert told["x-envoy-external-address"] == "127.0.0.1"
    assert told["x-forwarded-proto"] == "http"


async def test_the_host_keeps_its_port_so_that_applications_redirect_to_where_they_are(site: Site) -> None:
    worker = await serve(site)
    await site.send(request_bytes("/api/x", host="edge.test:8080"))
    assert worker.seen[0].header("host") == "edge.test:8080"


def traces_in(worker: Origin) -> list[str]:
    """What the only request that a worker has seen says of its trace."""
    [request] = worker.seen
    return [value for name, value in request.headers if name == "traceparent"]


async def test_one_trace_id_for_worker_problem_and_log(site: Site) -> None:
    worker = await serve(site)
    await site.get("/api/x", f"traceparent: {TRACEPARENT}")
    assert traces_in(worker) == [TRACEPARENT]
    problem = (await site.get("/nowhere", f"traceparent: {TRACEPARENT}")).json()
    assert problem["trace_id"] == TRACEPARENT[3:35]


async def test_a_missing_or_malformed_trace_is_replaced(site: Site) -> None:
    worker = await serve(site)
    for header in ("Accept: x", "traceparent: junk", "traceparent: 00-zz-11-01", f"traceparent: {TRACEPARENT}-x"):
        worker.seen.clear()
        await site.get("/api/x", header)
        request_id = (worker.seen[0].header("x-request-id") or "").replace("-", "")
        assert traces_in(worker) == [f"00-{request_id}-{request_id[:16]}-00"]


AMBIGUOUS = (
    (b"Content-Length: 5", b"Transfer-Encoding: chunked"),
    (b"Transfer-Encoding: chunked", b"Content-Length: 5"),
    (b"Content-Length: 5", b"Content-Length: 6"),
    (b"Content-Length: +5",),
    (b"Content-Length: -5",),
    (b"Content-Length: 0x5",),
    (b"Content-Length: 5 5",),
    (b"Content-Length: 5,6",),
    (b"Content-Length : 5",),
    (b"Content-Length: 99999999999999999999",),
    (b"Transfer-Encoding: identity",),
    (b"Transfer-Encoding: xchunked",),
    (b"Transfer-Encoding: chunked, identity",),
    (b"Transfer-Encoding: chunked", b"Transfer-Encoding: x"),
    (b"Transfer-Encoding : chunked",),
    (b"Transfer-Encoding: \x0bchunked",),
    (b"Transfer_Encoding: chunked",),
    (b"X: a\x00b",),
    (b"X y: 1",),
    (b": 1",),
    (b"\xff\xfe: 1",),
)


async def test_ambiguous_framing_is_refused(site: Site) -> None:
    worker = await serve(site)
    for lines in AMBIGUOUS:
        head = b"\r\n".join([b"POST /api/first HTTP/1.1", b"Host: edge.test", *lines, b"", b""])
        answer = await site.send(head + b"0\r\n\r\n" + SMUGGLED)
        assert (lines, answer.status in (400, 501)) == (lines, True)
        assert answer.headers["content-type"] == "application/problem+json"
    assert not worker.seen


async def test_a_body_is_never_read_as_a_request(site: Site) -> None:
    worker = await serve(site)
    whole = b"POST /api/first HTTP/1.1\r\nHost: edge.test\r\n"
    sized = whole + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(SMUGGLED) + SMUGGLED
    chunked = whole + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n%x\r\n" % len(SMUGGLED)
    for octets in (sized, chunked + SMUGGLED + b"\r\n0\r\n\r\n"):
        assert (await site.send(octets)).status == 200
    assert [(request.path, request.body) for request in worker.seen] == [("/api/first", SMUGGLED)] * 2


async def test_what_is_mended_reaches_the_worker_mended(site: Site) -> None:
    worker = await serve(site)
    folded = b"POST /api/first HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\nConnection: close\r\n\r\n"
    assert (await site.send(folded + b"0\r\n\r\n" + SMUGGLED)).status == 200
    lone_return = request_bytes("/api/second", "x: a\rb: c")
    assert (await site.send(lone_return)).status == 200
    first, second = worker.seen
    assert (first.path, first.body, first.header("transfer-encoding")) == ("/api/first", b"", "chunked")
    assert (second.path, second.header("x"), second.header("b")) == ("/api/second", "ab: c", None)


async def test_what_others_might_misread_is_refused(site: Site) -> None:
    worker = await serve(site)
    cases = (
        (b"GET /api/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /api/x HTTP/1.1\r\nHost: a,b\r\n\r\n", 400),
        (b"GET /api/x HTTP/1.1\r\n\r\n", 400),
        (b"GET /api/x HTTP/1.1\r\nHost: a\r\nx_entrepot_principal: me\r\n\r\n", 400),
        (b"GET /api/x#part HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /api/ x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /api/x HTTP/1.0\r\n\r\n", 426),
        (b"NONSENSE\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01", 400),
        (b"CONNECT edge.test:80 HTTP/1.1\r\nHost: edge.test:80\r\n\r\n", 404),
    )
    for octets, status in cases:
        answer = await site.send(octets)
        assert (octets, answer.status) == (octets, status)
        assert answer.json()["status"] == status
    assert not worker.seen


async def test_too_many_or_too_long_headers_are_refused(site: Site) -> None:
    worker = await serve(site)
    many = [f"x-{number}: 1" for number in range(HEADERS_COUNT_MAX + 1)]
    for headers in (many, ["x: " + "a" * (HEADERS_KIB_MAX * 1024)]):
        answer = await site.get("/api/x", *headers)
        assert (answer.status, answer.json()["kind"]) == (431, "too_large")
    assert not worker.seen


async def test_an_upgrade_reaches_upstreams_only(site: Site) -> None:
    workers = [await site.worker("operations"), await site.worker("hosted")]
    upstream, port = await site.upstream()
    routes = (
        Route(path="/api/", target=PoolTarget("operations")),
        Route(path="/hosted/", target=PoolTarget("hosted"), raw_path=False),
        Route(path="/socket/", target=UpstreamTarget(upstream="chat"), raw_path=False),
    )
    chat = Upstream(name="chat", endpoints=(Endpoint("127.0.0.1", port),))
    await site.start(edge_table(port=site.port, routes=routes, upstreams=(chat,), pools=("hosted", "operations")))
    upgrade = b" HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    for path in (b"/api/x", b"/hosted/x"):
        answer = await site.send(b"GET " + path + upgrade)
        assert (path, answer.status, answer.json()["kind"]) == (path, 403, "forbidden")
        assert "WebSocket" in answer.json()["detail"]
    assert not any(worker.seen for worker in workers)
    await site.send(b"GET /socket/x" + upgrade)
    assert upstream.seen[0].header("upgrade") == "websocket"


async def test_a_connection_over_the_limit_is_closed_and_egress_stays_open(site: Site) -> None:
    _, port = await site.upstream()
    await site.worker("operations")
    routes = (Route(path="/api/", target=PoolTarget("operations")),)
    crm = Upstream(name="crm", endpoints=(Endpoint("127.0.0.1", port),))
    edge = edge_table(port=site.port, routes=routes, upstreams=(crm,), pools=("operations",), connections_max=2)
    await site.start(edge)
    await site.until_statistic("http.ingress.downstream_cx_active", "0")
    held = [await asyncio.open_connection("127.0.0.1", site.port) for _ in range(2)]
    for reader, writer in held:
        writer.write(request_bytes("/api/x").replace(b"Connection: close\r\n", b""))
        assert await reader.readuntil(b"\r\n\r\n")
    refused, _ = await asyncio.open_connection("127.0.0.1", site.port)
    assert await refused.read(-1) == b""
    assert (await site.egress("crm", "/x")).status == 200
    for _, writer in held:
        writer.close()


async def test_an_edge_that_holds_nearly_all_it_may_refuses_requests(site: Site) -> None:
    await site.worker("operations")
    routes = (Route(path="/api/", target=PoolTarget("operations")),)
    _, port = await site.upstream()
    crm = Upstream(name="crm", endpoints=(Endpoint("127.0.0.1", port),))
    edge = edge_table(port=site.port, routes=routes, upstreams=(crm,), pools=("operations",), memory_max=2**20)
    await site.start(edge, ready=False)
    await site.until_statistic("overload.envoy.overload_actions.stop_accepting_requests.active", "1")
    answer = await site.get("/api/x")
    assert (answer.status, answer.json()["kind"]) == (503, "unavailable")
    assert "overloaded" in answer.json()["detail"]
    assert (await site.egress("crm", "/x")).status == 200, "calls under way still reach their upstreams"


async def test_a_client_that_stalls_in_its_headers_is_sent_away(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "REQUEST_HEADERS_TIMEOUT", 0.1)
    worker = await serve(site)
    answer = await site.send(b"GET /api/x HTTP/1.1\r\nHost: a\r\nx: never-en")
    assert (answer.status, answer.json()["kind"]) == (408, "timeout")
    assert not worker.seen
