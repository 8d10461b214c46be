"""Worker pools behind the edge: health, readiness, retries, answers, logs."""

from __future__ import annotations

import asyncio
import json

import pytest

from entrepot.control.logs import move_full_aside
from entrepot.edge.clusters import worker_cluster
from entrepot.edge.listeners import access_log
from entrepot.ir.edge import EdgeIR, PoolTarget, Route, UpstreamTarget
from entrepot.model.upstream import Endpoint, Upstream
from support.edge import PATIENCE, Site, request_bytes
from support.tables import edge_table


def edge_of(site: Site, *pools: str) -> EdgeIR:
    routes = tuple(Route(path=f"/{pool}/", target=PoolTarget(pool)) for pool in pools)
    return edge_table(port=site.port, routes=routes, pools=pools)


async def until_healthy(site: Site, pool: str, count: int) -> None:
    """A site is ready by one worker of a pool; this waits for more."""
    cluster = worker_cluster(pool, site.workers.generation)
    await site.until_statistic(f"cluster.{cluster}.membership_healthy", str(count))


async def test_ready_when_every_pool_has_a_healthy_worker(site: Site) -> None:
    await site.worker("one")
    other = await site.worker("two")
    other.healthy = False
    await site.start(edge_of(site, "one", "two"), ready=False)
    answer = await site.get("/-/ready")
    assert (answer.status, answer.json()["kind"]) == (503, "unavailable")
    assert (await site.get("/-/live")).status == 200
    assert (await site.get("/two/x")).status == 503
    assert (await site.get("/one/x")).status == 200
    other.healthy = True
    await site.until_ready()
    assert (await site.get("/two/x")).status == 200


async def test_a_worker_that_is_not_up_yet_is_waited_for(site: Site) -> None:
    """Its socket takes connections before it answers, so the first probe waits in the backlog."""
    worker = await site.worker("one")
    started = asyncio.Event()
    answers = worker._answer

    async def slow(*arguments: object) -> None:
        await started.wait()
        await answers(*arguments)  # type: ignore[arg-type]

    worker._answer = slow  # type: ignore[method-assign]
    site.deliverer.start_files(edge_of(site, "one"), site.workers)
    await site.start_envoy()
    started.set()
    await site.until_ready()


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
async def test_what_may_be_repeated_goes_to_another_worker(site: Site, method: str) -> None:
    await site.worker("one")
    await site.worker("one", index=1)
    await site.start(edge_of(site, "one"))
    await until_healthy(site, "one", 2)
    broken = site.workers.sockets["one"][0]
    broken.unlink()
    statuses = [(await site.get("/one/x", method=method)).status for _ in range(10)]
    assert statuses == [200] * 10


async def test_one_that_turns_all_away_costs_nothing_that_may_be_repeated(site: Site) -> None:
    """It has the least to do, so it is the one that is found when a worker is looked for."""
    await site.worker("one")
    broken = await site.worker("one", index=1)
    await site.start(edge_of(site, "one"))
    await until_healthy(site, "one", 2)
    broken.turns_away = True
    answers = await asyncio.gather(*(site.get("/one/x") for _ in range(200)))
    assert [answer.status for answer in answers] == [200] * 200


async def test_a_worker_that_dies_with_a_request_costs_only_what_may_not_be_repeated(site: Site) -> None:
    one, two = await site.worker("one"), await site.worker("one", index=1)
    await site.start(edge_of(site, "one"))
    await until_healthy(site, "one", 2)
    assert (await site.get("/one/reset")).status == 503
    tries = len(one.seen) + len(two.seen)
    assert tries == 3, "the first try and two more"
    assert (await site.get("/one/reset", method="POST", body=b"{}")).status == 503
    assert len(one.seen) + len(two.seen) == tries + 1


async def test_a_worker_keeps_its_own_deadlines_unless_the_route_has_one(site: Site) -> None:
    await site.worker("one")
    routes = (Route(path="/one/", target=PoolTarget("one"), timeout=0.05),)
    await site.start(edge_table(port=site.port, routes=routes, pools=("one",)))
    answer = await site.get("/one/hang", method="POST")
    assert (answer.status, answer.json()["kind"]) == (504, "timeout")


