"""The processes of a running project, and the memory that each has taken."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from support.running import Running

MIB = 1024 * 1024


@dataclass(frozen=True)
class Process:
    """A process by its id, with what it was started as."""

    id: int
    command: str

    @property
    def memory(self) -> int:
        """Octets it holds now."""
        return self._status("VmRSS")

    @property
    def memory_peak(self) -> int:
        """Most octets it has held since `forget_peak`."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        """Measure the peak from here on."""
        Path(f"/proc/{self.id}/clear_refs").write_text("5")

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self.id}/status").read_text().splitlines()
        [line] = [line for line in lines if line.startswith(f"{name}:")]
        return int(line.split()[1]) * 1024


def processes_of(running: Running) -> list[Process]:
    """All processes below the command that was started."""
    found: list[Process] = []
    pending = [running.process.pid]
    while pending:
        parent = pending.pop()
        for task in Path(f"/proc/{parent}/task").iterdir():
            pending += [int(child) for child in (task / "children").read_text().split()]
        command = Path(f"/proc/{parent}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        found.append(Process(parent, command))
    return found


def workers_of(running: Running, pool: str = "operations") -> list[Process]:
    """The worker processes of a pool."""
    return [each for each in processes_of(running) if " worker " in each.command and f"--pool {pool} " in each.command]


def edge_of(running: Running) -> Process:
    """Envoy."""
    [edge] = [each for each in processes_of(running) if "envoy" in each.command.split(" ")[0]]
    return edge
