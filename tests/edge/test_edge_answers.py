"""What Envoy answers by itself: problems that name who failed, each with a trace id that the log has too."""

from __future__ import annotations

import pytest

from entrepot.ir.edge import READY_PATH, PoolTarget, Route, UpstreamTarget
from entrepot.model.upstream import Endpoint, Upstream
from support.edge import Site, request_bytes
from support.tables import edge_table

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOWHERE = Endpoint("127.0.0.1", 1)


async def test_an_upstream_that_fails_a_pass_through_route_is_named(site: Site) -> None:
    _, port = await site.upstream()
    await site.worker("one")
    upstreams = (
        Upstream(name="crm", endpoints=(Endpoint("127.0.0.1", port),), timeout=0.05),
        Upstream(name="down", endpoints=(NOWHERE,)),
        Upstream(name="unknown", endpoints=(Endpoint("no-such-name.invalid", 80),)),
    )
    targets = {f"/{each.name}/": UpstreamTarget(upstream=each.name) for each in upstreams}
    targets |= {"/one/": PoolTarget("one")}
    routes = tuple(Route(path=path, target=target, raw_path=False) for path, target in targets.items())
    await site.start(edge_table(port=site.port, routes=routes, pools=("one",), upstreams=upstreams))
    cases = (
        ("/crm/reset", 502, "upstream_failed", "crm", "it closed the connection"),
        ("/crm/hang", 504, "timeout", "crm", "it took too long to answer"),
        ("/down/x", 502, "upstream_failed", "down", "no connection to it could be made"),
        ("/unknown/x", 502, "upstream_failed", "unknown", "none of its endpoints is healthy"),
        ("/one/reset", 503, "unavailable", None, "what serves this address cannot be reached now"),
        ("/crm/..", 400, "malformed", None, "the path holds a dot segment"),
    )
    for path, status, kind, upstream, detail in cases:
        answer = await site.get(path, f"traceparent: {TRACEPARENT}", method="POST")
        problem = answer.json()
        assert (path, answer.status, problem["status"], problem["kind"]) == (path, status, status, kind)
        assert (problem.get("upstream"), problem["trace_id"]) == (upstream, TRACEPARENT[3:35])
        assert problem["detail"].startswith(detail)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_an_upstreams_own_error_passes_through_as_it_is(site: Site, status: int) -> None:
    _, port = await site.upstream()
    crm = Upstream(name="crm", endpoints=(Endpoint("127.0.0.1", port),))
    route = Route(path="/crm/", target=UpstreamTarget(upstream="crm", strip_prefix=True), raw_path=False)
    await site.start(edge_table(port=site.port, upstreams=(crm,), routes=(route,)))
    answer = await site.get(f"/crm/status/{status}", method="POST")
    assert (answer.status, answer.body, answer.headers["content-type"]) == (status, b"{}", "application/json")


REFUSED = (
    (b"GET /x HTTP/1.1\r\n\r\n", 400, "missing_host_header", "names no host"),
    (b"GET /x HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "http.invalid_authority", "holds no host"),
    (b"NONSENSE\r\n\r\n", 400, "http1.codec_error", "cannot be read as HTTP/1.1"),
    (
        b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        400,
        "http1.codec_error",
        "cannot be read as HTTP/1.1",
    ),
    (b"FOO /x HTTP/1.1\r\nHost: a\r\n\r\n", 400, "http1.codec_error", "cannot be read as HTTP/1.1"),
    (
        b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
        "http1.content_length_and_chunked_not_allowed",
        "not both",
    ),
    (b"GET /x HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n", 400, "http1.invalid_characters", "control character"),
    (b"GET http:// HTTP/1.1\r\nHost: a\r\n\r\n", 400, "http1.invalid_url", "no address"),
    (b"GET /x HTTP/1.1\r\nHost: a\r\nX_Y: 1\r\n\r\n", 400, "http1.unexpected_underscore", "with a hyphen"),
    (b"GET /x#y HTTP/1.1\r\nHost: a\r\n\r\n", 400, "path_normalization_failed", "fragment"),
    (b"QUERY /x HTTP/1.1\r\nHost: a\r\n\r\n", 400, "query_missing_content_type", "Content-Type"),
    (b"GET /x HTTP/1.0\r\n\r\n", 426, None, "use HTTP/1.1"),
    (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 404, None, "nothing is served"),
    (b"GET /x HTTP/1.1\r\nHost: a,b\r\n\r\n", 400, "direct_response", "more than one host"),
    (request_bytes("/nowhere"), 404, None, "nothing is served"),
)


async def test_what_is_refused_is_told_why_and_found_in_the_log(site: Site) -> None:
    """Also what is refused before any filter has seen it, and so has no request id."""
    await site.start(edge_table(port=site.port))
    problems = []
    for octets, status, reason, detail in REFUSED:
        answer = await site.send(octets)
        problems.append(answer.json())
        assert (octets, answer.status, problems[-1].get("reason")) == (octets, status, reason)
        assert detail in problems[-1]["detail"]
    told = [problem["trace_id"] for problem in problems]
    assert {len(trace_id) for trace_id in told} == {32}
    assert len(set(told)) == len(told)
    lines = await site.logged("ingress", len(REFUSED))
    assert [line["trace_id"] for line in lines] == told


async def test_readiness_says_nothing_of_ours_and_can_be_traced(site: Site) -> None:
    worker = await site.worker("one")
    routes = (Route(path="/one/", target=PoolTarget("one")),)
    await site.start(edge_table(port=site.port, routes=routes, pools=("one",)))
    answer = await site.get(READY_PATH)
    assert (answer.status, [name for name in answer.headers if name.startswith("x-")]) == (200, [])
    worker.healthy = False
    await site.until_ready(503)
    answer = await site.get(READY_PATH, f"traceparent: {TRACEPARENT}")
    assert [name for name in answer.headers if name.startswith("x-")] == []
    assert answer.json()["trace_id"] == TRACEPARENT[3:35]
