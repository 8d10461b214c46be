"""Octets kept on their way: in any order, more than once, by several readers at a time."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from entrepot.http.spool import Spool

CONTENT = bytes(range(256)) * 1024


async def filled(memory_max: int) -> Spool:
    spool = Spool(memory_max)
    for start in range(0, len(CONTENT), 1000):
        await spool.write(CONTENT[start : start + 1000])
    return spool


async def octets(spool: Spool, start: int = 0, stop: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in spool.read(start, stop)])


@pytest.mark.parametrize("memory_max", [10 * len(CONTENT), 1024])
async def test_what_was_written_is_read_in_any_order_and_again(memory_max: int) -> None:
    spool = await filled(memory_max)
    assert spool.size == len(CONTENT)
    assert await octets(spool, 100_000, 200_000) == CONTENT[100_000:200_000]
    assert await octets(spool) == CONTENT
    assert await octets(spool, 200_000, 10**9) == CONTENT[200_000:]


async def test_two_readers_at_a_time_do_not_move_each_other() -> None:
    spool = await filled(1024)
    spool._file = Unhurried(spool._file)
    first, second = await asyncio.gather(octets(spool), octets(spool, 1000))
    assert first == CONTENT
    assert second == CONTENT[1000:]


class Unhurried:
    """A file that lets others in between a seek and the read after it."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.read, self.close = file.read, file.close

    def seek(self, offset: int) -> None:
        self._file.seek(offset)
        time.sleep(0.001)
