"""What 10 MB cost on their way in and out: CPU for each MB, and memory that should stay flat.

    python -m bench.files

One caller sends or fetches a file again and again. Memory is how far the processes' resident size
rises above what they held at rest.
"""

from __future__ import annotations

import http.client
import statistics
import time
from contextlib import ExitStack
from pathlib import Path

from bench.contenders import CONTENDERS, Running, running
from bench.cpu import cpu_seconds, resident_bytes

MEGABYTES = 10
CONTENT = b"x" * (MEGABYTES * 1_000_000)
TIMES = 20
PATHS = {
    "Entrepôt worker": "/api/bench/v1/blob",
    "Entrepôt, edge and worker": "/api/bench/v1/blob",
    "FastAPI": "/blob",
}
OCTETS = {"Content-Type": "application/octet-stream"}


def report(rounds: int) -> dict[str, object]:
    """CPU milliseconds and mebibytes for each contender and direction."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    with ExitStack() as stack:
        servers = {name: stack.enter_context(running(CONTENDERS[name], core=0)) for name in PATHS}
        for _ in range(rounds):
            for name, path in PATHS.items():
                for method in ("PUT", "GET"):
                    found.setdefault((name, method), []).append(_moved(servers[name], method, path))
    rows = []
    for (name, method), figures in found.items():
        cpu, memory = (statistics.median(each) for each in zip(*figures, strict=True))
        rows.append([name, "up" if method == "PUT" else "down", f"{cpu:.2f}", f"{memory:.1f}"])
    return {
        "title": f"Files of {MEGABYTES} MB, streamed by the handler",
        "head": ["contender", "way", "CPU ms per MB", "memory above rest, MiB"],
        "rows": rows,
        "notes": [],
    }


def _moved(server: Running, method: str, path: str) -> tuple[float, float]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    _once(connection, method, path)
    time.sleep(0.2)
    rest, before = resident_bytes(server.pids), cpu_seconds(server.pids)
    for pid in server.pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak is counted anew
    for _ in range(TIMES):
        _once(connection, method, path)
    used = cpu_seconds(server.pids) - before
    connection.close()
    return used * 1000 / (TIMES * MEGABYTES), max(0, _peak_bytes(server.pids) - rest) / 2**20


def _once(connection: http.client.HTTPConnection, method: str, path: str) -> None:
    connection.request(method, path, CONTENT if method == "PUT" else None, OCTETS if method == "PUT" else {})
    response = connection.getresponse()
    content = response.read()
    if response.status != 200 or (method == "GET" and len(content) != len(CONTENT)):
        raise RuntimeError(f"{method} {path}: {response.status}, {len(content)} bytes")


def _peak_bytes(pids: list[int]) -> int:
    lines = (line for pid in pids for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    for row in report(2)["rows"]:  # type: ignore[attr-defined]
        print(*row)
