"""How the processes are: kept by the supervisor in a file, read by control."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from entrepot.control.events import Ended, Event, Serving, Started, Stopped
from entrepot.ir.layout import Layout
from entrepot.kit.files import replace_file


class ProcessStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One process."""

    name: str
    state: Literal["running", "waiting"]
    """Waiting: it ended and will be started again."""
    pid: int = 0
    ends: int = 0
    """How often it ended without being told to."""
    cause: str = ""
    """How it ended last, with its last words."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The running project."""

    supervisor: int
    """Its pid."""
    since: datetime
    edge: bool = True
    """Whether it runs behind one; without one nothing is applied while it runs."""
    serving: Serving | None = None
    """Which Envoy the edge is."""
    processes: dict[str, ProcessStatus] = {}


class Board:
    """Keeps the status file true as events arrive."""

    def __init__(self, layout: Layout, since: datetime, *, edge: bool = True) -> None:
        self._path = path_of(layout)
        self._since = since
        self._edge = edge
        self._serving: Serving | None = None
        self._processes: dict[str, ProcessStatus] = {}

    def observe(self, event: Event) -> None:
        """Take an event into account."""
        match event:
            case Started(name, pid):
                before = self._processes.get(name, ProcessStatus(name=name, state="running"))
                self._processes[name] = msgspec.structs.replace(before, state="running", pid=pid)
            case Ended(name):
                before = self._processes.get(name, ProcessStatus(name=name, state="waiting"))
                self._processes[name] = msgspec.structs.replace(
                    before, state="waiting", pid=0, ends=before.ends + 1, cause=event.cause
                )
            case Stopped(name):
                self._processes.pop(name, None)
            case Serving():
                self._serving = event
            case _:
                return
        self._write()

    def _write(self) -> None:
        status = Status(
            supervisor=os.getpid(),
            since=self._since,
            edge=self._edge,
            serving=self._serving,
            processes=self._processes,
        )
        replace_file(self._path, msgspec.json.encode(status), durable=False)


def path_of(layout: Layout) -> Path:
    """The status file's place: with the sockets, because it says nothing once the system has ended."""
    return layout.run / "status.json"


def read(layout: Layout) -> Status | None:
    """The last written status; None when there is none."""
    try:
        return msgspec.json.decode(path_of(layout).read_bytes(), type=Status)
    except FileNotFoundError:
        return None


def runs_without_edge(layout: Layout) -> bool:
    """Whether the project runs, and has no control process because it has no edge."""
    now = read(layout)
    return now is not None and not now.edge and _is_alive(now.supervisor)


def _is_alive(pid: int) -> bool:
    """A supervisor that was killed leaves its status file behind."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is another user's
        pass
    return True
