"""Releases come and go: none fails a request, none that is refused goes live, all survive a restart."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from entrepot.edge import deliver, run
from entrepot.edge.clusters import Workers
from entrepot.edge.deliver import Deliverer, Outcome
from entrepot.edge.emit import BOOTSTRAP
from entrepot.edge.run import log_file
from entrepot.ir.edge import EdgeIR, PoolTarget, Route, UpstreamTarget
from entrepot.model.upstream import Endpoint, Retry, Tls, Upstream
from support.edge import PATIENCE, Site, read_answer, request_bytes, until
from support.tables import edge_table

RELEASES = 20


def edge_of(site: Site, *more: Route, upstreams: tuple[Upstream, ...] = ()) -> EdgeIR:
    routes = (Route(path="/one/", target=PoolTarget("one")), *more)
    return edge_table(port=site.port, routes=routes, upstreams=upstreams, pools=("one",))


def tree_of(root: Path) -> dict[str, bytes]:
    return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*.json")}


async def live(site: Site, edge: EdgeIR) -> Outcome:
    outcome = await site.deliverer.deliver(edge, site.workers)
    assert outcome.state == "live", outcome.reason
    return outcome


async def statistic(site: Site, name: str) -> int:
    return int((await site.admin.statistics([name])).get(name, "0"))


class Load:
    """Requests on kept-alive connections, each answer checked."""

    def __init__(self) -> None:
        self.answers = 0
        self.failures: list[str] = []
        self.generations: set[str] = set()
        self.over = False

    async def client(self, site: Site, number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        while not self.over:
            method, body = ("POST", b"{}") if self.answers % 10 == 0 else ("GET", b"")
            octets = request_bytes(f"/one/{number}", method=method, body=body).replace(b"Connection: close\r\n", b"")
            writer.write(octets)
            answer = await asyncio.wait_for(read_answer(reader), PATIENCE)
            self.check(answer.status, answer.body, f"/one/{number}")
            if answer.headers.get("connection") == "close":
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.close()

    def check(self, status: int, body: bytes, path: str) -> None:
        self.answers += 1
        if status != 200:
            self.failures.append(f"{status} {body!r}")
            return
        told = msgspec.json.decode(body)
        self.generations.add(told["by"])
        if told["path"] != path:
            self.failures.append(f"{told['path']} instead of {path}")


@asynccontextmanager
async def under_load(site: Site) -> AsyncIterator[Load]:
    load = Load()
    clients = [asyncio.create_task(load.client(site, number)) for number in range(8)]
    try:
        yield load
    finally:
        load.over = True
        await asyncio.gather(*clients)


async def test_twenty_releases_fail_no_request(site: Site) -> None:
    await site.worker("one")
    await site.start(edge_of(site))
    async with under_load(site) as load:
        for number in range(2, RELEASES + 2):
            await site.worker("one", generation=f"g{number}")
            extra = Route(path=f"/extra{number}/", target=PoolTarget("one"))
            await live(site, edge_of(site, extra))
            await until(lambda wanted=load.answers + 50: load.answers >= wanted)  # type: ignore[misc]
    assert load.failures == []
    assert load.answers >= RELEASES * 50
    assert len(load.generations) == RELEASES + 1
    assert [path.name for path in (site.layout.edge / "eds").iterdir()] == [f"worker-one-g{RELEASES + 1}"]
    assert await statistic(site, "cluster_manager.active_clusters") == 1


async def test_no_request_reaches_old_workers_once_a_release_is_live(site: Site) -> None:
    old = await site.worker("one")
    await site.start(edge_of(site))
    await site.get("/one/x")
    new = await site.worker("one", generation="g2")
    await live(site, edge_of(site))
    old.seen.clear()
    for _ in range(10):
        assert (await site.get("/one/x")).status == 200
    assert (len(old.seen), len(new.seen)) == (0, 10)


async def test_a_stream_outlives_the_release_it_began_on(site: Site) -> None:
    old = await site.worker("one")
    await site.start(edge_of(site))
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(request_bytes("/one/stream"))
    await reader.readuntil(b"begin\n")
    await site.worker("one", generation="g2")
    await live(site, edge_of(site))
    old.pulse.set()
    assert await asyncio.wait_for(reader.readuntil(b"beat\n"), PATIENCE)
    old.over.set()
    old.pulse.set()
    assert (await asyncio.wait_for(reader.read(-1), PATIENCE)).endswith(b"0\r\n\r\n")
    writer.close()


async def test_a_new_upstream_is_known_before_a_route_leads_to_it(site: Site) -> None:
    await site.worker("one")
    await site.start(edge_of(site))
    _, port = await site.upstream("crm")
    crm = Upstream(name="crm", endpoints=(Endpoint("localhost", port),))
    route = Route(path="/crm/", target=UpstreamTarget(upstream="crm"), raw_path=False)
    await live(site, edge_of(site, route, upstreams=(crm,)))
    assert (await site.get("/crm/x")).json()["by"] == "crm"
    assert (await site.egress("crm", "/x")).json()["by"] == "crm"
    await live(site, edge_of(site))
    assert (await site.get("/crm/x")).status == 404
    assert (await site.egress("crm", "/x")).status == 404


async def test_a_changed_upstream_fails_no_request(site: Site) -> None:
    """Its name has to be resolved and its connections made anew before a route leads to it."""
    _, port = await site.upstream("crm")
    await site.worker("one")
    crm = Upstream(name="crm", endpoints=(Endpoint("localhost", port),), retry=Retry(attempts=1))
    route = Route(path="/one/", target=UpstreamTarget(upstream="crm"), raw_path=False)
    edge = edge_table(port=site.port, routes=(route,), upstreams=(crm,))
    await site.start(edge)
    async with under_load(site) as load:
        for milliseconds in range(500, 510):
            changed = msgspec.structs.replace(crm, connect_timeout=milliseconds / 1000)
            await live(site, msgspec.structs.replace(edge, upstreams=(changed,)))
            await until(lambda wanted=load.answers + 20: load.answers >= wanted)  # type: ignore[misc]
    assert load.failures == []


async def test_what_a_killed_control_left_half_written_goes_with_its_resource(site: Site) -> None:
    await site.worker("one")
    await site.start(edge_of(site))
    (old,) = await asyncio.to_thread(lambda: [*(site.layout.edge / "eds").iterdir()])
    (old / ".resources.json.7.tmp").write_text("{")
    await site.worker("one", generation="g2")
    await live(site, edge_of(site))
    assert not old.exists()


async def test_the_same_release_again_touches_nothing(site: Site) -> None:
    await site.worker("one")
    await site.start(edge_of(site))
    times = {file: file.stat().st_mtime_ns for file in site.layout.edge.rglob("*.json")}
    await live(site, edge_of(site))
    assert times == {file: file.stat().st_mtime_ns for file in site.layout.edge.rglob("*.json")}


async def test_a_release_that_changes_a_route_touches_no_listener(site: Site) -> None:
    await site.worker("one")
    await site.start(edge_of(site))
    await site.worker("one", generation="g2")
    await live(site, edge_of(site, Route(path="/more/", target=PoolTarget("one"))))
    assert await statistic(site, "listener_manager.listener_modified") == 0
    assert await statistic(site, "listener_manager.listener_in_place_updated") == 0


async def test_a_release_moves_to_another_port(site: Site) -> None:
    await site.worker("one")
    await site.start(edge_of(site))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        other = probe.getsockname()[1]
    await live(site, msgspec.structs.replace(edge_of(site), port=other))
    site.port = other
    assert (await site.get("/one/x")).status == 200


class Renewing:
    """Starts no other Envoy: says what became of it."""

    def __init__(self, site: Site, refusal: str = "") -> None:
        self.renewed_on: list[bytes] = []
        self._bootstrap = site.layout.edge / BOOTSTRAP
        self._read = self._bootstrap.read_bytes()
        self._refusal = refusal

    def is_due(self) -> bool:
        return self._bootstrap.read_bytes() != self._read

    async def renew(self) -> str:
        self.renewed_on.append(self._bootstrap.read_bytes())
        return self._refusal


async def test_a_new_connection_limit_needs_another_envoy(site: Site) -> None:
    await site.worker("one")
    await site.start(edge_of(site))
    renewing = Renewing(site)
    site.deliverer = Deliverer(site.layout, site.binary, renewal=renewing)
    assert "renew" not in (await live(site, edge_of(site))).seconds
    outcome = await live(site, msgspec.structs.replace(edge_of(site), connections_max=7))
    assert "renew" in outcome.seconds
    [bootstrap] = renewing.renewed_on
    assert b'"max_active_downstream_connections":7' in bootstrap


async def test_without_another_envoy_the_release_that_needs_one_is_taken_back_whole(site: Site) -> None:
    await site.worker("one")
    await site.start(edge_of(site))
    before = tree_of(site.layout.edge)
    site.deliverer = Deliverer(site.layout, site.binary, renewal=Renewing(site, "it has no memory"))
    edge = edge_of(site, Route(path="/more/", target=PoolTarget("one")))
    outcome = await site.deliverer.deliver(msgspec.structs.replace(edge, connections_max=7), site.workers)
    assert (outcome.state, outcome.reason) == ("rejected", "it has no memory")
    assert tree_of(site.layout.edge) == before
    assert (await site.get("/more/x")).status == 404


async def test_envoy_takes_the_place_of_another_and_its_stream_goes_on(site: Site) -> None:
    worker = await site.worker("one")
    await site.start(edge_of(site))
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(request_bytes("/one/stream"))
    await reader.readuntil(b"begin\n")
    assert (await site.deliverer.until_serving(0)) == ""
    await site.start_envoy(epoch=1)
    assert (await site.deliverer.until_serving(1)) == ""
    assert (await site.get("/one/x")).status == 200
    assert (await site.egress("none", "/x")).status == 404
    worker.pulse.set()
    assert await asyncio.wait_for(reader.readuntil(b"beat\n"), PATIENCE)
    writer.close()


def _mark(shared: Path) -> None:
    """As an Envoy does first of all."""
    octets = bytearray(shared.read_bytes())
    assert octets[-8:] == bytes(8)
    octets[-8] = 1
    shared.write_bytes(octets)


async def test_an_envoy_that_ended_as_it_started_is_in_the_way_of_others_until_its_mark_is_gone(site: Site) -> None:
    await site.worker("one")
    await site.start(edge_of(site))
    _mark(Path(f"/dev/shm/envoy_shared_memory_{run.base_id(site.layout) * 10}"))
    await site.start_envoy(epoch=1)
    assert await site.envoy_ended() == 1
    run.unmark(site.layout)
    await site.start_envoy(epoch=1)
    assert (await site.deliverer.until_serving(1)) == ""


async def test_an_envoy_that_does_not_serve_is_waited_for_in_vain(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await site.worker("one")
    await site.start(edge_of(site))
    monkeypatch.setattr(deliver, "START_SECONDS", 0.1)
    assert await site.deliverer.until_serving(1) == "it did not serve within 0.1 s"
    (site.layout.edge / "cds" / "clusters" / "resources.json").write_bytes(b"{")
    assert "truncated" in await site.deliverer.until_serving(0)


async def test_what_validation_refuses_touches_no_file(site: Site) -> None:
    await site.worker("one")
    await site.start(edge_of(site))
    before = tree_of(site.layout.edge)
    tls = Tls(server_name="bank.test", ca="/nowhere/ca.pem")
    bank = Upstream(name="bank", endpoints=(Endpoint("127.0.0.1", 1),), tls=tls)
    outcome = await site.deliverer.deliver(edge_of(site, upstreams=(bank,)), site.workers)
    assert outcome.state == "rejected"
    assert "/nowhere/ca.pem" in outcome.reason
    assert tree_of(site.layout.edge) == before


async def test_what_envoy_refuses_is_taken_back_on_disk_too(site: Site) -> None:
    """A port that another program has passes validation and is refused when the listener binds it."""
    await site.worker("one")
    await site.start(edge_of(site))
    before = tree_of(site.layout.edge)
    await site.worker("one", generation="g2")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        moved = msgspec.structs.replace(edge_of(site), port=taken.getsockname()[1])
        async with under_load(site) as load:
            outcome = await site.deliverer.deliver(moved, site.workers)
    assert outcome.state == "rejected"
    assert "lds/listeners" in outcome.reason
    assert str(moved.port) in outcome.reason
    assert load.failures == []
    assert tree_of(site.layout.edge) == before
    assert (await site.get("/one/x")).json()["by"] == "one-g1-0"
    await site.kill_envoy()
    await site.start_envoy()
    await site.until_ready()
    assert (await site.get("/one/x")).json()["by"] == "one-g1-0"


async def test_workers_that_are_not_healthy_do_not_go_live(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver, "CONFIRMATION_SECONDS", 0.2)
    await site.worker("one")
    await site.start(edge_of(site))
    before = tree_of(site.layout.edge)
    sick = await site.worker("one", generation="g2")
    sick.healthy = False
    outcome = await site.deliverer.deliver(edge_of(site), site.workers)
    assert outcome.state == "rejected"
    assert "worker-one-g2" in outcome.reason
    assert tree_of(site.layout.edge) == before
    assert (await site.get("/one/x")).json()["by"] == "one-g1-0"


async def test_after_a_rejection_the_next_release_goes_live(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await site.worker("one")
    await site.start(edge_of(site))
    with monkeypatch.context() as hurried:
        hurried.setattr(deliver, "CONFIRMATION_SECONDS", 0.2)
        (await site.worker("one", generation="g2")).healthy = False
        assert (await site.deliverer.deliver(edge_of(site), site.workers)).state == "rejected"
    await site.worker("one", generation="g3")
    await live(site, edge_of(site))
    assert (await site.get("/one/x")).json()["by"] == "one-g3-0"


async def test_without_envoy_a_release_is_rejected_and_says_so(site: Site) -> None:
    await site.worker("one")
    site.deliverer.start_files(edge_of(site), site.workers)
    outcome = await site.deliverer.deliver(edge_of(site, Route(path="/x/", target=PoolTarget("one"))), site.workers)
    assert outcome.state == "rejected"
    assert "is it running?" in outcome.reason


async def test_an_envoy_that_was_killed_serves_from_its_files_alone(site: Site) -> None:
    await site.worker("one")
    await site.start(edge_of(site))
    await site.worker("one", generation="g2")
    await live(site, edge_of(site, Route(path="/more/", target=PoolTarget("one"))))
    await site.kill_envoy()
    await site.start_envoy()
    await site.until_ready()
    assert (await site.get("/more/x")).json()["by"] == "one-g2-0"
    assert await site.terminate_envoy() == 0


async def test_a_start_on_a_taken_port_is_told(site: Site) -> None:
    await site.worker("one")
    log_file(site.layout).write_text("[0][1][error][main] [source/x.cc:1] a complaint of long ago\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", site.port))
        taken.listen()
        site.deliverer.start_files(edge_of(site), site.workers)
        await site.start_envoy()
        outcome = await site.deliverer.confirm()
    assert outcome.state == "rejected"
    assert str(site.port) in outcome.reason
    assert "long ago" not in outcome.reason


async def test_the_last_good_files_come_back_when_they_are_asked_for(site: Site) -> None:
    await site.worker("one")
    assert not site.deliverer.restore()
    await site.start(edge_of(site))
    good = tree_of(site.layout.edge)
    broken = site.layout.edge / "rds" / "ingress" / "resources.json"
    broken.write_bytes(broken.read_bytes()[:100])
    assert site.deliverer.restore()
    assert tree_of(site.layout.edge) == good


async def test_a_second_envoy_of_one_project_does_not_start(site: Site) -> None:
    await site.worker("one")
    await site.start(edge_of(site))
    command = run.command(site.layout, site.binary)
    second = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    assert await asyncio.wait_for(second.wait(), PATIENCE) == 1
    assert (await site.get("/one/x")).status == 200


async def test_requests_in_progress_end_before_the_edge_does(site: Site) -> None:
    worker = await site.worker("one")
    await site.start(edge_of(site))
    stream = asyncio.create_task(site.get("/one/stream"))
    await until(lambda: bool(worker.seen))
    draining = asyncio.create_task(run.drain(site.layout, PATIENCE))
    await site.until_ready(503)
    assert not draining.done()
    worker.over.set()
    worker.pulse.set()
    assert await draining
    assert (await stream).status == 200
    with pytest.raises(ConnectionRefusedError):
        await site.get("/-/live")
    assert await site.terminate_envoy() == 0


async def test_draining_gives_up_when_its_time_is_over(site: Site) -> None:
    worker = await site.worker("one")
    await site.start(edge_of(site))
    stream = asyncio.create_task(site.get("/one/stream"))
    await until(lambda: bool(worker.seen))
    assert not await run.drain(site.layout, 0.1)
    stream.cancel()


async def test_a_drain_without_envoy_is_over_at_once(site: Site) -> None:
    assert await run.drain(site.layout, PATIENCE)


async def test_files_and_sockets_are_the_owners_alone(site: Site) -> None:
    await site.worker("one")
    await site.start(edge_of(site))
    sockets = [site.layout.egress_socket, site.layout.edge_admin_socket]
    for path in [*site.layout.edge.rglob("*.json"), *sockets]:
        assert path.stat().st_mode & 0o077 == 0, path
    assert log_file(site.layout).exists()


async def test_a_missing_system_bundle_is_a_rejection(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Path:
        raise deliver.trust.NoTrust("no bundle here")

    monkeypatch.setattr(deliver.trust, "system_bundle", none)
    bank = Upstream(name="bank", endpoints=(Endpoint("127.0.0.1", 1),), tls=Tls(server_name="bank.test"))
    edge = edge_table(port=site.port, upstreams=(bank,))
    outcome = await Deliverer(site.layout, site.binary).deliver(edge, Workers("g1", {}))
    assert (outcome.state, outcome.reason) == ("rejected", "no bundle here")


async def test_a_pool_without_sockets_is_a_rejection(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver, "CONFIRMATION_SECONDS", 0.1)
    await site.worker("one")
    await site.start(edge_of(site))
    outcome = await site.deliverer.deliver(edge_of(site), Workers("g2", {}))
    assert (outcome.state, "worker-one-g2" in outcome.reason) == ("rejected", True)
    assert (await site.get("/one/x")).status == 200


async def test_an_upstream_that_is_down_does_not_hold_a_release_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver, "UPSTREAM_SECONDS", 0.05)
    await site.worker("one")
    await site.start(edge_of(site))
    gone = Upstream(name="gone", endpoints=(Endpoint("no-such-name.invalid", 80),))
    await live(site, edge_of(site, Route(path="/more/", target=PoolTarget("one")), upstreams=(gone,)))
    assert (await site.get("/more/x")).status == 200
    assert "none of its endpoints" in (await site.egress("gone", "/x")).headers["x-entrepot-egress"]
    await site.kill_envoy()
    await site.start_envoy()
    await site.until_ready()


async def test_a_damaged_file_is_replaced_by_the_last_good_one(site: Site) -> None:
    await site.worker("one")
    await site.start(edge_of(site))
    good = tree_of(site.layout.edge)
    (site.layout.edge / "cds" / "clusters" / "resources.json").write_bytes(b'{"resources": [')
    assert (await site.deliverer.deliver(edge_of(site), site.workers)).state == "rejected"
    assert tree_of(site.layout.edge) == good
    await live(site, edge_of(site, Route(path="/more/", target=PoolTarget("one"))))
