"""How long one caller waits: p50 and p99, one request at a time.

    python -m bench.latency

With a single connection neither side is ever more than half busy, so nothing queues: what shows
is the way itself. Rounds are interleaved, and the figure is the median over them.
"""

from __future__ import annotations

import statistics
from contextlib import ExitStack

from bench.contenders import CONTENDERS, running
from bench.load import Load, latency

PATHS = {
    "plain ASGI + msgspec": "/items/7",
    "Entrepôt worker": "/api/bench/v1/items/7",
    "router-only Envoy + plain ASGI": "/items/7",
    "Entrepôt, edge and worker": "/api/bench/v1/items/7",
    "FastAPI": "/items/7",
}


def report(seconds: float, rounds: int) -> dict[str, object]:
    """Microseconds for each contender."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in PATHS}
    with ExitStack() as stack:
        ports = {name: stack.enter_context(running(CONTENDERS[name], core=0)).port for name in PATHS}
        for _ in range(rounds):
            for name, path in PATHS.items():
                found[name].append(latency(Load(path), ports[name], seconds=seconds, core=1))
    rows = []
    for name, figures in found.items():
        halves, tails = zip(*figures, strict=True)
        rows.append([name, f"{statistics.median(halves):.0f}", f"{statistics.median(tails):.0f}"])
    return {
        "title": "Latency: REST GET, one object, one request at a time",
        "head": ["contender", "p50 µs", "p99 µs"],
        "rows": rows,
        "notes": [],
    }


if __name__ == "__main__":
    for row in report(2.0, 3)["rows"]:  # type: ignore[attr-defined]
        print(*row)
