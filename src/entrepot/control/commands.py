"""The command lines of the processes that the supervisor starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from entrepot.control.child import Command
from entrepot.control.workers import WorkerId

_OURS = (sys.executable, "-P", "-m", "entrepot")
"""-P: a project's `types.py` must not stand in for the standard library's."""


class Programs(msgspec.Struct, frozen=True, kw_only=True):
    """What tells one running project's processes from another's."""

    project: Path
    kept: Path
    """The directory with the files of releases."""
    drain: float
    """Seconds that a worker may take to finish what is in progress."""
    egress_socket: Path | None = None
    control_arguments: tuple[str, ...] = ()
    """What control must compile with, as the supervisor did: target, address, number of workers."""

    def worker(self, worker: WorkerId, release_file: Path, descriptor: int) -> Command:
        """A worker of a release, listening on an inherited socket."""
        arguments = [
            "--release", str(release_file), "--pool", worker.pool, "--fd", str(descriptor),
            "--project", str(self.project), "--kept", str(self.kept),
            "--egress", str(self.egress_socket or ""), "--drain", str(self.drain),
        ]  # fmt: skip
        return Command(
            name=str(worker),
            log=f"worker-{worker.pool}-{worker.position}",
            argv=(*_OURS, "worker", *arguments),
            directory=self.project,
            environment=_environment(),
            descriptors=(descriptor,),
        )

    def control(self, descriptor: int, notify: int) -> Command:
        """Control, listening on an inherited socket; a byte written to `notify` reaches the supervisor."""
        arguments = ("--fd", str(descriptor), "--notify", str(notify), *self.control_arguments)
        return Command(
            name="control",
            log="control",
            argv=(*_OURS, "control", *arguments),
            directory=self.project,
            environment=_environment(),
            descriptors=(descriptor, notify),
        )

    def edge(self, name: str, argv: Sequence[str], environment: Mapping[str, str]) -> Command:
        """Envoy; it writes its log itself, this one holds what it says before it can."""
        return Command(name=name, log="edge-start", argv=tuple(argv), directory=self.project, environment=environment)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1"}
