"""A project that serves, with two upstreams, and loads whose every answer is checked while something changes.

with serving(tmp_path) as served, served.under_load():
    assert served.changed(["/busy a", "/more b"])["state"] == "live"
"""

from __future__ import annotations

import signal
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from entrepot.control import directories, status
from entrepot.control.client import NotRunning, ask
from support.checked_load import CheckedLoad, checked_gets, checked_load
from support.running import Running, running_project

PATIENCE = 30.0
CODE = """\
import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import msgspec

from entrepot import Cursor, Service

api = Service("api")


class Tick(msgspec.Struct):
    number: Annotated[int, Cursor()]
    at: float


@api.get("/version")
async def version() -> str:
    return "one"


@api.post("/orders")
async def order(number: int) -> int:
    with Path(__file__).with_name("orders").open("ab", buffering=0) as taken:
        taken.write(b"x")
    return number


@api.get("/ticks")
async def ticks() -> AsyncIterator[Tick]:
    number = 0
    while True:
        number += 1
        yield Tick(number, time.time())
        await asyncio.sleep(0.02)
"""
BUSY = ["/busy a", "/other b"]
"""The routes it begins with."""


class Named(BaseHTTPRequestHandler):
    """Answers with the name of its upstream and the path it was asked for; what is upgraded is echoed."""

    protocol_version = "HTTP/1.1"
    name = ""

    def do_GET(self) -> None:
        if self.headers.get("upgrade") == "websocket":
            self._echo()
            return
        content = f"{self.name} {self.path}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _echo(self) -> None:
        self.close_connection = True
        self.send_response(101)
        self.send_header("connection", "Upgrade")
        self.send_header("upgrade", "websocket")
        self.end_headers()
        while octets := self.connection.recv(1024):
            self.connection.sendall(octets)

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True
    secure: Callable[[], ssl.SSLContext] | None = None

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        if self.secure is None:
            return connection, address
        # Its thread is to shake hands, not the one that takes connections.
        return self.secure().wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address


@contextmanager
def upstream(name: str, secure: Callable[[], ssl.SSLContext] | None = None) -> Iterator[int]:
    """A server on the loopback; gives its port. `secure` is asked for each connection."""
    server = _Server(("127.0.0.1", 0), type(name, (Named,), {"name": name}))
    server.secure = secure
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
        "workers: 2",
        "services: {api: {python: services, expose: [jsonrpc, rest], operations: {ticks: {expose: [rest]}}}}",
        "upstreams:",
        *(f"  {name}: {{{settings}}}" for name, settings in upstreams.items()),
        "routes:",
        *(f'  - {{path: "{path}/*", upstream: {name}{"".join(more)}}}' for path, name, *more in entries),
    ]
    (project / "entrepot.yaml").write_text("\n".join([*lines, ""]))


class Served:
    """A project that runs, with two upstreams `a` and `b`."""

    def __init__(self, running: Running, upstreams: Mapping[str, str]) -> None:
        self.running = running
        self.layout = directories.layout_of(running.project)
        self.upstreams = dict(upstreams)

    def changed(self, routes: Sequence[str], **settings: str) -> dict[str, Any]:
        """What became of these routes; `settings` are further keys of upstreams, or `removed` for one that goes."""
        kept = {name: own for name, own in self.upstreams.items() if settings.get(name) != "removed"}
        declare(self.running.project, {name: own + settings.get(name, "") for name, own in kept.items()}, routes)
        return self.asked("/apply")

    def recoded(self, code: str) -> dict[str, Any]:
        """What became of other code."""
        (self.running.project / "services.py").write_text(code)
        return self.asked("/apply")

    def asked(self, path: str, **more: Any) -> dict[str, Any]:
        answer: dict[str, Any] = ask(self.layout, "POST", path, {"dir": str(self.running.project), **more})
        return answer

    def got(self, path: str) -> str:
        return self.running.get(path).body.decode()

    def pids(self, prefix: str) -> set[int]:
        """Of the running processes whose names begin so."""
        now = status.read(self.layout)
        assert now is not None
        return {each.pid for name, each in now.processes.items() if name.startswith(prefix) and each.pid}

    @contextmanager
    def under_load(self) -> Iterator[list[CheckedLoad]]:
        """Calls of an operation, and requests for `/busy/x`, which `a` answers."""
        with ExitStack() as stack:
            port = self.running.port
            loads = [
                stack.enter_context(checked_load(port, "api.version", lambda result: result == "one")),
                stack.enter_context(checked_gets(port, "/busy/x", b"a /busy/x")),
            ]
            yield loads
            for load in loads:
                load.until_more(20)
        failures = [load.failures for load in loads]
        assert failures == [[], []], [(len(each), each[:3]) for each in failures]


@contextmanager
def serving(directory: Path, **upstreams: str) -> Iterator[Served]:
    """The project under `serve`; `upstreams` in the place of those on the loopback."""
    project = directory / "api"
    project.mkdir(exist_ok=True)
    (project / "services.py").write_text(CODE)
    with upstream("a") as a, upstream("b") as b:
        known = {name: f'url: "http://127.0.0.1:{port}"' for name, port in (("a", a), ("b", b))} | upstreams
        declare(project, known, BUSY)
        with running_project(project, command="serve") as running:
            served = Served(running, known)
            eventually(lambda: _is_controlled(served))
            yield served
            for number in (signal.SIGTERM, signal.SIGINT):  # the second ends it at once
                running.process.send_signal(number)


def eventually(condition: Callable[[], object]) -> None:
    """Return when what others do has made the condition true."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


def _is_controlled(served: Served) -> bool:
    try:
        ask(served.layout, "GET", "/status")
    except NotRunning:
        return False
    return True
