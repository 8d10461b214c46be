"""The project that is attacked, and what must hold after every attack: everything lives, nothing has grown."""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.bad_upstream import BadUpstream, bad_upstream
from support.misdeeds import MISDEEDS
from support.processes import MIB, edge_of, workers_of
from support.raw_client import RawClient
from support.running import Running, free_port, running_project

API = "/api/target/v1"
PATIENCE = 20.0
"""Seconds after which a test that waits has failed."""
GROWTH_MAX = 100 * MIB
"""Most octets by which a process may grow during one attack: Python holds a megabyte of JSON as up to eighty."""


class Attacked(RawClient):
    """The project as it runs, its upstreams played by one that misbehaves."""

    def __init__(self, running: Running, upstream: BadUpstream) -> None:
        super().__init__(running.port)
        self.running = running
        self.upstream = upstream
        self.processes = [*workers_of(running), *workers_of(running, "old"), edge_of(running)]

    def logged(self, trace_id: str) -> dict[str, Any]:
        """The worker's line about an error; it takes its way through the supervisor into the log."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            lines = [line for line in self._log_lines() if trace_id in line and '"level":"error"' in line]
            if lines:
                [line] = lines
                return dict(json.loads(line))
            time.sleep(0.01)
        raise AssertionError(f"nothing was logged about {trace_id}")

    def _log_lines(self) -> Iterator[str]:
        for file in (self.running.project / ".entrepot" / "logs").iterdir():
            yield from file.read_text(errors="replace").splitlines()


@pytest.fixture(scope="session")
def running_attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    project = tmp_path_factory.mktemp("attack") / "attacked"
    shutil.copytree(Path(__file__).parent / "project", project, ignore=shutil.ignore_patterns("__pycache__"))
    declaration = project / "entrepot.yaml"
    # The kernel takes its connections, and nobody ever does anything with them.
    with bad_upstream(MISDEEDS) as upstream, socket.create_server(("127.0.0.1", 0)) as mute:
        ports = {
            "PORT_OF_THINGS": upstream.port,
            "PORT_OF_NOBODY": free_port(),
            "PORT_OF_SILENCE": mute.getsockname()[1],
        }
        for name, port in ports.items():
            declaration.write_text(declaration.read_text().replace(name, str(port)))
        with running_project(project) as running:
            yield Attacked(running, upstream)


@pytest.fixture
def attacked(running_attacked: Attacked) -> Iterator[Attacked]:
    """The project, of which every process survives the test without having grown."""
    sizes = []
    for process in running_attacked.processes:
        process.forget_peak()
        sizes.append(process.memory)
    yield running_attacked
    for process, size in zip(running_attacked.processes, sizes, strict=True):
        grown = process.memory_peak - size
        assert grown < GROWTH_MAX, f"{process.command[:100]} grew by {grown // MIB} MiB"
    assert running_attacked.request("GET", f"{API}/keys/alive").json() == "alive"
