"""What lasts goes on while all around it changes or dies: streams, sockets, and the answers to a checking load."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import trustme

from entrepot.control.backoff import FAILURES_IN_VAIN, SHORT_LIFE
from entrepot.control.readiness import until_answering
from entrepot.edge.admin import Admin
from entrepot.edge.clusters import worker_cluster
from entrepot.ir.worker import HEALTH_PATH
from support.checked_load import checked_gets, checked_posts
from support.served import BUSY, CODE, Served, eventually, serving, upstream

SEED = 20265
VERSION, ORDERS = "/api/api/v1/version", "/api/api/v1/orders?number=7"
CONNECTIONS = 4


def full(count: int, *, seconds: int = 1800) -> object:
    return pytest.param(count, marks=(pytest.mark.full, pytest.mark.timeout(seconds)))


class Ticks:
    """A live stream of events: each number comes once, in order."""

    def __init__(self, lines: BinaryIO) -> None:
        self._lines = lines
        self.number = 0

    def go_on(self) -> None:
        """Return when an event has come that was sent after this call."""
        now, at = time.time(), 0.0
        while at < now:
            line = self._lines.readline()
            assert line, "the stream has ended"
            if line.startswith(b"data:"):
                tick = json.loads(line[5:])
                assert tick["number"] == self.number + 1
                self.number, at = tick["number"], tick["at"]


class Echo:
    """A live WebSocket, as far as an edge looks into one."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._said = 0

    def go_on(self) -> None:
        """Return when something new has come back."""
        self._said += 1
        octets = f"{self._said:08d}".encode()
        self._connection.sendall(octets)
        found = b""
        while len(found) < len(octets):
            more = self._connection.recv(len(octets) - len(found))
            assert more, "the socket was closed"
            found += more
        assert found == octets


@contextmanager
def connected(served: Served, path: str, *headers: str) -> Iterator[tuple[socket.socket, BinaryIO]]:
    """A request on a connection of its own, and the head of its answer read."""
    with socket.create_connection(("127.0.0.1", served.running.port), timeout=30) as connection:
        connection.sendall("\r\n".join([f"GET {path} HTTP/1.1", "host: x", *headers, "", ""]).encode())
        with connection.makefile("rb") as lines:
            while lines.readline() != b"\r\n":
                pass
            yield connection, lines


@contextmanager
def living(served: Served) -> Iterator[tuple[Ticks, Echo]]:
    """A stream of an operation, and a socket to the upstream `a`."""
    with (
        connected(served, "/api/api/v1/ticks", "accept: text/event-stream") as (_, lines),
        connected(served, "/busy/echo", "connection: Upgrade", "upgrade: websocket") as (connection, _),
    ):
        yield Ticks(lines), Echo(connection)


@pytest.mark.parametrize("times", [5, full(200)])
def test_live_streams_and_sockets_survive_changes_of_routes_and_upstreams(served: Served, times: int) -> None:
    chosen = random.Random(SEED)
    with living(served) as (ticks, echo), served.under_load():
        for number in range(times):
            routes = [f"/busy a , timeout: {chosen.randrange(5, 60)}s", f"/new{number} b", "/other b"]
            settings = f", retry: {{attempts: {chosen.randrange(1, 9)}}}, requests_max: {chosen.randrange(500, 900)}"
            answer = served.changed(routes, b=settings)
            assert (answer["state"], answer["workers_replaced"]) == ("live", False), answer
            ticks.go_on()
            echo.go_on()
        assert served.changed(["/busy a", "/other a"], b="removed")["state"] == "live"
        ticks.go_on()
        echo.go_on()
        assert served.asked("/rollback")["state"] == "live"
        ticks.go_on()
        echo.go_on()


@pytest.mark.parametrize("times", [3, full(20)])
def test_all_workers_are_replaced_again_and_again_without_a_failed_request(served: Served, times: int) -> None:
    with served.under_load():
        for number in range(times):
            before = served.pids("worker")
            answer = served.recoded(f"{CODE}\n# {number}\n")
            assert (answer["state"], answer["workers_replaced"]) == ("live", True), answer
            assert served.pids("worker") - before
        eventually(lambda: len(served.pids("worker")) == 2)


