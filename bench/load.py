"""A load of identical requests from `wrk`, pinned to one core, every answer's status checked."""

from __future__ import annotations

import math
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

_REQUESTS = re.compile(r"(\d+) requests in")
_BAD_STATUS = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_BAD_SOCKET = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")


@dataclass(frozen=True)
class Load:
    """One request, sent over and over."""

    path: str
    method: str = "GET"
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def script(self) -> str:
        """The request as a wrk script."""
        headers = "".join(f'wrk.headers["{name}"] = "{value}"\n' for name, value in self.headers.items())
        return f'wrk.method = "{self.method}"\nwrk.body = [==[{self.body}]==]\n{headers}'


class LoadFailed(Exception):
    """An answer was not a success, so the figure would mean nothing."""


def run(load: Load, port: int, *, seconds: float, connections: int, core: int) -> int:
    """How many requests were answered with success. Raises LoadFailed when one was not."""
    with tempfile.TemporaryDirectory() as directory:
        script = Path(directory, "request.lua")
        script.write_text(load.script())
        wrk = ["wrk", "-t1", f"-c{connections}", f"-d{math.ceil(seconds)}s", "-s", str(script)]
        output = subprocess.run(
            ["taskset", "-c", str(core), *wrk, f"http://127.0.0.1:{port}{load.path}"],
            check=True, capture_output=True, text=True, timeout=seconds + 30,
        ).stdout  # fmt: skip
    failed = _BAD_STATUS.search(output) or _BAD_SOCKET.search(output)
    requests = _REQUESTS.search(output)
    if failed or requests is None:
        raise LoadFailed(f"{load.method} {load.path} on port {port}:\n{output}")
    return int(requests[1])
