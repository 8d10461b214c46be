"""What an upstream demands reaches it, through the egress, and stands nowhere else."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.running import running_project

SECRETS = {"header": "s3cr3t-header", "query": "s3cr3t-query"}


@pytest.fixture
def upstream() -> Iterator[tuple[int, list[tuple[str, str | None]]]]:
    """An upstream that answers every request, and the path and key of each."""
    seen: list[tuple[str, str | None]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.path, self.headers["x-key"]))
            self.send_response(204 if "s3cr3t-query" in self.path else 401)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, seen
        server.shutdown()


def write_project(project: Path, port: int) -> None:
    schemes = {
        "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "query": {"type": "apiKey", "in": "query", "name": "key"},
    }
    operation = {"operationId": "ask", "responses": {"204": {"description": ""}}}
    content = {
        "openapi": "3.1.0",
        "info": {"title": "CRM", "version": "1"},
        "components": {"securitySchemes": schemes},
        "security": [{"header": [], "query": []}],
        "paths": {"/ask": {"get": operation}},
    }
    project.mkdir()
    (project / "crm.json").write_text(json.dumps(content))
    (project / "key").write_text(SECRETS["query"] + "\n")
    (project / "entrepot.yaml").write_text(
        f"""\
entrepot: 1
services: {{crm: {{openapi: crm.json, upstream: crm}}}}
upstreams:
  crm:
    url: http://127.0.0.1:{port}
    credentials: {{header: {{env: KEY}}, query: {{file: key}}}}
"""
    )


def test_credentials_reach_the_upstream_alone(
    upstream: tuple[int, list[tuple[str, str | None]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, seen = upstream
    monkeypatch.setenv("KEY", SECRETS["header"])
    project = tmp_path / "crm"
    write_project(project, port)
    with running_project(project, command="serve") as running:
        assert running.get("/api/crm/v1/ask", x_key="the caller's").status == 204
        assert seen == [("/ask?key=s3cr3t-query", "s3cr3t-header")]
        called = (sys.executable, "-m", "entrepot", "call", "crm.ask", "--project", str(project))
        subprocess.run(called, check=True, capture_output=True)
        assert seen[1:] == seen[:1]
        told = running.get("/api/crm/v1/openapi.json").body + running.get("/docs/crm/v1").body
        printed = running.printed()
    assert b"securitySchemes" not in told
    kept = [file for file in (project / ".entrepot").rglob("*") if file.is_file() and b"s3cr3t" in file.read_bytes()]
    assert ("s3cr3t" in printed, b"s3cr3t" in told, kept) == (False, False, [])
