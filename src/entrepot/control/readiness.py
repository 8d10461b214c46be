"""Asking whether something answers, over a Unix socket or over TCP."""

from __future__ import annotations

import asyncio
from pathlib import Path

POLL_INTERVAL = 0.01
PROBE_TIMEOUT = 2.0
"""Seconds."""

Address = Path | tuple[str, int]
"""A Unix socket, or host and port."""


async def answers(address: Address, path: str) -> bool:
    """Whether a GET of `path` is answered with 200 in time."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT):
            return await _get(address, path) == 200
    except (OSError, TimeoutError, ValueError):
        return False


async def until_answering(address: Address, path: str) -> None:
    """Return as soon as a GET of `path` is answered with 200."""
    while not await answers(address, path):  # noqa: ASYNC110  (the other side has no way to tell us)
        await asyncio.sleep(POLL_INTERVAL)


async def _get(address: Address, path: str) -> int:
    reader, writer = await (
        asyncio.open_unix_connection(str(address)) if isinstance(address, Path) else asyncio.open_connection(*address)
    )
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
        status_line = await reader.readline()
        return int(status_line.split(b" ", 2)[1])
    except IndexError:
        raise ValueError("not an HTTP answer") from None
    finally:
        writer.close()
