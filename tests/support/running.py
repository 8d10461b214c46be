"""`entrepot dev` as a process of its own: what a person starts, on a free port.

    with running_example("shop") as shop:
        assert shop.get("/api/shop/v1/products/1").status == 200

The fixture `running_shop` (`tests/conftest.py`) is one shop for the whole session.
"""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from support.answer import Answer

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
READY_SECONDS_MAX = 30.0
PRINTED_SECONDS_MAX = 10
STOP_SECONDS_MAX = 20.0


def free_port() -> int:
    """A port of the loopback that nothing uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Running:
    """A project that serves."""

    port: int
    process: subprocess.Popen[bytes]
    project: Path
    output: IO[bytes]
    """What the command prints."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def printed(self, until: str = "") -> str:
        """All that it has printed; with `until`, once that is in it, for it answers a little before it says so."""
        deadline = time.monotonic() + PRINTED_SECONDS_MAX
        while True:
            self.output.seek(0)
            text = self.output.read().decode(errors="replace")
            if until in text or time.monotonic() > deadline:
                return text
            time.sleep(0.02)

    def request(self, method: str, path: str, content: object = None, **headers: str) -> Answer:
        """One request; `content` is sent as JSON unless it is bytes. Headers in snake_case."""
        body = content if isinstance(content, bytes | None) else json.dumps(content).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if content is not None and not isinstance(content, bytes):
            given = {"content-type": "application/json"} | given
        request = urllib.request.Request(self.url + path, body, given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return Answer(response.status, _lower(response.headers), response.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, _lower(error.headers), error.read())

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, None, **headers)

    def rpc(self, method: str, **params: object) -> Any:
        """A JSON-RPC call; gives the whole response object."""
        envelope = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return self.request("POST", "/jsonrpc", envelope).json()


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@contextmanager
def running_project(target: Path, *arguments: str, command: str = "dev", port: int | None = None) -> Iterator[Running]:
    """`entrepot dev TARGET` (or another command that serves) until the block ends; ready when it begins."""
    port = port or free_port()
    line = [sys.executable, "-m", "entrepot", command, str(target), "--port", str(port), *arguments]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(line, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        running = Running(port, process, target, output)
        try:
            _wait_until_ready(running)
            yield running
        finally:
            _stop(process)


@contextmanager
def running_example(name: str, *arguments: str) -> Iterator[Running]:
    """A copy of an example, so that one that somebody runs by hand is left alone."""
    with tempfile.TemporaryDirectory() as directory:
        project = Path(directory, name)
        shutil.copytree(EXAMPLES / name, project, ignore=shutil.ignore_patterns(".entrepot", "__pycache__"))
        with running_project(project, *arguments) as running:
            yield running


def _wait_until_ready(running: Running) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < deadline:
        if running.process.poll() is not None:
            break
        try:
            if running.get("/-/ready").status == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"the project did not become ready:\n{running.printed()}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
