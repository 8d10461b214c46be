"""What a service of a thousand operations costs: to import, to check, to start, to call first, to hold.

    python -m bench.large

The contract is made up: five operations for each of 200 resources, whose records refer to each other
like those of a grown system. Its upstream does not answer; the first call measures the way there and back.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.contenders import ROOT, free_port, spawn
from bench.cpu import resident_bytes, tree
from bench.start import answered, role
from bench.start import memory as idle_memory

RESOURCES = 200
OPERATIONS = 5 * RESOURCES
STARTS = 3
READY_SECONDS, FIRST_CALL_SECONDS = 3.0, 0.05
Json = dict[str, Any]


def contract() -> Json:
    """An OpenAPI document of a thousand operations, about half a megabyte."""
    paths: Json = {}
    schemas: Json = {"Problem": _record(code={"type": "string"}, message={"type": "string"})}
    for number in range(RESOURCES):
        schemas[f"Thing{number}"] = _thing(number)
        schemas[f"Things{number}"] = _record(items={"type": "array", "items": _ref(f"Thing{number}")})
        paths[f"/things{number}"] = {
            "get": _operation(f"list{number}", f"Things{number}", query=("limit", "integer")),
            "post": _operation(f"create{number}", f"Thing{number}", body=f"Thing{number}"),
        }
        paths[f"/things{number}/{{id}}"] = {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": _operation(f"get{number}", f"Thing{number}"),
            "put": _operation(f"put{number}", f"Thing{number}", body=f"Thing{number}"),
            "delete": _operation(f"delete{number}", f"Thing{number}"),
        }
    about = {"title": "Large", "version": "1.0.0"}
    servers = [{"url": "http://127.0.0.1:9"}]
    return {"openapi": "3.1.0", "info": about, "servers": servers, "paths": paths, "components": {"schemas": schemas}}


def _thing(number: int) -> Json:
    kinds: tuple[Json, ...] = (
        {"type": "string"}, {"type": "integer", "format": "int64"}, {"type": "number"}, {"type": "boolean"},
        {"type": "string", "format": "date-time"}, {"type": "string", "format": "uuid"},
        {"type": ["string", "null"]}, {"type": "array", "items": {"type": "string"}}, {"enum": ["a", "b", "c"]},
    )  # fmt: skip
    members = {f"member{index}": kinds[(number + index) % len(kinds)] for index in range(14)}
    return _record(**members, next=_ref(f"Thing{(number + 1) % RESOURCES}"))


def _record(**members: Json) -> Json:
    return {"type": "object", "required": [next(iter(members))], "properties": members}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _operation(name: str, answer: str, body: str = "", query: tuple[str, str] | None = None) -> Json:
    def content(of: str) -> Json:
        return {"application/json": {"schema": _ref(of)}}

    found: Json = {"operationId": name, "responses": {"200": {"description": "ok", "content": content(answer)}}}
    found["responses"]["404"] = {"description": "there is none", "content": content("Problem")}
    if body:
        found["requestBody"] = {"required": True, "content": content(body)}
    if query is not None:
        found["parameters"] = [{"name": query[0], "in": "query", "schema": {"type": query[1]}}]
    return found


def report() -> dict[str, object]:
    """Each question answered, as rows of a table and verdicts."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        project = Path(scratch)
        (project / "large.json").write_text(json.dumps(contract()))
        imported = _timed(project, "import", "openapi:large.json", "--name", "large")
        checked = _timed(project, "check", ".")
        ready, first, later, memory = (statistics.median(each) for each in zip(*_starts(project), strict=True))
    above = memory / 2**20 - dict(idle_memory())["worker"]
    rows = [
        ["`entrepot import`", f"{imported:.2f} s"],
        ["`entrepot check`", f"{checked:.2f} s"],
        ["`entrepot serve` until ready", f"{ready:.2f} s"],
        ["first call", f"{first * 1000:.0f} ms"],
        ["first call of another operation", f"{later * 1000:.0f} ms"],
        ["memory of the worker", f"{memory / 2**20:.0f} MiB"],
        ["memory of an operation, above the worker of the shop", f"{above * 1024 / OPERATIONS:.0f} KiB"],
    ]
    verdicts = {f"ready within {READY_SECONDS:g} s": ready <= READY_SECONDS}
    verdicts[f"first call within {FIRST_CALL_SECONDS * 1000:g} ms"] = first <= FIRST_CALL_SECONDS
    return {
        "title": f"A service of {OPERATIONS} operations, imported; median of {STARTS} starts of one worker",
        "head": ["what", "figure"],
        "rows": rows,
        "notes": [f"{'met' if met else 'MISSED'}: {bar}" for bar, met in verdicts.items()],
    }


def _timed(project: Path, *arguments: str) -> float:
    begun = time.monotonic()
    command = [sys.executable, "-m", "entrepot", *arguments]
    ours = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, env=ours)
    if done.returncode:
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr}")
    return time.monotonic() - begun


def _starts(project: Path) -> Iterator[tuple[float, float, float, float]]:
    for _ in range(STARTS):
        with _served(project) as (ready, base, pid):
            first, later = (_call(f"{base}/things{number}/7") for number in (3, 150))
            worker = next(each for each in tree(pid) if role(each) == "worker")
            yield ready, first, later, resident_bytes([worker])


@contextmanager
def _served(project: Path) -> Iterator[tuple[float, str, int]]:
    port = free_port()
    command = [sys.executable, "-m", "entrepot", "serve", str(project), "--port", str(port), "--workers", "1"]
    begun = time.monotonic()
    with spawn(command) as process:
        ready = answered(f"http://127.0.0.1:{port}/-/ready") - begun
        yield ready, f"http://127.0.0.1:{port}/api/large/v1", process.pid


def _call(url: str) -> float:
    begun = time.monotonic()
    try:
        urllib.request.urlopen(url, timeout=30).read()
    except urllib.error.HTTPError as failed:
        if failed.code not in (502, 503):
            raise
    return time.monotonic() - begun


if __name__ == "__main__":
    for what, figure in report()["rows"]:  # type: ignore[attr-defined]
        print(f"{what}: {figure}")
