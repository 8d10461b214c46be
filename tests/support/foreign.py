"""Servers that nobody here wrote, as processes on the loopback, and how a project comes to use them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from support.needs import require_npm
from support.running import free_port

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 10.0


class ForeignServer:
    """A command that serves on a port of its own, and can be stopped and started again."""

    def __init__(self, port: int, command: list[str]) -> None:
        self.port = port
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> ForeignServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it; it answers when this returns."""
        with tempfile.TemporaryFile() as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=subprocess.STDOUT)
            if not self._wait_until_it_answers(self._process):
                self.stop()
                output.seek(0)
                raise RuntimeError(f"{self._command} did not begin to serve:\n{output.read().decode(errors='replace')}")

    def stop(self) -> None:
        """End it, if it runs."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline and process.poll() is None:
            try:
                urllib.request.urlopen(self.url, timeout=START_SECONDS_MAX).close()
            except urllib.error.HTTPError:
                return True
            except OSError:
                time.sleep(0.05)
            else:
                return True
        return False


def httpbin() -> ForeignServer:
    """httpbin, which answers with what it was asked and publishes a Swagger document at `/spec.json`."""
    port = free_port()
    gunicorn = ["gunicorn", "--bind", f"127.0.0.1:{port}", "--threads", "8", "--graceful-timeout", "1", "httpbin:app"]
    return ForeignServer(port, [sys.executable, "-m", *gunicorn])


def prism(document: Path) -> ForeignServer:
    """Prism, which answers as an OpenAPI document says and holds every request and reply against it.

    What breaks the document it tells in the header `sl-violations`.
    """
    port = free_port()
    program = require_npm("@stoplight/prism-cli") / "dist" / "index.js"
    return ForeignServer(port, ["node", str(program), "mock", "--port", str(port), str(document)])


def import_openapi(project: Path, source: str, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`entrepot import openapi:SOURCE`, as a person runs it."""
    command = [sys.executable, "-m", "entrepot", "import", f"openapi:{source}", "--name", name]
    return subprocess.run(
        [*command, "--project", str(project), *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def aim(project: Path, **upstreams: dict[str, Any]) -> None:
    """Say where upstreams are, as an operator would after an import."""
    file = project / "entrepot.yaml"
    declaration = yaml.safe_load(file.read_text())
    declaration.setdefault("upstreams", {}).update(upstreams)
    file.write_text(yaml.safe_dump(declaration))