@pytest.mark.parametrize("times", [2, full(20)])
def test_certificates_of_an_upstream_are_rotated_without_a_failed_request(tmp_path: Path, times: int) -> None:
    trusted, authority = tmp_path / "api" / "ca.pem", trustme.CA()
    trusted.parent.mkdir()
    trusted.write_bytes(authority.cert_pem.bytes())
    shown = [_issued_by(authority)]
    with upstream("a", lambda: shown[-1]) as port:
        bank = f'url: "https://127.0.0.1:{port}", tls: {{ca_file: ca.pem, server_name: bank.test}}'
        with serving(tmp_path, a=bank) as served, served.under_load() as loads:
            for _ in range(times):
                authority = trustme.CA()
                trusted.write_bytes(trusted.read_bytes() + authority.cert_pem.bytes())
                assert _at_the_edge_alone(served.asked("/apply"))
                shown.append(_issued_by(authority))
                trusted.write_bytes(authority.cert_pem.bytes())
                assert _at_the_edge_alone(served.asked("/apply"))
                loads[1].until_more(20)


def _at_the_edge_alone(applied: dict[str, Any]) -> bool:
    return (applied["state"], applied["workers_replaced"]) == ("live", False)


def _issued_by(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("bank.test").configure_cert(context)
    return context


@pytest.mark.parametrize("kills", [3, full(20)])
def test_a_killed_worker_costs_no_safe_request_and_of_others_what_it_had_begun_at_most(
    served: Served, kills: int
) -> None:
    chosen = random.Random(SEED)
    port = served.running.port
    with (
        checked_gets(port, VERSION, b'"one"', CONNECTIONS) as safe,
        checked_posts(port, ORDERS, b"7", CONNECTIONS) as unsafe,
    ):
        safe.until_more(20)
        for number in range(kills):
            if number >= FAILURES_IN_VAIN:  # one that always ends sooner is taken for one that cannot start
                time.sleep(SHORT_LIFE)
            victim = chosen.choice(sorted(served.pids("worker")))
            os.kill(victim, signal.SIGKILL)
            eventually(lambda gone=victim: len(served.pids("worker") - {gone}) == 2)  # type: ignore[misc]
            eventually(lambda: asyncio.run(_all_workers_answer(served)))
            safe.until_more(50)
            unsafe.until_more(50)
    assert safe.failures == []
    assert len(unsafe.failures) <= kills * CONNECTIONS, unsafe.failures


async def _all_workers_answer(served: Served) -> bool:
    """Both do, and the edge knows."""
    for position in range(2):
        await until_answering(served.layout.worker_socket("000001", "operations", position), HEALTH_PATH)
    healthy = f"cluster.{worker_cluster('operations', '000001')}.membership_healthy"
    return (await Admin(served.layout.edge_admin_socket).statistics([healthy])) == {healthy: "2"}


def test_all_that_was_taken_is_answered_when_the_whole_is_told_to_end(served: Served) -> None:
    port = served.running.port
    with checked_gets(port, VERSION, b'"one"', CONNECTIONS) as safe, checked_posts(port, ORDERS, b"7") as unsafe:
        for load in (safe, unsafe):
            load.until_more(20)
            load.expect_end()
        served.running.process.send_signal(signal.SIGTERM)
        eventually(lambda: served.running.get("/-/ready").status == 503)
        assert served.running.process.wait(60) == 0
    assert (safe.failures, unsafe.failures) == ([], [])
    assert (served.running.project / "orders").stat().st_size == unsafe.calls


def test_an_edge_that_is_killed_is_back_soon(served: Served) -> None:
    [edge] = served.pids("edge")
    os.kill(edge, signal.SIGKILL)
    begun = time.monotonic()
    eventually(lambda: _answers(served))
    assert time.monotonic() - begun < 5
    assert served.got("/busy/x") == "a /busy/x"
    assert served.changed([*BUSY, "/more b"])["state"] == "live"


def _answers(served: Served) -> bool:
    try:
        return served.running.get(VERSION).status == 200
    except OSError:
        return False
