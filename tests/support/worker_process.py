"""A real worker process on a Unix socket, with the catalog of `line_protocol` alone.

with worker_process(release, "operations", project) as worker:
    assert worker.get("/-/health").status == 200
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from entrepot.compiler.own_files import own_modules
from entrepot.ir.worker import WorkerIR
from entrepot.kit.files import write_together
from support.answer import Answer
from support.tables import release_of

TESTS = Path(__file__).parents[1]
READY_SECONDS_MAX = 20.0


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("worker", timeout=20)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self._path)


@dataclass
class WorkerProcess:
    """A worker that has begun."""

    path: Path
    process: subprocess.Popen[bytes]
    output: IO[bytes]

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request on a connection of its own."""
        connection = UnixConnection(self.path)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, **headers)

    def call(self, service: str, operation: str, **given: Any) -> Answer:
        """A call in the line protocol."""
        return self.request("POST", f"/line/{service}/{operation}", json.dumps(given).encode())

    def begin(self, service: str, operation: str, **given: Any) -> socket.socket:
        """Send a call in the line protocol and read nothing yet."""
        body = json.dumps(given).encode()
        head = f"POST /line/{service}/{operation} HTTP/1.1\r\nhost: w\r\ncontent-length: {len(body)}\r\n\r\n"
        return self.send(head.encode() + body)

    def send(self, octets: bytes) -> socket.socket:
        """Send octets on a connection of their own."""
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(20)
        sock.connect(str(self.path))
        sock.sendall(octets)
        return sock

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def printed(self) -> str:
        self.output.seek(0)
        return self.output.read().decode(errors="replace")

    def log(self) -> list[dict[str, Any]]:
        """Its log records so far."""
        return [json.loads(line) for line in self.printed().splitlines() if line.startswith("{")]


def keep(project: Path, directory: Path) -> dict[str, str]:
    """Put the project's modules into the directory as a release has them; gives their digests by path."""
    directory.mkdir()
    contents = {path: (project / path).read_bytes() for path in own_modules(project, packages_only=False)}
    files = {path: hashlib.sha256(content).hexdigest() for path, content in contents.items()}
    write_together(directory, {files[path]: content for path, content in contents.items()})
    return files


@contextmanager
def worker_process(
    worker: WorkerIR, pool: str, project: Path, *, egress: Path | str = "", drain_seconds: float = 10
) -> Iterator[WorkerProcess]:
    """A worker of the pool, ready to answer, until the block ends."""
    with started_worker(worker, pool, project, egress=egress, drain_seconds=drain_seconds) as started:
        _wait_until_ready(started)
        yield started


@contextmanager
def started_worker(
    worker: WorkerIR, pool: str, project: Path, *, egress: Path | str = "", drain_seconds: float = 10
) -> Iterator[WorkerProcess]:
    """A worker of the pool, which may refuse to start."""
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryFile() as output:
        release, path, kept = (Path(directory, name) for name in ("release.json", "worker.sock", "kept"))
        release.write_bytes(release_of(worker=worker, files=keep(project, kept)).canonical())
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            listening.listen(128)
            fd = listening.fileno()
            arguments = [release, pool, fd, egress, project, kept, drain_seconds]
            line = [sys.executable, "-m", "support.worker_process", *map(str, arguments)]
            environment = {**os.environ, "PYTHONPATH": str(TESTS)}
            process = subprocess.Popen(line, stdout=output, stderr=subprocess.STDOUT, pass_fds=[fd], env=environment)
        try:
            yield WorkerProcess(path, process, output)
        finally:
            process.kill()
            process.wait()


def _wait_until_ready(worker: WorkerProcess) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < deadline and worker.process.poll() is None:
        try:
            if worker.get("/-/health").status == 200:
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"the worker did not become ready:\n{worker.printed()}")


def _main() -> None:
    from entrepot.runtime.worker import run_worker
    from support.line_protocol import LINE

    release, pool, fd, egress, project, kept, drain_seconds = sys.argv[1:]
    run_worker(Path(release), pool, int(fd), {"line": LINE}, egress, Path(project), Path(kept), float(drain_seconds))


if __name__ == "__main__":
    _main()
