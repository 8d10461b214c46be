"""How long a caller waits when servers are half busy, and what they still answer when asked for too much.

    python -m bench.latency

Each contender's capacity is measured first: requests a second with so many connections that it is
never idle. Then callers pause between requests until the rate is about half of that, and the waiting
is what counts. Last, eight times as many connections as before ask without a pause: what is answered
with success then, as a share of the capacity, is the goodput. Rounds are interleaved; figures are medians.
"""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from dataclasses import replace

from bench.contenders import CONTENDERS, running
from bench.load import Load, latency, run

OURS = "/api/bench/v1/items/7"
PATHS = {
    "plain ASGI + msgspec": "/items/7",
    "Entrepôt worker": OURS,
    "router-only Envoy + plain ASGI": "/items/7",
    "Entrepôt, edge and worker": OURS,
    "FastAPI": "/items/7",
}
CONNECTIONS = 32
OVERLOAD = 8
"""How many times as many connections ask when a server is asked for too much."""


def report(seconds: float, rounds: int) -> dict[str, object]:
    """Microseconds and shares for each contender."""
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in PATHS}
    with ExitStack() as stack:
        ports = {name: stack.enter_context(running(CONTENDERS[name], core=0)).port for name in PATHS}
        for _ in range(rounds):
            for name, path in PATHS.items():
                found[name].append(_round(Load(path), ports[name], seconds))
    rows = []
    for name, figures in found.items():
        half, tail, share, goodput = (statistics.median(each) for each in zip(*figures, strict=True))
        rows.append([name, f"{half:.0f}", f"{tail:.0f}", f"{share:.0%}", f"{goodput:.0%}"])
    return {
        "title": "Waiting at about half load, and goodput in overload: REST GET, one object",
        "head": ["contender", "p50 µs", "p99 µs", "load", f"goodput with {CONNECTIONS * OVERLOAD} connections"],
        "rows": rows,
        "notes": ["`load` and `goodput` are shares of what the contender answers with 32 connections."],
    }


def _round(load: Load, port: int, seconds: float) -> tuple[float, float, float, float]:
    """p50, p99, the share of the capacity at which they were measured, the share that overload leaves."""
    capacity = run(load, port, seconds=seconds, connections=CONNECTIONS, core=1) / seconds
    pause = round(2 * CONNECTIONS / capacity * 1000)
    asked = replace(load, pause_ms=max(1, pause))
    half, tail, requests = latency(asked, port, seconds=seconds, connections=CONNECTIONS, core=1)
    answered = run(load, port, seconds=seconds, connections=CONNECTIONS * OVERLOAD, core=1) / seconds
    return half, tail, requests / seconds / capacity, answered / capacity


if __name__ == "__main__":
    for row in report(2, 3)["rows"]:  # type: ignore[attr-defined]
        print(*row)
