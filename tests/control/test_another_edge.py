"""Another Envoy takes the place of the one that serves, for another bootstrap or another program; no request fails."""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from entrepot.control import directories, status
from entrepot.control.client import ControlFailed, NotRunning, ask
from entrepot.edge import run
from support.checked_load import CheckedLoad, checked_load
from support.running import Running, running_project

SEED = 20264
PATIENCE = 20.0

CODE = """\
import asyncio
from pathlib import Path

from entrepot import Service

api = Service("api")


@api.operation(safe=True)
async def version() -> str:
    return "one"


@api.operation()
async def wait_for(path: str) -> str:
    Path(f"{path}.begun").touch()
    while not Path(path).exists():
        await asyncio.sleep(0.01)
    return "done"
"""

PRETENDER = """\
#!/bin/sh
case "$*" in *"--mode validate"*) exec {envoy} "$@";; esac
echo "it only looked like an Envoy"
exit 7
"""


class Site:
    """A project that runs, on an Envoy that a link leads to."""

    def __init__(self, running: Running, link: Path) -> None:
        self.running = running
        self.layout = directories.layout_of(running.project)
        self._link = link

    def changed(self, **limits: object) -> dict[str, Any]:
        """What became of these limits."""
        declare(self.running.project, limits)
        return self.applied()

    def applied(self) -> dict[str, Any]:
        answer: dict[str, Any] = ask(self.layout, "POST", "/apply", {"dir": str(self.running.project)})
        return answer

    def upgraded(self, program: Path) -> dict[str, Any]:
        """What became of another program at the same path."""
        aside = self._link.with_name("aside")
        aside.symlink_to(program)
        aside.replace(self._link)
        return self.applied()

    def under_load(self) -> Any:
        return checked_load(self.running.port, "api.version", lambda result: result == "one")

    def pids(self, prefix: str = "edge") -> dict[str, int]:
        """Of the running processes whose names begin so, by name."""
        now = status.read(self.layout)
        found = now.processes if now else {}
        return {name: each.pid for name, each in found.items() if name.startswith(prefix) and each.pid}

    def ends(self) -> int:
        """How often an edge has ended that should have gone on."""
        now = status.read(self.layout)
        return sum(each.ends for name, each in now.processes.items() if name.startswith("edge")) if now else 0

    def serves(self) -> bool:
        try:
            return bool(self.running.rpc("api.version").get("result") == "one")
        except (OSError, ValueError):
            return False


def declare(project: Path, limits: Mapping[str, object]) -> None:
    lines = ["entrepot: 1", "name: api", "services: {api: {python: services, expose: [jsonrpc]}}", "limits:"]
    lines += [f"  {name}: {value}" for name, value in limits.items()]
    (project / "entrepot.yaml").write_text("\n".join([*lines, ""]))


def eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.005)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    link, project = tmp_path / "envoy", tmp_path / "api"
    link.symlink_to(run.wheel_binary())
    monkeypatch.setenv(run.BINARY_VARIABLE, str(link))
    project.mkdir()
    (project / "services.py").write_text(CODE)
    declare(project, {"connections": 1000})
    with running_project(project) as running:
        site = Site(running, link)
        eventually(lambda: site.pids("control"))
        eventually(lambda: _answers(site))
        yield site


def _answers(site: Site) -> bool:
    try:
        ask(site.layout, "GET", "/status")
    except NotRunning:
        return False
    return True


def quiet(load: CheckedLoad) -> None:
    """Nothing has failed until now, and goes on not to."""
    load.until_more(50)
    assert load.failures == []


@pytest.mark.parametrize("count", [3, pytest.param(20, marks=(pytest.mark.full, pytest.mark.timeout(1800)))])
def test_what_stands_in_the_bootstrap_changes_without_a_failed_request(site: Site, count: int) -> None:
    chosen = random.Random(SEED)
    with site.under_load() as load:
        for number in range(count):
            before = site.pids()
            limits = {"connections": 1001 + number, "edge_memory": f"{chosen.randrange(512, 4096)}MiB"}
            answer = site.changed(**limits)
            assert answer["state"] == "live", answer
            assert list(answer["parts"]) == ["compile", "validate", "deliver", "renew", "settle"]
            assert not answer["workers_replaced"]
            assert site.pids().items() - before.items(), "no other process has begun"
            assert f'"max_active_downstream_connections":{1001 + number}' in bootstrap(site)
            assert site.applied()["state"] == "unchanged"
            quiet(load)
    assert site.ends() == 0
    eventually(lambda: len(site.pids()) == 1)


def bootstrap(site: Site) -> str:
    return (site.layout.edge / "bootstrap.json").read_text()


def test_another_program_takes_over_without_a_failed_request(site: Site, tmp_path: Path) -> None:
    newer = shutil.copy(run.wheel_binary(), tmp_path / "newer")
    with site.under_load() as load:
        answer = site.upgraded(newer)
        assert (answer["state"], "renew" in answer["parts"]) == ("live", True), answer
        quiet(load)
        assert site.applied()["state"] == "unchanged"
    [*_, newest] = site.pids().values()
    assert Path(f"/proc/{newest}/exe").samefile(newer)


