"""The way out: hints to the egress, its marks read back, through hand-made answers and a real Envoy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from entrepot.http.bodies import read
from entrepot.model.fault import Fault
from entrepot.model.faults import Timeout, Unavailable, UpstreamFailed
from entrepot.model.upstream import Endpoint, Retry, Upstream
from entrepot.ports.exchange import Request
from entrepot.runtime.egress import Egress, egress_exchange
from support.edge import Origin, Site, edge_site
from support.http1 import get
from support.raw_server import Peer, raw_server
from support.tables import edge_table


@asynccontextmanager
async def egress_at(path: str) -> AsyncIterator[Egress]:
    egress = egress_exchange(path)
    try:
        yield egress
    finally:
        await egress.close()


async def head_of(request: Request) -> list[bytes]:
    """The lines that the egress receives."""
    heads: list[bytes] = []

    async def handle(peer: Peer) -> None:
        heads.append(await peer.head())
        await peer.send(b"HTTP/1.1 204 OK\r\nx-entrepot-egress: -\r\n\r\n")

    async with raw_server(handle) as server, egress_at(server.path) as egress:
        await egress(request)
    return heads[0].lower().split(b"\r\n")


async def test_the_deadline_travels_as_a_hint():
    lines = await head_of(get(deadline=time.monotonic() + 60))
    [hint] = [line for line in lines if line.startswith(b"x-envoy-upstream-rq-timeout-ms: ")]
    assert 59_000 < int(hint.partition(b": ")[2]) <= 60_100


async def test_the_upstreams_name_alone_will_do_for_a_host():
    lines = await head_of(Request("GET", b"/", headers=[(b"x-own", b"1"), (b"host", b"crm")]))
    assert lines[1:3] == [b"host: crm.egress", b"x-own: 1"]


async def test_no_deadline_means_no_limit():
    assert b"x-envoy-upstream-rq-timeout-ms: 0" in await head_of(get())


async def test_only_idempotent_requests_may_be_repeated_after_they_were_sent():
    assert b"x-envoy-retry-on: reset,gateway-error" in await head_of(get(idempotent=True))
    assert not [line for line in await head_of(get()) if line.startswith(b"x-envoy-retry")]


async def test_hints_and_marks_of_others_are_stripped():
    forged = [(b"x-envoy-retry-on", b"5xx"), (b"x-entrepot-principal", b"root"), (b"x-envoy-max-retries", b"9")]
    lines = await head_of(get(b"/", *forged, (b"x-own", b"1")))
    assert lines == [
        b"get / http/1.1",
        b"host: crm.egress",
        b"x-own: 1",
        b"x-envoy-upstream-rq-timeout-ms: 0",
        b"",
        b"",
    ]


@pytest.mark.parametrize(
    ("mark", "fault", "detail"),
    [
        (b"upstream_failed it closed the connection", UpstreamFailed, "^it closed the connection$"),
        (b"timeout it took too long", Timeout, "^it took too long$"),
        (b"upstream_failed", UpstreamFailed, "could not be passed on"),
        (b"XYZ", UpstreamFailed, "could not be passed on"),
        (None, UpstreamFailed, "could not be passed on"),
    ],
)  # fmt: skip
async def test_an_answer_of_the_egress_itself_is_a_fault_that_names_the_upstream(mark, fault, detail):
    async def handle(peer: Peer) -> None:
        await peer.head()
        marked = b"x-entrepot-egress: " + mark + b"\r\n" if mark is not None else b""
        await peer.send(b"HTTP/1.1 503 No\r\n" + marked + b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\nnever\r\n")
        await peer.gone()

    async with raw_server(handle) as server, egress_at(server.path) as egress:
        with pytest.raises(fault, match=detail) as caught:
            await egress(get())
        assert caught.value.upstream == "crm"


async def test_the_mark_is_not_passed_on():
    async def handle(peer: Peer) -> None:
        await peer.head()
        await peer.send(
            b"HTTP/1.1 503 Own\r\nx-entrepot-egress: -\r\nx-envoy-x: 1\r\nx-own: 1\r\nContent-Length: 0\r\n\r\n"
        )

    async with raw_server(handle) as server, egress_at(server.path) as egress:
        response = await egress(get())
    assert (response.status, response.headers) == (503, [(b"x-own", b"1"), (b"content-length", b"0")])


async def test_an_egress_that_is_not_there_is_our_own_failure(tmp_path):
    async with egress_at(str(tmp_path / "none")) as egress:
        with pytest.raises(Unavailable, match="egress cannot be reached"):
            await egress(get())


async def test_a_stream_that_breaks_off_names_the_upstream():
    async def handle(peer: Peer) -> None:
        await peer.head()
        await peer.send(b"HTTP/1.1 200 OK\r\nx-entrepot-egress: -\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")

    async with raw_server(handle) as server, egress_at(server.path) as egress:
        with pytest.raises(UpstreamFailed, match="broke off") as caught:
            await read((await egress(get())).body, 10)
        assert caught.value.upstream == "crm"


# Through a real Envoy


@asynccontextmanager
async def envoy(**upstream: object) -> AsyncIterator[tuple[Egress, Origin, Site]]:
    async with edge_site() as site:
        origin, port = await site.upstream()
        crm = Upstream(name="crm", endpoints=(Endpoint("127.0.0.1", port),), **upstream)  # type: ignore[arg-type]
        down = Upstream(name="down", endpoints=(Endpoint("127.0.0.1", 1),))
        await site.start(edge_table(port=site.port, upstreams=(crm, down)))
        async with egress_at(str(site.layout.egress_socket)) as egress:
            yield egress, origin, site


async def fault_of(egress: Egress, request: Request) -> tuple[type[Fault], str]:
    with pytest.raises(Fault) as caught:
        await egress(request)
    return type(caught.value), caught.value.upstream


async def test_through_envoy_an_answer_is_the_upstreams_own():
    async with envoy() as (egress, origin, _):
        for _ in range(3):
            assert (await egress(get(b"/a%2Fb?"))).status == 200
        assert (await egress(get(b"/status/503"))).status == 503
        assert (await egress(get(b"/status/404"))).status == 404
        assert origin.seen[0].path.rstrip("?") == "/a%2Fb"


async def test_through_envoy_failures_name_the_upstream():
    async with envoy() as (egress, origin, _):
        soon = time.monotonic() + 0.1
        assert await fault_of(egress, get(b"/hang", deadline=soon)) == (Timeout, "crm")
        assert await fault_of(egress, get(b"/reset")) == (UpstreamFailed, "crm")
        assert await fault_of(egress, Request("GET", b"/", headers=[(b"host", b"down.egress")])) == (
            UpstreamFailed,
            "down",
        )
        assert await fault_of(egress, Request("GET", b"/", headers=[(b"host", b"who.egress")])) == (
            UpstreamFailed,
            "who",
        )
        assert (await egress(get())).status == 200
        assert [seen.path for seen in origin.seen] == ["/hang", "/reset", "/"]


async def test_through_envoy_only_idempotent_requests_are_repeated():
    async with envoy(retry=Retry(attempts=3)) as (egress, origin, _):
        assert await fault_of(egress, get(b"/reset")) == (UpstreamFailed, "crm")
        assert len(origin.seen) == 1
        assert await fault_of(egress, get(b"/reset", idempotent=True)) == (UpstreamFailed, "crm")
        assert len(origin.seen) == 4


async def test_through_envoy_a_stream_flows_both_ways_and_outlives_the_upstreams_timeout():
    async with envoy(timeout=0.05) as (egress, origin, _):
        response = await egress(get(b"/stream"))
        assert not isinstance(response.body, bytes)
        assert await anext(response.body) == b"begin\n"
        for _ in range(3):
            await asyncio.sleep(0.03)
            origin.pulse.set()
            assert await anext(response.body) == b"beat\n"
        origin.over.set()
        origin.pulse.set()
        assert b"".join([chunk async for chunk in response.body]) == b"beat\n"


async def test_through_envoy_an_upstream_killed_in_mid_stream_is_seen():
    async with envoy() as (egress, origin, site):
        response = await egress(get(b"/stream"))
        assert await anext(response.body) == b"begin\n"  # type: ignore[arg-type]
        await site.kill_envoy()
        with pytest.raises(UpstreamFailed) as caught:
            await read(response.body, 100)
        assert caught.value.upstream == "crm"
        assert await fault_of(egress, get()) in ((Unavailable, ""), (UpstreamFailed, "crm"))
        origin.over.set()
        origin.pulse.set()
        await asyncio.sleep(0.01)  # the upstream notices, too


async def test_through_envoy_calls_go_on_while_another_envoy_takes_its_place():
    async with envoy() as (egress, origin, site):
        over = asyncio.Event()

        async def call() -> int:
            calls = 0
            while not over.is_set():
                assert (await egress(get(b"/x"))).status == 200
                calls += 1
            return calls

        callers = [asyncio.create_task(call()) for _ in range(4)]
        for epoch in (1, 2, 3):  # the start of a third ends the first
            await site.start_envoy(epoch)
            assert await site.deliverer.until_serving(epoch) == ""
            await asyncio.sleep(0.1)
        over.set()
        assert sum(await asyncio.gather(*callers)) == len(origin.seen)
