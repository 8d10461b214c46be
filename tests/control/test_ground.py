"""Directories, files, sockets and the lock: what nobody else may reach, and nobody may find half done."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from entrepot.control import directories, lock, sockets
from entrepot.control.directories import Insecure
from entrepot.control.lock import AlreadyRunning
from entrepot.control.sockets import PortTaken
from entrepot.kit.files import replace_file
from support.running import free_port


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> directories.Layout:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    project = tmp_path / "project"
    project.mkdir()
    return directories.layout_of(project)


def test_all_directories_are_private(layout: directories.Layout) -> None:
    directories.create(layout)
    for directory in (layout.state, layout.run, layout.releases, layout.edge, layout.logs):
        assert mode(directory) == 0o700


def test_state_is_kept_out_of_version_control(layout: directories.Layout) -> None:
    directories.create(layout)
    assert (layout.state / ".gitignore").read_text() == "*\n"


def test_an_open_directory_is_closed(layout: directories.Layout) -> None:
    layout.run.mkdir(mode=0o755)
    directories.create(layout)
    assert mode(layout.run) == 0o700


def test_a_link_that_somebody_laid_is_refused(layout: directories.Layout, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    layout.run.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Insecure, match="not a directory of yours"):
        directories.create(layout)


def test_a_deep_project_still_has_short_socket_names(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-long-directory-name"] * 10)
    deep.mkdir(parents=True)
    name = directories.layout_of(deep).worker_socket("000001", "operations", 0)
    assert len(os.fsencode(name)) <= 107


def test_two_ways_to_one_project_are_one(layout: directories.Layout, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(layout.project)
    assert directories.layout_of(tmp_path / "link") == layout


def test_a_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "live.json"
    replace_file(path, b"old")
    replace_file(path, b"new", durable=False)
    assert path.read_bytes() == b"new"
    assert mode(path) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "live.json"
    replace_file(path, b"old")

    def full(_descriptor: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("one.py", rf"the project is already running \(pid {os.getpid()}\)"),
        ("two.py", rf"one.py of this directory is already running \(pid {os.getpid()}\).* give two.py a directory"),
    ],
)
def test_a_second_holder_is_told_who_is_first(tmp_path: Path, wanted: str, told: str) -> None:
    path = tmp_path / "lock"
    with lock.held(path, "one.py"), pytest.raises(AlreadyRunning, match=told), lock.held(path, wanted):
        pass


def test_the_lock_ends_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    program = "import sys, os; from pathlib import Path; from entrepot.control import lock\n"
    program += "with lock.held(Path(sys.argv[1]), 'one.py'): os.kill(os.getpid(), 9)"
    holder = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert holder.returncode == -9
    with lock.held(path, "one.py"):
        assert path.read_text() == f"{os.getpid()} one.py"


def test_the_lock_is_the_same_wherever_the_run_directory_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layouts = []
    for directory in ("one", "other"):
        monkeypatch.setattr("tempfile.gettempdir", lambda directory=directory: str(tmp_path / directory))
        layouts.append(directories.layout_of(tmp_path))
    assert layouts[0].run != layouts[1].run
    assert layouts[0].lock == layouts[1].lock


def test_a_unix_socket_is_private_and_replaces_a_stale_one(tmp_path: Path) -> None:
    path = tmp_path / "w.sock"
    sockets.listen_unix(path).close()
    with sockets.listen_unix(path) as listener, socket.socket(socket.AF_UNIX) as client:
        assert mode(path) == 0o600
        client.connect(str(path))
        sockets.unlink(listener)
        assert not path.exists()
        assert listener.accept()[0].fileno() > 0


@pytest.mark.parametrize(("level", "said"), [("", "with --port$"), ("1", "PORT=9000.*--port$")])
def test_a_taken_port_is_told_with_what_chooses_another(monkeypatch: pytest.MonkeyPatch, level: str, said: str) -> None:
    monkeypatch.delenv("MAKELEVEL", raising=False)
    if level:
        monkeypatch.setenv("MAKELEVEL", level)
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(PortTaken, match=said):
        sockets.require_free(*other.getsockname())


def test_a_taken_port_is_refused_even_when_it_may_be_shared() -> None:
    port = free_port()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(PortTaken, match=rf"127\.0\.0\.1:{port}: Address already in use"):
            sockets.require_free("127.0.0.1", port)
    sockets.require_free("127.0.0.1", port)


async def test_who_waits_in_vain_is_turned_away_until_there_is_hope(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with sockets.listen_unix(path) as listener:
        waiting, _ = await asyncio.open_unix_connection(str(path))
        with sockets.turned_away(listener):
            assert await waiting.read() == b""
            late, _ = await asyncio.open_unix_connection(str(path))
            assert await late.read() == b""
        patient, writer = await asyncio.open_unix_connection(str(path))
        connection, _ = await asyncio.get_running_loop().sock_accept(listener)
        connection.sendall(b"hello")
        assert await patient.read(5) == b"hello"
        connection.close()
        writer.close()