async def test_marks_of_ours_do_not_reach_clients(site: Site) -> None:
    worker = await site.worker("one")
    worker.answer_headers = (("x-entrepot-operation", "shop.place_order"),)
    await site.start(edge_of(site, "one"))
    answer = await site.get(
        "/one/x?secret=1", "user-agent: test", "traceparent: 00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
    )
    assert not [name for name in answer.headers if name.startswith("x-")]
    assert answer.headers["server"] == "entrepot"
    [line] = await site.logged("ingress", 1)
    assert line["operation"] == "shop.place_order"
    assert line["path"] == "/one/x"
    assert line["trace_id"] == "ab" * 16
    assert line["cluster"] == "worker-one-g1"
    assert (line["method"], line["status"], line["route"], line["flags"]) == ("GET", 200, "/one/", "-")
    assert "secret" not in json.dumps(line)


async def test_a_hosted_application_cannot_name_an_operation(site: Site) -> None:
    worker = await site.worker("one")
    worker.answer_headers = (("x-entrepot-operation", "x" * 1000),)
    routes = (Route(path="/one/", target=PoolTarget("one"), raw_path=False),)
    await site.start(edge_table(port=site.port, routes=routes, pools=("one",)))
    await site.get("/one/x")
    [line] = await site.logged("ingress", 1)
    assert "operation" not in line


async def test_what_is_not_of_our_making_says_nothing_in_our_name(site: Site) -> None:
    app, (upstream, port) = await site.worker("one"), await site.upstream()
    names = ("x-entrepot-egress", "x-entrepot-fault", "X-Envoy-Upstream-Service-Time", "x-envoy-anything", "x-own")
    app.answer_headers = upstream.answer_headers = tuple((name, "1") for name in names)
    routes = (
        Route(path="/one/", target=PoolTarget("one"), raw_path=False),
        Route(path="/through/", target=UpstreamTarget(upstream="crm"), raw_path=False),
    )
    crm = Upstream(name="crm", endpoints=(Endpoint("127.0.0.1", port),))
    await site.start(edge_table(port=site.port, routes=routes, pools=("one",), upstreams=(crm,)))
    for path in ("/one/x", "/through/x"):
        answer = await site.get(path)
        assert [name for name in answer.headers if name.startswith("x-")] == ["x-own"]


async def test_an_upstream_may_be_called_on_a_connection_for_each_request(site: Site) -> None:
    upstream, port = await site.upstream()
    crm = Upstream(name="crm", endpoints=(Endpoint("127.0.0.1", port),), requests_per_connection=1)
    await site.start(edge_table(port=site.port, upstreams=(crm,)), ready=False)
    for _ in range(3):
        assert (await site.egress("crm", "/x")).status == 200
    assert (len(upstream.seen), upstream.connections) == (3, 3)


async def test_a_worker_that_says_nothing_is_not_waited_for_longer_than_its_operations_may_take(site: Site) -> None:
    await site.worker("one")
    routes = (Route(path="/one/", target=PoolTarget("one"), silence=0.1),)
    await site.start(edge_table(port=site.port, routes=routes, pools=("one",)))
    for method in ("GET", "POST"):
        answer = await site.get("/one/hang", method=method)
        assert (answer.status, answer.json()["kind"]) == (504, "timeout")


async def test_the_address_of_a_client_on_this_machine_is_its_own(site: Site) -> None:
    worker = await site.worker("one")
    await site.start(edge_of(site, "one"))
    await site.get("/one/x", "x-forwarded-for: 6.6.6.6")
    assert worker.seen[0].header("x-forwarded-for") == "127.0.0.1"


async def test_long_paths_are_cut_in_the_log(site: Site) -> None:
    await site.worker("one")
    await site.start(edge_of(site, "one"))
    await site.get("/one/" + "x" * 5000)
    [line] = await site.logged("ingress", 1)
    assert len(line["path"]) == 256


async def test_a_stream_passes_as_it_comes(site: Site) -> None:
    worker = await site.worker("one")
    await site.start(edge_of(site, "one"))
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(request_bytes("/one/stream"))
    await reader.readuntil(b"\r\n\r\n")
    for _ in range(3):
        worker.pulse.set()
        assert await asyncio.wait_for(reader.readuntil(b"beat\n\r\n"), PATIENCE)
    worker.over.set()
    worker.pulse.set()
    assert (await reader.read(-1)).endswith(b"0\r\n\r\n")
    writer.close()


async def test_a_log_that_was_moved_aside_is_begun_anew(site: Site) -> None:
    await site.worker("one")
    await site.start(edge_of(site, "one"))
    await site.get("/one/before")
    await site.logged("ingress", 1)
    assert move_full_aside([access_log(site.layout, "ingress")], bytes_max=10)
    await site.admin.switch("reopen_logs")
    await site.get("/one/after")
    [line] = await site.logged("ingress", 1)
    assert line["path"] == "/one/after"
    assert "/one/before" in (site.layout.logs / "ingress.log.1").read_text()
