"""How soon the shop example serves, and what memory its processes hold when idle.

    python -m bench.start

The clock runs from the start of the command until `/-/ready` answers 200, in a directory that has
never been served. Two shorter commands tell what goes into it: `version` starts Python and our
command line, and `check` compiles the project as well.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from bench.contenders import ROOT, Contender, free_port, running, spawn
from bench.cpu import resident_bytes, tree

SHOP = ROOT / "examples" / "shop"
STARTS = 5
GOAL_SECONDS = 1.0
_POLL_SECONDS = 0.005
_PATIENCE_SECONDS = 30.0


def shop(port: int, scratch: Path) -> list[str]:
    """The shop example on one worker, in a directory of its own."""
    project = scratch / "shop"
    shutil.copytree(SHOP, project, ignore=shutil.ignore_patterns("__pycache__", ".entrepot"))
    return [sys.executable, "-m", "entrepot", "serve", str(project), "--port", str(port), "--workers", "1"]


def once() -> float:
    """Seconds of one start."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        port = free_port()
        command = shop(port, Path(scratch))
        begun = time.monotonic()
        with spawn(command):
            return answered(f"http://127.0.0.1:{port}/-/ready") - begun


def of_command(*arguments: str) -> float:
    """Seconds that a command of ours takes; the median of several."""
    return statistics.median(_timed([sys.executable, "-m", "entrepot", *arguments]) for _ in range(STARTS))


def _timed(command: list[str]) -> float:
    begun = time.monotonic()
    with spawn(command) as process:
        if process.wait(_PATIENCE_SECONDS) != 0:
            raise RuntimeError(f"{command} ended with {process.returncode}")
    return time.monotonic() - begun


def answered(url: str) -> float:
    """The moment of the first answer 200."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return time.monotonic()
        except (OSError, urllib.error.HTTPError):
            time.sleep(_POLL_SECONDS)
    raise TimeoutError(f"{url} did not answer within {_PATIENCE_SECONDS} s")


def memory() -> list[tuple[str, float]]:
    """By process: resident MiB, shared pages counted in each, after one request and a second of rest."""
    contender = Contender("shop", shop, "/-/ready")
    with running(contender, core=0) as server:
        time.sleep(1)
        return [(role(pid), resident_bytes([pid]) / 2**20) for pid in tree(server.pids[0])]


def role(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    return words[words.index("entrepot") + 1] if "entrepot" in words else os.path.basename(words[0])


def report() -> dict[str, object]:
    """Both questions answered, as rows of a table and a verdict."""
    starts = [once() for _ in range(STARTS)]
    ready = statistics.median(starts)
    rows = [
        ["`entrepot version`", f"{of_command('version'):.2f} s"],
        ["`entrepot check`", f"{of_command('check', str(SHOP)):.2f} s"],
        ["`entrepot serve` until ready", f"{ready:.2f} s ({min(starts):.2f}–{max(starts):.2f})"],
        *([f"idle memory of `{role}`", f"{mebibytes:.0f} MiB"] for role, mebibytes in memory()),
    ]
    state = "met" if ready <= GOAL_SECONDS else "MISSED"
    return {
        "title": f"Start and memory: examples/shop, one worker, median of {STARTS} starts",
        "head": ["what", "figure"],
        "rows": rows,
        "notes": [f"{state}: ready within {GOAL_SECONDS:g} s: {ready:.2f} s"],
    }


if __name__ == "__main__":
    for what, figure in report()["rows"]:  # type: ignore[attr-defined]
        print(f"{what}: {figure}")
