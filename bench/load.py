"""A load of identical requests from `wrk`, pinned to one core, every answer's status checked."""

from __future__ import annotations

import math
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

_REQUESTS = re.compile(r"(\d+) requests in")
_PERCENTILE = re.compile(r"^ +(50|99)% +([0-9.]+)(us|ms|s)$", re.MULTILINE)
_MICROSECONDS = {"us": 1.0, "ms": 1e3, "s": 1e6}
_BAD_STATUS = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_BAD_SOCKET = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")


@dataclass(frozen=True)
class Load:
    """One request, sent over and over."""

    path: str
    method: str = "GET"
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    pause_ms: int = 0
    """How long each connection rests between two requests."""

    def script(self) -> str:
        """The request as a wrk script."""
        headers = "".join(f'wrk.headers["{name}"] = "{value}"\n' for name, value in self.headers.items())
        pause = f"function delay() return {self.pause_ms} end\n" if self.pause_ms else ""
        return f'wrk.method = "{self.method}"\nwrk.body = [==[{self.body}]==]\n{headers}{pause}'


class LoadFailed(Exception):
    """An answer was not a success, so the figure would mean nothing."""


def run(load: Load, port: int, *, seconds: float, connections: int, core: int) -> int:
    """How many requests were answered with success. Raises LoadFailed when one was not."""
    output = _wrk(load, port, seconds, connections, core)
    requests = _REQUESTS.search(output)
    assert requests is not None
    return int(requests[1])


def latency(load: Load, port: int, *, seconds: float, connections: int, core: int) -> tuple[float, float, int]:
    """The median and the 99th percentile of a caller's waiting, in microseconds, and how many requests were
    answered. Raises LoadFailed."""
    output = _wrk(load, port, seconds, connections, core)
    requests = _REQUESTS.search(output)
    assert requests is not None
    found = {percent: float(number) * _MICROSECONDS[unit] for percent, number, unit in _PERCENTILE.findall(output)}
    return found["50"], found["99"], int(requests[1])


def _wrk(load: Load, port: int, seconds: float, connections: int, core: int) -> str:
    with tempfile.TemporaryDirectory() as directory:
        script = Path(directory, "request.lua")
        script.write_text(load.script())
        wrk = [
            "wrk",
            "--latency",
            "--timeout",
            "20s",
            "-t1",
            f"-c{connections}",
            f"-d{math.ceil(seconds)}s",
            "-s",
            str(script),
        ]
        output = subprocess.run(
            ["taskset", "-c", str(core), *wrk, f"http://127.0.0.1:{port}{load.path}"],
            check=True, capture_output=True, text=True, timeout=seconds + 30,
        ).stdout  # fmt: skip
    failed = _BAD_STATUS.search(output) or _BAD_SOCKET.search(output)
    if failed or not _REQUESTS.search(output):
        raise LoadFailed(f"{load.method} {load.path} on port {port}:\n{output}")
    return output
