"""The project that is attacked, and what must hold after every attack: everything lives, nothing has grown."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.attacked import API, Attacked
from support.bad_upstream import bad_upstream
from support.misdeeds import MISDEEDS
from support.processes import MIB
from support.running import free_port, running_project

GROWTH_MAX = 100 * MIB
"""Most octets by which a process may grow during one attack: Python holds a megabyte of JSON as up to eighty."""


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