def test_a_program_that_does_not_start_leaves_the_old_one_serving(site: Site, tmp_path: Path) -> None:
    pretender = tmp_path / "pretender"
    pretender.write_text(PRETENDER.format(envoy=run.wheel_binary()))
    pretender.chmod(0o700)
    before, stood = site.pids(), bootstrap(site)
    with site.under_load() as load:
        declare(site.running.project, {"connections": 7})
        answer = site.upgraded(pretender)
        assert answer["state"] == "rejected"
        assert "it only looked like an Envoy" in answer["reason"]
        quiet(load)
        assert (site.pids(), bootstrap(site)) == (before, stood)
        assert site.upgraded(run.wheel_binary())["state"] == "live"
        quiet(load)
    assert site.ends() == 0


def test_a_request_in_progress_is_answered_by_the_edge_that_took_it(site: Site, tmp_path: Path) -> None:
    gate, results = tmp_path / "gate", []
    calling = threading.Thread(target=lambda: results.append(site.running.rpc("api.wait_for", path=str(gate))))
    calling.start()
    eventually(Path(f"{gate}.begun").exists)
    assert site.changed(connections=1001)["state"] == "live"
    assert site.serves()
    gate.touch()
    calling.join()
    assert results[0]["result"] == "done"


def test_sigterm_waits_for_what_the_edge_before_has_begun(site: Site, tmp_path: Path) -> None:
    gate, results = tmp_path / "gate", []
    calling = threading.Thread(target=lambda: results.append(site.running.rpc("api.wait_for", path=str(gate))))
    calling.start()
    eventually(Path(f"{gate}.begun").exists)
    assert site.changed(connections=1001)["state"] == "live"
    site.running.process.send_signal(signal.SIGTERM)
    gate.touch()
    calling.join()
    assert results[0]["result"] == "done"
    assert site.running.process.wait(PATIENCE) == 0
    assert not Path(f"/dev/shm/envoy_shared_memory_{run.base_id(site.layout) * 10}").exists()


def test_an_edge_that_is_killed_while_it_leaves_is_missed_by_nobody(site: Site) -> None:
    [old] = site.pids().values()
    with site.under_load() as load:
        assert site.changed(connections=1001)["state"] == "live"
        load.until_more(100)  # by then every connection is the new one's
        os.kill(old, signal.SIGKILL)
        eventually(lambda: old not in site.pids().values())
        quiet(load)
        assert site.changed(connections=1002)["state"] == "live"
        quiet(load)
    assert site.ends() == 0


def test_an_edge_that_is_killed_after_it_took_over_comes_back_and_can_be_replaced(site: Site) -> None:
    assert site.changed(connections=1001)["state"] == "live"
    os.kill(site.pids()["edge 2"], signal.SIGKILL)
    eventually(lambda: site.ends() == 1 and site.serves())
    assert list(site.pids()) == ["edge 2"], "one that was leaving was in the way of the start"
    assert '"max_active_downstream_connections":1001' in bootstrap(site)
    with site.under_load() as load:
        assert site.changed(connections=1002)["state"] == "live"
        quiet(load)


VICTIMS = ["the new one", "the old one", "control"]


@pytest.mark.parametrize("rounds", [1, pytest.param(40, marks=(pytest.mark.full, pytest.mark.timeout(3600)))])
def test_whoever_is_killed_at_whatever_moment_of_it_the_project_recovers(site: Site, rounds: int) -> None:
    chosen = random.Random(SEED)
    victims = [victim for _ in range(rounds) for victim in chosen.sample(VICTIMS, len(VICTIMS))]
    for number, victim in enumerate(victims):
        before = site.pids()
        killing = threading.Thread(target=_kill, args=(site, victim, before, chosen.uniform(0, 0.15)))
        killing.start()
        try:
            answer = site.changed(connections=1001 + number)
        except (ControlFailed, NotRunning):  # it was control
            answer = {"state": "unknown"}
        killing.join()
        assert answer["state"] in ("live", "rejected", "unknown"), answer
        eventually(site.serves)
        eventually(lambda: _answers(site))
        again = site.applied()
        assert again["state"] == ("unchanged" if answer["state"] == "live" else again["state"]), again
        assert again["state"] in ("live", "unchanged"), again
        assert f'"max_active_downstream_connections":{1001 + number}' in bootstrap(site)
        assert site.applied()["state"] == "unchanged"
    with site.under_load() as load:
        assert site.changed(connections=2001)["state"] == "live"
        quiet(load)


def _kill(site: Site, victim: str, before: Mapping[str, int], delay: float) -> None:
    """Kill somebody, some moment after another edge was begun."""
    eventually(lambda: site.pids().items() - before.items())
    [new] = dict(site.pids().items() - before.items()).values()
    time.sleep(delay)
    [control] = site.pids("control").values()
    [*_, old] = before.values()
    pid = {"the new one": new, "the old one": old, "control": control}[victim]
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
