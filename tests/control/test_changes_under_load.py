"""Routes and upstreams of a running project change, and no request fails."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from entrepot.control import directories, status
from entrepot.control.client import NotRunning, ask
from support.checked_load import CheckedLoad, checked_gets, checked_load
from support.running import Running, running_project

SEED = 20260
CODE = """\
from entrepot import Service

api = Service("api")


@api.operation(safe=True)
async def version() -> str:
    return "one"
"""


class Named(BaseHTTPRequestHandler):
    """Answers with the name of its upstream and the path it was asked for."""

    protocol_version = "HTTP/1.1"
    name = ""

    def do_GET(self) -> None:
        content = f"{self.name} {self.path}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def upstream(name: str) -> Iterator[int]:
    """A server on the loopback; gives its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type(name, (Named,), {"name": name}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def declare(project: Path, upstreams: Mapping[str, str], routes: Sequence[str]) -> None:
    """Routes are written `PATH UPSTREAM`, further keys after them; upstreams by name are the inside of a map."""
    entries = [line.split(" ", 2) for line in routes]
    lines = [
        "entrepot: 1",
        "services: {api: {python: services, expose: [jsonrpc]}}",
        "upstreams:",
        *(f"  {name}: {{{settings}}}" for name, settings in upstreams.items()),
        "routes:",
        *(f'  - {{path: "{path}/*", upstream: {name}{"".join(more)}}}' for path, name, *more in entries),
    ]
    (project / "entrepot.yaml").write_text("\n".join([*lines, ""]))


class Served:
    """A project that runs, with two upstreams `a` and `b`."""

    def __init__(self, running: Running, ports: Mapping[str, int]) -> None:
        self.running = running
        self.layout = directories.layout_of(running.project)
        self.upstreams = {name: f'url: "http://127.0.0.1:{port}"' for name, port in ports.items()}

    def changed(self, routes: Sequence[str], **settings: str) -> dict[str, Any]:
        """What became of these routes; `settings` are further keys of upstreams, or None for one that is removed."""
        kept = {name: own for name, own in self.upstreams.items() if settings.get(name) != "removed"}
        declare(self.running.project, {name: own + settings.get(name, "") for name, own in kept.items()}, routes)
        return self.asked("/apply")

    def asked(self, path: str, **more: Any) -> dict[str, Any]:
        answer: dict[str, Any] = ask(self.layout, "POST", path, {"dir": str(self.running.project), **more})
        return answer

    def got(self, path: str) -> str:
        return self.running.get(path).body.decode()

    @contextmanager
    def under_load(self) -> Iterator[list[CheckedLoad]]:
        """Calls of an operation, and requests for `/busy/x`, which `a` answers."""
        with ExitStack() as stack:
            port = self.running.port
            loads = [
                stack.enter_context(checked_load(port, "api.version", lambda result: result == "one", connections=2)),
                stack.enter_context(checked_gets(port, "/busy/x", b"a /busy/x")),
            ]
            yield loads
            for load in loads:
                load.until_more(20)
        assert [load.failures for load in loads] == [[], []]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    project = tmp_path / "api"
    project.mkdir()
    (project / "services.py").write_text(CODE)
    with upstream("a") as a, upstream("b") as b:
        ports = {"a": a, "b": b}
        declare(project, {name: f'url: "http://127.0.0.1:{port}"' for name, port in ports.items()}, BUSY)
        with running_project(project, command="serve") as running:
            served = Served(running, ports)
            _until_controlled(served)
            yield served


def _until_controlled(served: Served) -> None:
    for _ in range(200):
        try:
            ask(served.layout, "GET", "/status")
            return
        except NotRunning:
            threading.Event().wait(0.05)
    raise AssertionError("no control answers")


BUSY = ["/busy a", "/other b"]


@pytest.mark.parametrize("count", [20, pytest.param(3000, marks=(pytest.mark.full, pytest.mark.timeout(7200)))])
def test_routes_that_are_added_one_by_one_fail_no_request(served: Served, count: int) -> None:
    chosen = random.Random(SEED)
    routes = [*BUSY]
    workers = _workers(served)
    with served.under_load():
        for number in range(count):
            name = chosen.choice("ab")
            routes.insert(chosen.randrange(len(routes) + 1), f"/r{number} {name}")
            answer = served.changed(routes)
            assert answer["state"] == "live", answer
            assert served.got(f"/r{number}/x") == f"{name} /r{number}/x"
    assert _workers(served) == workers


def _workers(served: Served) -> set[int]:
    now = status.read(served.layout)
    assert now is not None
    return {each.pid for name, each in now.processes.items() if name.startswith("worker")}


def test_an_upstream_that_others_used_goes_without_a_failed_request(served: Served) -> None:
    with served.under_load(), checked_gets(served.running.port, "/other/x", b"b /other/x") as other:
        refused = served.changed(BUSY, b="removed")
        assert refused["state"] == "refused"
        assert "E305" in {each["code"] for each in refused["diagnostics"]}
        other.until_more(20)
    assert other.failures == []
    with served.under_load():
        assert served.changed(["/busy a", "/other a"], b="removed")["state"] == "live"
        assert served.got("/other/x") == "a /other/x"
        assert served.changed(BUSY)["state"] == "live"
        assert served.got("/other/x") == "b /other/x"


def test_timeouts_and_retries_of_live_routes_change_without_a_failed_request(served: Served) -> None:
    chosen = random.Random(SEED)
    with served.under_load():
        for _ in range(10):
            seconds, attempts = chosen.randrange(5, 60), chosen.randrange(1, 9)
            settings = f", timeout: {seconds}s, retry: {{attempts: {attempts}}}"
            answer = served.changed([f"/busy a , timeout: {seconds}s", "/other b"], a=settings)
            assert answer["state"] in ("live", "unchanged"), answer


def test_going_back_and_forth_fails_no_request(served: Served) -> None:
    with served.under_load():
        assert served.changed([*BUSY, "/more b"])["number"] == 2
        for number in range(3, 9):
            back = served.asked("/rollback")
            assert (back["state"], back["number"]) == ("live", number)
            assert (served.got("/more/x") == "b /more/x") == (number % 2 == 0)


def test_an_apply_says_when_it_was_live_everywhere_and_what_took_how_long(served: Served) -> None:
    edge_alone = served.changed([*BUSY, "/more b"])
    assert list(edge_alone["parts"]) == ["compile", "validate", "deliver", "settle"]
    assert sum(edge_alone["parts"].values()) <= edge_alone["seconds"]
    (served.running.project / "services.py").write_text(CODE.replace("one", "two"))
    workers_too = served.asked("/apply")
    assert list(workers_too["parts"]) == ["compile", "validate", "start", "deliver", "settle"]
    moments = [datetime.fromisoformat(answer["live_at"]) for answer in (edge_alone, workers_too)]
    assert moments[0] < moments[1] < datetime.now(UTC)
