"""How soon a changed route is live, what each route costs, and whether the last is as quick as the first.

    python -m bench.delivery

Projects of 100, 3,000 and 10,000 pass-through routes to a tenth as many upstreams. One route after the other gets
another address; `entrepot apply` tells how long each part took. The route that was changed is asked at once.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.contenders import ROOT, SHARED_UPSTREAM, free_port, shared_upstream, spawn
from bench.cpu import cpu_seconds, resident_bytes, tree
from bench.load import Load, run
from bench.start import answered, role

SIZES = (100, 3_000, 10_000)
CHANGES = 20
DELIVERED_SECONDS = {100: 0.05, 10_000: 0.3}
COMPILED_SECONDS = 0.1
LAST_TO_FIRST = 1.1
ROUNDS = 5
CONNECTIONS = 32


@dataclass(frozen=True)
class Change:
    """Seconds that an apply took."""

    compile: float
    validate: float
    deliver: float
    edge: float
    """CPU of the edge."""

    @property
    def live(self) -> float:
        """From the beginning until it was live."""
        return self.compile + self.validate + self.deliver


@dataclass(frozen=True)
class Size:
    """What was measured of a project of so many routes."""

    cold: float
    """Seconds of the first compile after the start."""
    changes: list[Change]
    memory: dict[str, float]
    """Resident MiB by process."""
    last_to_first: list[float]
    """By round: CPU of the edge for a request by the last route, to that by the first."""

    def median(self, part: str) -> float:
        return statistics.median(getattr(change, part) for change in self.changes)

    def most(self, part: str) -> float:
        return max(getattr(change, part) for change in self.changes)


def report(seconds: float) -> dict[str, object]:
    """Each size measured, as rows of a table and verdicts."""
    with shared_upstream(core=0):
        sizes = {routes: _measured(routes, seconds if routes == SIZES[-1] else 0) for routes in SIZES}
    rows = [
        [
            f"{routes:,}",
            *(_figure(size, part) for part in ("compile", "validate", "deliver", "live", "edge")),
            _memory(size),
        ]
        for routes, size in sizes.items()
    ]
    return {
        "title": f"Delivery: one changed route, {CHANGES} times; ms, median (most)",
        "head": [
            "routes",
            "compile",
            "validate",
            "deliver",
            "live after",
            "CPU of the edge",
            "idle memory of edge, control, MiB",
        ],
        "rows": rows,
        "notes": [*_verdicts(sizes), *_costs(sizes)],
    }


def _figure(size: Size, part: str) -> str:
    return f"{size.median(part) * 1000:.0f} ({size.most(part) * 1000:.0f})"


def _memory(size: Size) -> str:
    return f"{size.memory['envoy']:.0f}, {size.memory['control']:.0f}"


def _verdicts(sizes: dict[int, Size]) -> Iterator[str]:
    for routes, bar in DELIVERED_SECONDS.items():
        found = sizes[routes].median("deliver")
        yield _verdict(
            f"delivered within {bar * 1000:.0f} ms at {routes:,} routes: {found * 1000:.0f} ms", found <= bar
        )
    compiled, ratio = sizes[SIZES[-1]].median("compile"), statistics.median(sizes[SIZES[-1]].last_to_first)
    bar = f"one changed route of {SIZES[-1]:,} compiled within {COMPILED_SECONDS * 1000:.0f} ms"
    yield _verdict(f"{bar}: {compiled * 1000:.0f} ms", compiled <= COMPILED_SECONDS)
    bar = f"CPU of the edge by the last of {SIZES[-1]:,} routes ≤ {LAST_TO_FIRST} × by the first"
    yield _verdict(f"{bar}: {ratio:.2f}", ratio <= LAST_TO_FIRST)


def _verdict(bar: str, met: bool) -> str:
    return f"{'met' if met else 'MISSED'}: {bar}"


def _costs(sizes: dict[int, Size]) -> Iterator[str]:
    few, many = sizes[SIZES[0]], sizes[SIZES[-1]]
    thousands = (SIZES[-1] - SIZES[0]) / 1000
    for process, name in (("envoy", "edge"), ("control", "control")):
        each = (many.memory[process] - few.memory[process]) / thousands
        yield f"Memory of 1,000 routes and 100 upstreams in the {name}: {each:.1f} MiB."
    yield f"The first compile after a start, of {SIZES[-1]:,} routes: {many.cold * 1000:.0f} ms."


def _measured(routes: int, seconds: float) -> Size:
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        project = Path(scratch)
        _declare(project, routes)
        with _served(project) as (port, pid, cold):
            pids = {role(each): each for each in tree(pid)}
            envoy = next(name for name in pids if "envoy" in name)
            ratios = [_last_to_first(pids[envoy], port, routes, seconds) for _ in range(ROUNDS if seconds else 0)]
            changes = [_changed(project, port, pids[envoy], routes, number) for number in range(CHANGES)]
            time.sleep(1)
            memory = {"envoy": pids[envoy], "control": pids["control"]}
            resident = {name: resident_bytes([each]) / 2**20 for name, each in memory.items()}
            return Size(cold, changes, resident, ratios)


def _declare(project: Path, routes: int, changed: int = -1) -> None:
    """The project, one of whose routes has another address."""
    upstreams = range(routes // 10)
    lines = ["entrepot: 1", "name: bench", "upstreams:"]
    lines += [f'  u{each}: {{url: "http://127.0.0.1:{os.environ[SHARED_UPSTREAM]}"}}' for each in upstreams]
    lines += ["routes:"]
    for number in range(routes):
        path = f"/changed{number}" if number == changed else f"/service{number}"
        lines.append(f'  - {{path: "{path}/*", upstream: u{number % len(upstreams)}, strip_prefix: true}}')
    (project / "entrepot.yaml").write_text("\n".join([*lines, ""]))


@contextmanager
def _served(project: Path) -> Iterator[tuple[int, int, float]]:
    """Its port, the process that began it, and the seconds of its first compile by control."""
    port = free_port()
    command = [sys.executable, "-m", "entrepot", "serve", str(project), "--port", str(port)]
    with spawn(["taskset", "-c", "0", *command]) as process:
        answered(f"http://127.0.0.1:{port}/-/ready")
        while (applied := _apply(project))["state"] != "unchanged":  # control starts after the rest
            time.sleep(0.1)
        yield port, process.pid, applied["parts"]["compile"]


def _changed(project: Path, port: int, envoy: int, routes: int, number: int) -> Change:
    changed = number * routes // CHANGES
    _declare(project, routes, changed)
    before = cpu_seconds([envoy])
    applied = _apply(project)
    used = cpu_seconds([envoy]) - before
    if applied["state"] != "live":
        raise RuntimeError(f"the change was not brought live: {applied}")
    urllib.request.urlopen(f"http://127.0.0.1:{port}/changed{changed}/items/7", timeout=5).read()
    return Change(*(applied["parts"][part] for part in ("compile", "validate", "deliver")), edge=used)


def _apply(project: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "entrepot", "apply", str(project), "--json"]
    ours = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=ours)
    return {"state": "", **json.loads(ran.stdout)}


def _last_to_first(envoy: int, port: int, routes: int, seconds: float) -> float:
    used = [_cpu(envoy, port, f"/service{number}/items/7", seconds) for number in (0, routes - 1)]
    return used[1] / used[0]


def _cpu(envoy: int, port: int, path: str, seconds: float) -> float:
    before = cpu_seconds([envoy])
    requests = run(Load(path), port, seconds=seconds, connections=CONNECTIONS, core=1)
    return (cpu_seconds([envoy]) - before) / requests


if __name__ == "__main__":
    found = report(5.0)
    for row in found["rows"]:  # type: ignore[attr-defined]
        print(*row, sep="\t")
    print(*found["notes"], sep="\n")  # type: ignore[misc]
