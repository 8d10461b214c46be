"""The gateway with its small upstream, as its page tells."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.running import EXAMPLES, Running, free_port, running_project


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, subprocess.Popen[str]]]:
    """The gateway, and the process behind its second endpoint."""
    project = tmp_path_factory.mktemp("gateway") / "project"
    shutil.copytree(EXAMPLES / "gateway", project, ignore=shutil.ignore_patterns(".entrepot", "__pycache__"))
    first, second = str(free_port()), str(free_port())
    declaration = project / "entrepot.yaml"
    declaration.write_text(declaration.read_text().replace("9001", first).replace("9002", second))
    upstreams = [_start_upstream(project, port) for port in (first, second)]
    try:
        with running_project(project, command="serve") as running:
            yield running, upstreams[1]
    finally:
        for process in upstreams:
            process.kill()
            process.wait()


def _start_upstream(project: Path, port: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(project / "upstream.py"), port]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_an_imported_service_is_served_over_both(gateway: tuple[Running, object]) -> None:
    running, _ = gateway
    customer = running.get("/api/crm/v1/customers/2").json()
    assert customer == {"id": 2, "name": "Bram Jansen", "credit": "0.10"}
    assert running.rpc("crm.get_customer", id=2)["result"] == customer


def test_an_upstream_fault_passes_through(gateway: tuple[Running, object]) -> None:
    running, _ = gateway
    answer = running.get("/api/crm/v1/customers/77")
    assert answer.status == 404
    assert answer.json()["kind"] == "not_found"


def test_routes_pass_through(gateway: tuple[Running, object]) -> None:
    running, _ = gateway
    assert running.get("/static/hello.txt").body == b"hello\n"
    assert running.get("/old/page").body == b"the old application, at /page\n"


@pytest.mark.parametrize("path", ["/static/../healthz", "/static/%2e%2e/healthz", "/static//hello.txt", "/old/a%2fb"])
def test_routes_refuse_paths_with_two_readings(gateway: tuple[Running, object], path: str) -> None:
    running, _ = gateway
    assert running.get(path).status == 400


def test_a_dead_endpoint_is_not_noticed(gateway: tuple[Running, subprocess.Popen[str]]) -> None:
    running, second = gateway
    os.kill(second.pid, signal.SIGKILL)
    second.wait()
    assert [running.get("/api/crm/v1/customers").status for _ in range(10)] == [200] * 10
