"""Asking whether something answers, over a Unix socket or over TCP."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from entrepot.model.fault import Fault
from entrepot.ports.exchange import Request
from entrepot.wire.http1 import Http1Client

POLL_INTERVAL = 0.01
PROBE_TIMEOUT = 2.0
"""Seconds."""

Address = Path | tuple[str, int]
"""A Unix socket, or host and port."""


async def answers(address: Address, path: str) -> bool:
    """Whether a GET of `path` is answered with 200 in time."""
    client = _client(address)
    try:
        request = Request("GET", path.encode(), deadline=time.monotonic() + PROBE_TIMEOUT)
        return (await client(request)).status == 200
    except Fault:
        return False
    finally:
        await client.close()


async def until_answering(address: Address, path: str) -> None:
    """Return as soon as a GET of `path` is answered with 200."""
    while not await answers(address, path):  # noqa: ASYNC110  (the other side has no way to tell us)
        await asyncio.sleep(POLL_INTERVAL)


def _client(address: Address) -> Http1Client:
    if isinstance(address, Path):
        return Http1Client(path=str(address))
    host, port = address
    return Http1Client(host=host, port=port)
