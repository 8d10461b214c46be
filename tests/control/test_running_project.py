"""A real project under its supervisor: what dies comes back, what is broken stays out, what ends ends in order."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from entrepot.control import directories, status
from entrepot.control.backoff import FAILURES_IN_VAIN
from entrepot.control.releases import Live, Releases
from entrepot.ir.edge import LIVE_PATH, READY_PATH
from support.checked_load import checked_load
from support.running import Running, free_port, running_project

DECLARATION = """\
entrepot: 1
name: api
services:
  api: {python: services, expose: [jsonrpc]}
"""

CODE = '''\
"""A service whose answers tell which release gave them."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

from entrepot import Service

api = Service("api")


@api.operation(safe=True)
async def version() -> str:
    return "RELEASE"


@api.operation(safe=True)
async def process() -> int:
    return os.getpid()


@api.operation()
async def wait_for(path: str) -> str:
    """Say that it has begun, and answer when the file is there."""
    Path(f"{path}.begun").touch()
    while not Path(path).exists():
        await asyncio.sleep(0.01)
    return "done"
'''


def write_project(directory: Path, release: str = "one", addition: str = "") -> Path:
    directory.mkdir(exist_ok=True)
    (directory / "entrepot.yaml").write_text(DECLARATION)
    (directory / "services.py").write_text(CODE.replace("RELEASE", release) + addition)
    return directory


def entrepot(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "entrepot", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def applied(project: Path) -> dict[str, Any]:
    ran = entrepot("apply", str(project), "--json")
    answer: dict[str, Any] = json.loads(ran.stdout)
    assert ran.returncode == (0 if answer["ok"] else 1)
    return answer


def eventually(condition: Any, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def processes(project: Path) -> dict[str, status.ProcessStatus]:
    now = status.read(directories.layout_of(project))
    return dict(now.processes) if now else {}


def pid_of(project: Path, prefix: str) -> int:
    return next((each.pid for name, each in processes(project).items() if name.startswith(prefix)), 0)


def served(running: Running) -> Any:
    """The release that answers; None while none does."""
    try:
        return running.rpc("api.version").get("result")
    except (OSError, ValueError):
        return None


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    project = write_project(tmp_path_factory.mktemp("running") / "api")
    with running_project(project, command="serve") as running:
        eventually(lambda: pid_of(project, "control"))
        yield running


@pytest.mark.parametrize("child", ["worker", "edge"])
def test_what_is_killed_comes_back(running: Running, child: str) -> None:
    serving, before = served(running), pid_of(running.project, child)
    os.kill(before, signal.SIGKILL)
    eventually(lambda: pid_of(running.project, child) not in (0, before))
    eventually(lambda: served(running) == serving)


UNAPPLIED = {
    "another body": CODE.replace("RELEASE", "unapplied"),
    "half saved": CODE + "\n\ndef half(",
    "another contract": CODE.replace("def process", "def renamed"),
}


@pytest.mark.parametrize("content", [*UNAPPLIED.values(), None], ids=[*UNAPPLIED, "removed"])
def test_a_worker_that_is_killed_comes_back_with_the_code_of_its_release(running: Running, content: str | None) -> None:
    serving, before = served(running), pid_of(running.project, "worker")
    file = running.project / "services.py"
    applied_code = file.read_text()
    file.unlink() if content is None else file.write_text(content)
    os.kill(before, signal.SIGKILL)
    eventually(lambda: pid_of(running.project, "worker") not in (0, before))
    eventually(lambda: served(running) == serving)
    assert running.rpc("api.process")["result"] == pid_of(running.project, "worker")
    assert running.get(READY_PATH).status == 200
    file.write_text(applied_code)


def test_nobody_waits_for_workers_that_keep_failing(tmp_path: Path) -> None:
    project = write_project(tmp_path / "api")
    with running_project(project, command="serve") as running:
        kept = directories.layout_of(project).files
        aside = kept.rename(kept.with_name("aside"))
        os.kill(pid_of(project, "worker"), signal.SIGKILL)
        eventually(lambda: any(each.ends > FAILURES_IN_VAIN for each in processes(project).values()))
        answer = running.get("/jsonrpc")
        assert (answer.status, answer.json()["kind"]) == (503, "unavailable")
        aside.rename(kept)
        eventually(lambda: served(running) == "one")


def test_a_release_that_cannot_be_kept_leaves_everything_serving(running: Running) -> None:
    serving, before = served(running), pid_of(running.project, "worker")
    files = directories.layout_of(running.project).files
    write_project(running.project, "unkept", "\n\n@api.operation()\nasync def added() -> None: ...\n")
    aside = files.rename(files.with_name("aside"))
    files.touch()  # no directory, as a disk that is full or read only: nothing can be written there
    answer = applied(running.project)
    files.unlink()
    aside.rename(files)
    assert (answer["state"], "files" in answer["reason"]) == ("rejected", True), answer
    os.kill(before, signal.SIGKILL)
    eventually(lambda: pid_of(running.project, "worker") not in (0, before))
    eventually(lambda: served(running) == serving)
    write_project(running.project, serving)
    assert applied(running.project)["state"] == "unchanged"


def test_a_killed_control_comes_back_and_nobody_notices(running: Running) -> None:
    serving = running.rpc("api.version")["result"]
    before = pid_of(running.project, "control")
    with checked_load(running.port, "api.version", lambda result: result == serving) as load:
        os.kill(before, signal.SIGKILL)
        eventually(lambda: pid_of(running.project, "control") not in (0, before))
        load.until_more(50)
    assert load.failures == []
    assert applied(running.project)["state"] == "unchanged"


def test_a_second_supervisor_is_told_who_runs(running: Running) -> None:
    second = entrepot("serve", str(running.project), "--port", str(free_port()))
    assert second.returncode == 1
    assert f"the project is already running (pid {running.process.pid})" in second.stderr
    assert "entrepot apply" in second.stderr


def test_new_code_goes_live_without_a_failed_request(running: Running) -> None:
    worker = running.rpc("api.process")["result"]
    with checked_load(running.port, "api.version", lambda result: result in ("one", "two")) as load:
        load.until_more(50)
        write_project(running.project, "two")
        answer = applied(running.project)
        assert (answer["state"], answer["workers_replaced"]) == ("live", True), answer
        assert running.rpc("api.version")["result"] == "two"
        load.until_more(100)
    assert load.failures == []
    assert running.rpc("api.process")["result"] != worker
    eventually(lambda: len([name for name in processes(running.project) if name.startswith("worker")]) == 1)


def test_a_request_in_progress_is_answered_by_the_workers_that_began_it(running: Running, tmp_path: Path) -> None:
    gate, results = tmp_path / "gate", []
    calling = threading.Thread(target=lambda: results.append(running.rpc("api.wait_for", path=str(gate))))
    calling.start()
    eventually(Path(f"{gate}.begun").exists)
    write_project(running.project, "two and a half")
    assert applied(running.project)["state"] == "live"
    assert served(running) == "two and a half"
    gate.touch()
    calling.join()
    assert results[0]["result"] == "done"


def test_code_that_does_not_compile_changes_nothing(running: Running) -> None:
    serving = running.rpc("api.version")["result"]
    (running.project / "services.py").write_text("def broken(:\n")
    with checked_load(running.port, "api.version", lambda result: result == serving) as load:
        answer = applied(running.project)
        load.until_more(20)
    assert answer["state"] == "refused"
    assert [(d["file"], d["line"]) for d in answer["diagnostics"]] == [("services.py", 1)]
    assert load.failures == []


FAILS_IN_A_WORKER = """

class Ledger:
    pass


@api.resource(scope="application")
def ledger() -> Iterator[Ledger]:
    raise RuntimeError("the ledger is locked")
    yield
"""


def test_workers_that_do_not_start_leave_the_old_ones_serving(running: Running) -> None:
    serving = running.rpc("api.version")["result"]
    write_project(running.project, "three", FAILS_IN_A_WORKER)
    with checked_load(running.port, "api.version", lambda result: result == serving) as load:
        answer = applied(running.project)
        load.until_more(20)
    assert answer["state"] == "rejected"
    assert "the ledger is locked" in answer["reason"]
    assert load.failures == []
    eventually(lambda: len([name for name in processes(running.project) if name.startswith("worker")]) == 1)


def test_a_project_that_does_not_run_cannot_be_applied(tmp_path: Path) -> None:
    ran = entrepot("apply", str(write_project(tmp_path / "idle")))
    assert ran.returncode == 1
    assert "is not running" in ran.stderr
    [said] = applied(tmp_path / "idle")["diagnostics"]
    assert (said["code"], said["remedy"]) == ("E914", "Start it first: `entrepot serve` or `entrepot dev`.")


def test_whoever_sees_it_serve_can_ask_control(tmp_path: Path) -> None:
    project, port = write_project(tmp_path / "api"), free_port()
    with subprocess.Popen([sys.executable, "-m", "entrepot", "serve", str(project), "--port", str(port)]) as process:
        try:
            eventually(lambda: _opens(port, LIVE_PATH))
            with socket.socket(socket.AF_UNIX) as control:
                control.connect(str(directories.layout_of(project).control_socket))
        finally:
            process.terminate()


def _opens(port: int, path: str) -> bool:
    try:
        return bool(urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=1).status == 200)
    except OSError:
        return False


def test_sigterm_lets_a_request_finish(tmp_path: Path) -> None:
    project = write_project(tmp_path / "api")
    gate = tmp_path / "gate"
    results: list[Any] = []
    with running_project(project, command="serve") as running:
        calling = threading.Thread(target=lambda: results.append(running.rpc("api.wait_for", path=str(gate))))
        calling.start()
        eventually(Path(f"{gate}.begun").exists)
        running.process.send_signal(signal.SIGTERM)
        eventually(lambda: running.get("/-/ready").status == 503)
        gate.touch()
        calling.join()
        assert running.process.wait(30) == 0
    assert results[0]["result"] == "done"
    assert processes_of(project) == []
    assert not directories.layout_of(project).run.exists()


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    project = write_project(tmp_path / "api")
    gate = tmp_path / "gate"
    with running_project(project, command="serve") as running:
        calling = threading.Thread(target=lambda: _quietly(running.rpc, "api.wait_for", path=str(gate)))
        calling.start()
        eventually(Path(f"{gate}.begun").exists)
        running.process.send_signal(signal.SIGINT)
        eventually(lambda: running.get("/-/ready").status == 503)
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(30) == 130
        calling.join()
        assert "Traceback" not in running.printed()
    assert processes_of(project) == []


def test_ctrl_c_is_how_dev_is_ended(tmp_path: Path) -> None:
    with running_project(write_project(tmp_path / "api")) as running:
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(30) == 0


def test_a_killed_supervisor_takes_all_with_it_and_can_start_again(tmp_path: Path) -> None:
    project = write_project(tmp_path / "api")
    with running_project(project, command="serve") as running:
        running.process.kill()
        running.process.wait()
        eventually(lambda: processes_of(project) == [])
    with running_project(project, command="serve") as running:
        assert running.rpc("api.version")["result"] == "one"


def test_the_edge_that_keeps_failing_gets_its_last_good_files_back(running: Running) -> None:
    serving = served(running)
    bootstrap = directories.layout_of(running.project).edge / "bootstrap.json"
    bootstrap.write_text("{")
    os.kill(pid_of(running.project, "edge"), signal.SIGKILL)
    eventually(lambda: "its last good files are back" in running.printed())
    eventually(lambda: served(running) == serving)


def test_workers_that_never_start_end_the_start_with_their_words(tmp_path: Path) -> None:
    project = write_project(tmp_path / "api", addition=FAILS_IN_A_WORKER)
    ran = entrepot("serve", str(project), "--port", str(free_port()))
    assert ran.returncode == 1
    assert "the ledger is locked" in ran.stderr
    assert processes_of(project) == []


def test_the_last_good_release_starts_when_what_is_on_disk_does_not_compile(tmp_path: Path) -> None:
    project = write_project(tmp_path / "api")
    with running_project(project, command="serve") as running:
        eventually(lambda: Releases(directories.layout_of(project)).live())
        running.process.kill()
    (project / "entrepot.yaml").write_text("nonsense")
    refused = entrepot("serve", str(project), "--port", str(free_port()))
    assert refused.returncode == 1
    assert "--last-good" in refused.stderr
    with running_project(project, "--last-good", command="serve", port=running.port) as running:
        assert served(running) == "one"
        running.process.kill()


def test_what_is_saved_is_brought_live_without_a_failed_request(tmp_path: Path) -> None:
    project = write_project(tmp_path / "api")
    with running_project(project, "--watch") as running:
        eventually(lambda: pid_of(project, "control"))
        assert "a change is brought live as it is saved" in running.printed("as it is saved")
        with checked_load(running.port, "api.version", lambda result: result in ("one", "two", "three")) as load:
            write_project(project, "two")
            eventually(lambda: served(running) == "two")
            (project / "services.py").write_text("def half(")
            assert "nothing was changed" in running.printed("nothing was changed")
            assert served(running) == "two"
            write_project(project, "three")
            eventually(lambda: served(running) == "three")
            load.until_more(50)
        assert load.failures == []
        assert "release 2 is live after" in running.printed("release 3 is live")


def test_releases_are_listed_compared_and_rolled_back_to(tmp_path: Path) -> None:
    project = write_project(tmp_path / "api")
    with running_project(project, command="serve") as running:
        eventually(lambda: pid_of(project, "control"))
        write_project(project, "two")
        assert applied(project)["number"] == 2
        write_project(project, "unapplied", "\n\n@api.operation()\nasync def added() -> None: ...\n")
        compared = entrepot("diff", "--project", str(project)).stdout.splitlines()
        assert compared == ["+ operation api.added", "~ file services.py", "1 added, 1 changed"]
        between = json.loads(entrepot("diff", "1", "2", "--project", str(project), "--json").stdout)
        assert [(each["kind"], each["what"]) for each in between["differences"]] == [("changed", "files.services.py")]
        with checked_load(running.port, "api.version", lambda result: result in ("one", "two")) as load:
            load.until_more(20)
            ran = entrepot("rollback", "--project", str(project), "--json")
            load.until_more(50)
        assert load.failures == []
        back = json.loads(ran.stdout)
        assert (ran.returncode, back["state"], back["number"], back["again"]) == (0, "live", 3, 1)
        assert served(running) == "one"
        missing = entrepot("rollback", "7", "--project", str(project))
        assert (missing.returncode, missing.stderr) == (1, "error: release 7 is not kept; those kept: 1, 2, 3\n")
    listed = json.loads(entrepot("releases", str(project), "--json").stdout)
    assert [(each["number"], each["state"], each.get("again")) for each in listed["releases"]] == [
        (3, "live", 1), (2, "replaced", None), (1, "replaced", None)
    ]  # fmt: skip
    assert len({each["digest"] for each in listed["releases"]}) == 2
    [first, *_] = entrepot("releases", str(project)).stdout.splitlines()
    assert first.startswith("*  3  live")
    assert first.endswith("release 1 again; held")


def test_what_was_rolled_back_to_stays_when_the_project_is_started_again(tmp_path: Path) -> None:
    project = write_project(tmp_path / "api")
    with running_project(project, command="serve") as running:
        eventually(lambda: pid_of(project, "control"))
        write_project(project, "two")
        applied(project)
        assert entrepot("rollback", "--project", str(project)).returncode == 0
    with running_project(project, command="serve", port=running.port) as running:
        assert served(running) == "one"
        assert "release 3 is held since a rollback" in running.printed("held")
        eventually(lambda: pid_of(project, "control"))
        assert applied(project)["state"] == "live"
        assert served(running) == "two"
    with running_project(project, command="serve", port=running.port) as running:
        assert served(running) == "two"
    Releases(directories.layout_of(project)).go_live(Live(4, 4, held=True))
    Releases(directories.layout_of(project)).path(4).unlink()
    ran = entrepot("serve", str(project), "--port", str(running.port))
    assert ran.returncode == 1
    assert "release 4 is held since a rollback, and is lost" in ran.stderr
    with running_project(project, command="dev", port=running.port) as running:
        assert served(running) == "two"


def test_a_release_of_another_file_of_the_directory_is_not_brought_back(tmp_path: Path) -> None:
    for name in "ab":
        code = f'from entrepot import Service\n\n{name} = Service("{name}")\n\n@{name}.get("/who")\n'
        (tmp_path / f"{name}.py").write_text(f'{code}def who() -> str:\n    return "{name}"\n')
        with running_project(tmp_path / f"{name}.py") as running:
            eventually(lambda: pid_of(tmp_path, "control"))
            if name == "b":
                ran = entrepot("rollback", "--project", str(tmp_path / "b.py"))
                assert running.get("/api/b/v1/who").body == b'"b"'
    assert ran.returncode == 1
    assert "E931: the release was made by `entrepot dev a.py`, and this is `entrepot dev b.py`" in ran.stderr
    listed = json.loads(entrepot("releases", str(tmp_path), "--json").stdout)["releases"]
    assert [(each["mode"], each["target"]) for each in listed] == [("dev", "b.py"), ("dev", "a.py")]
    assert "dev a.py" in entrepot("releases", str(tmp_path)).stdout.splitlines()[1]


def test_a_release_of_another_versions_form_is_refused_and_compiled_anew(tmp_path: Path) -> None:
    project = write_project(tmp_path / "api")
    releases = Releases(directories.layout_of(project))
    with running_project(project, command="serve") as running:
        eventually(releases.live)
        running.process.kill()
    stored = json.loads(releases.path(1).read_bytes())
    [table] = stored["worker"]["services"]
    table["left_out"] = table.pop("refused")
    releases.path(1).write_text(json.dumps(stored))
    refused = entrepot("serve", str(project), "--last-good", "--port", str(free_port()))
    assert refused.returncode == 1
    assert "another version wrote it" in refused.stderr
    with running_project(project, command="serve", port=running.port) as running:
        assert served(running) == "one"
        running.process.kill()
    assert releases.read(2).worker.services[0].refused == {}


def test_there_is_no_last_good_release_at_first(tmp_path: Path) -> None:
    ran = entrepot("serve", str(write_project(tmp_path / "api")), "--last-good")
    assert ran.returncode == 1
    assert ran.stderr == "error: no release of this project has served yet; start it without --last-good\n"


def test_a_taken_port_is_named(running: Running, tmp_path: Path) -> None:
    ran = entrepot("serve", str(write_project(tmp_path / "other")), "--port", str(running.port))
    assert ran.returncode == 1
    assert f"cannot listen on 127.0.0.1:{running.port}: Address already in use" in ran.stderr


def test_one_worker_serves_alone_and_says_what_is_missing(tmp_path: Path) -> None:
    project = write_project(tmp_path / "api")
    port = free_port()
    command = [sys.executable, "-m", "entrepot", "serve", str(project), "--edge", "none", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{port}" in process.stdout.readline()
        alone = Running(port, process, project, None)  # type: ignore[arg-type]
        assert alone.rpc("api.version")["result"] == "one"
        for path in (READY_PATH, LIVE_PATH):
            assert alone.get(path).status == 200
        [said] = applied(project)["diagnostics"]
        assert (said["code"], said["remedy"][:27]) == ("E914", "Stop it and start it again:")
        assert "runs without an edge" in said["message"]
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "missing without an edge: connection limits" in errors


def processes_of(project: Path) -> list[str]:
    """Command lines of running processes that name the project or its sockets."""
    run = str(directories.layout_of(project).run)
    found = []
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit():
            try:
                line = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(project) in line or run in line:
                found.append(line)
    return found


def _quietly(call: Any, *arguments: Any, **named: Any) -> None:
    try:
        call(*arguments, **named)
    except (OSError, ValueError):
        return
