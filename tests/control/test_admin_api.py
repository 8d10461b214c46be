"""The admin API over its socket, and what a caller gets when nobody is there."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import uvicorn

from entrepot.control import directories, sockets
from entrepot.control.applying import Applied, Unapplied
from entrepot.control.client import ControlFailed, NotRunning, ask
from entrepot.control.differences import Difference
from entrepot.control.releases import NoSuchRelease, Releases
from entrepot.control.server import BODY_BYTES_MAX, AdminApi
from entrepot.ir.layout import Layout
from entrepot.wire.asgi import asgi_app
from support.virtual_clock import VirtualClock


class Applier:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.applied = 0

    async def apply(self) -> Applied:
        self.applied += 1
        return Applied(state="unchanged", number=self.applied)

    async def rollback(self, number: int) -> Applied:
        if number == 9:
            raise NoSuchRelease("release 9 is not kept")
        return Applied(state="live", number=5, again=number)

    async def unapplied(self, number: int) -> Unapplied:
        return Unapplied([Difference("port", "changed", number, 8080)])


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = msgspec.structs.replace(directories.layout_of(tmp_path), run=tmp_path / "run")
    directories.create(layout)
    return layout


@pytest.fixture
async def applier(layout: Layout) -> AsyncIterator[Applier]:
    applier = Applier()
    api = AdminApi(layout, "one.py", Releases(layout, VirtualClock()), applier)  # type: ignore[arg-type]
    listener = sockets.listen_unix(layout.control_socket)
    server = uvicorn.Server(uvicorn.Config(asgi_app(api), lifespan="off", log_level="critical"))
    serving = asyncio.create_task(server.serve([listener]))
    yield applier
    server.should_exit = True
    await serving


async def asked(layout: Layout, method: str, path: str, body: object = None) -> object:
    return await asyncio.to_thread(ask, layout, method, path, body)


async def test_applying_answers_what_became_of_it(layout: Layout, applier: Applier) -> None:
    answer = await asked(layout, "POST", "/apply", {"dir": str(layout.project)})
    assert msgspec.convert(answer, Applied) == Applied(state="unchanged", number=1)


async def test_another_project_is_not_applied_by_mistake(layout: Layout, applier: Applier) -> None:
    with pytest.raises(ControlFailed, match="not /elsewhere"):
        await asked(layout, "POST", "/apply", {"dir": "/elsewhere"})
    assert applier.applied == 0


async def test_another_file_of_the_project_is_not_applied_by_mistake(layout: Layout, applier: Applier) -> None:
    asks = {"dir": str(layout.project), "file": "two.py"}
    with pytest.raises(ControlFailed, match=r"serves one\.py, and two\.py is not what it serves"):
        await asked(layout, "POST", "/apply", asks)
    assert applier.applied == 0
    assert await asked(layout, "POST", "/apply", asks | {"file": "one.py"})


@pytest.mark.parametrize("body", [None, [], {"dir": 1}, {"dir": "x", "more": 1}, "x"])
async def test_a_body_that_is_no_request_is_refused(layout: Layout, applier: Applier, body: object) -> None:
    with pytest.raises(ControlFailed, match="the body must be"):
        await asked(layout, "POST", "/apply", body)
    assert applier.applied == 0


async def test_a_rollback_names_its_release(layout: Layout, applier: Applier) -> None:
    asks = {"dir": str(layout.project), "number": 3}
    assert msgspec.convert(await asked(layout, "POST", "/rollback", asks), Applied).again == 3
    with pytest.raises(ControlFailed, match="release 9 is not kept"):
        await asked(layout, "POST", "/rollback", asks | {"number": 9})
    with pytest.raises(ControlFailed, match="not /elsewhere"):
        await asked(layout, "POST", "/rollback", asks | {"dir": "/elsewhere"})


async def test_what_an_apply_would_change_is_asked_of_control(layout: Layout, applier: Applier) -> None:
    answer = await asked(layout, "POST", "/diff", {"dir": str(layout.project), "number": 3})
    assert msgspec.convert(answer, Unapplied).differences == [Difference("port", "changed", 3, 8080)]


async def test_a_body_without_end_is_cut_short(layout: Layout, applier: Applier) -> None:
    with pytest.raises(ControlFailed, match=f"longer than {BODY_BYTES_MAX} bytes"):
        await asked(layout, "POST", "/apply", {"dir": "x" * BODY_BYTES_MAX})


async def test_status_and_releases_are_there_from_the_start(layout: Layout, applier: Applier) -> None:
    assert await asked(layout, "GET", "/status") == {"live": None, "processes": None}
    assert await asked(layout, "GET", "/releases") == []


async def test_unknown_paths_and_methods_say_what_there_is(layout: Layout, applier: Applier) -> None:
    with pytest.raises(ControlFailed, match="try /apply, /rollback, /diff, /status or /releases"):
        await asked(layout, "GET", "/secrets")
    with pytest.raises(ControlFailed, match="/apply does not answer GET"):
        await asked(layout, "GET", "/apply")


def test_who_asks_a_project_that_does_not_run_is_told_how_to_start_it(layout: Layout) -> None:
    with pytest.raises(NotRunning, match="entrepot serve"):
        ask(layout, "GET", "/status")


def test_a_project_without_an_edge_that_was_killed_counts_as_not_running(layout: Layout) -> None:
    from entrepot.control import status

    ended = subprocess.Popen(["true"])
    ended.wait()
    for pid, said in ((os.getpid(), "runs without an edge"), (ended.pid, "is not running")):
        now = status.Status(supervisor=pid, since=VirtualClock().now(), edge=False)
        status.path_of(layout).write_bytes(msgspec.json.encode(now))
        with pytest.raises(NotRunning, match=said):
            ask(layout, "GET", "/status")


def test_a_socket_without_a_listener_counts_as_not_running(layout: Layout) -> None:
    sockets.listen_unix(layout.control_socket).close()
    with pytest.raises(NotRunning):
        ask(layout, "GET", "/status")


@pytest.mark.parametrize("answer", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nnot json"])
async def test_an_answer_that_is_none_is_a_failure_with_words(layout: Layout, answer: bytes) -> None:
    listener = sockets.listen_unix(layout.control_socket)
    listener.setblocking(False)

    async def speak() -> None:
        loop = asyncio.get_running_loop()
        connection, _ = await loop.sock_accept(listener)
        await loop.sock_recv(connection, 4096)
        await loop.sock_sendall(connection, answer)
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    speaking = asyncio.create_task(speak())
    with pytest.raises(ControlFailed, match="control did not answer"):
        await asked(layout, "GET", "/status")
    await speaking
    listener.close()


def test_the_status_of_processes_is_plain_json(layout: Layout) -> None:
    from entrepot.control import status
    from entrepot.control.events import Ended, Started, Stopped

    board = status.Board(layout, VirtualClock().now())
    board.observe(Started("edge", 11))
    board.observe(Started("worker", 12))
    board.observe(Ended("worker", -11, 1, 0.1, ("last words",)))
    board.observe(Started("gone", 13))
    board.observe(Stopped("gone"))
    now = status.read(layout)
    assert now is not None
    assert {name: (each.state, each.pid, each.ends) for name, each in now.processes.items()} == {
        "edge": ("running", 11, 0),
        "worker": ("waiting", 0, 1),
    }
    assert now.processes["worker"].cause == "worker was ended by signal 11:\n    last words"
    assert json.loads(status.path_of(layout).read_bytes())["supervisor"] == now.supervisor
