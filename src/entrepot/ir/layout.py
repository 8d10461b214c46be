"""Where things are while the system runs: one place that edge, workers and control agree on.

`state` keeps the lock and what must survive a restart (releases, the edge's files, the last good of each);
`run` holds sockets, in a short path because a Unix socket's name has 107 octets at most.
Both are directories of mode 0700.
"""

from __future__ import annotations

from pathlib import Path

import msgspec


class Layout(msgspec.Struct, frozen=True):
    """The directories of one running project."""

    project: Path
    state: Path
    run: Path

    @property
    def releases(self) -> Path:
        """One file for each release, `000001.json`."""
        return self.state / "releases"

    @property
    def files(self) -> Path:
        """The content of every file that a kept release runs on, named by its SHA-256."""
        return self.state / "files"

    @property
    def edge(self) -> Path:
        """Envoy's files: the bootstrap, and one directory for each discovered resource."""
        return self.state / "edge"

    @property
    def logs(self) -> Path:
        """One log file for each process."""
        return self.state / "logs"

    @property
    def lock(self) -> Path:
        """Held by the supervisor, so that there is one, whichever run directory its environment gives it."""
        return self.state / "lock"

    @property
    def processes(self) -> Path:
        """The worker generations that control wants; the supervisor makes it so."""
        return self.state / "processes.json"

    @property
    def egress_socket(self) -> Path:
        """Where workers reach upstreams."""
        return self.run / "egress.sock"

    @property
    def edge_admin_socket(self) -> Path:
        """Envoy's admin interface."""
        return self.run / "edge-admin.sock"

    @property
    def control_socket(self) -> Path:
        """The admin API."""
        return self.run / "control.sock"

    def worker_socket(self, generation: str, pool: str, index: int) -> Path:
        """The socket of one worker process."""
        return self.run / f"{generation}-{pool}-{index}.sock"
