"""The project of `tests/attack` as it runs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from support.bad_upstream import BadUpstream
from support.processes import edge_of, workers_of
from support.raw_client import RawClient
from support.running import Running

API = "/api/target/v1"
PATIENCE = 20.0
"""Seconds after which a test that waits has failed."""


class Attacked(RawClient):
    """The project as it runs, its upstreams played by one that misbehaves."""

    def __init__(self, running: Running, upstream: BadUpstream) -> None:
        super().__init__(running.port)
        self.running = running
        self.upstream = upstream
        self.processes = [*workers_of(running), *workers_of(running, "old"), edge_of(running)]

    def logged(self, trace_id: str) -> dict[str, Any]:
        """The worker's line about an error; it takes its way through the supervisor into the log."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            lines = [line for line in self._log_lines() if trace_id in line and '"level":"error"' in line]
            if lines:
                [line] = lines
                return dict(json.loads(line))
            time.sleep(0.01)
        raise AssertionError(f"nothing was logged about {trace_id}")

    def _log_lines(self) -> Iterator[str]:
        for file in (self.running.project / ".entrepot" / "logs").iterdir():
            yield from file.read_text(errors="replace").splitlines()
