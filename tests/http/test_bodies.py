"""Bodies read whole, and whose failure it is when they do not come."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from entrepot.http import bodies
from entrepot.http.bodies import TooSlow, read, read_reply
from entrepot.model.faults import Timeout, UpstreamFailed


async def drips() -> AsyncIterator[bytes]:
    for _ in range(3):
        yield b"x"


async def test_an_upstream_that_does_not_end_its_answer_is_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "READ_SECONDS_MAX", -1.0)
    with pytest.raises(Timeout) as late:
        await read_reply(drips(), 10, "shop.example")
    assert not isinstance(late.value, TooSlow)
    assert late.value.upstream == "shop.example"
    with pytest.raises(TooSlow):
        await read(drips(), 10)


async def test_an_upstream_that_answers_too_much_has_failed() -> None:
    with pytest.raises(UpstreamFailed, match="more than is read") as failed:
        await read_reply(drips(), 2, "shop.example")
    assert failed.value.upstream == "shop.example"
    assert await read_reply(drips(), 3, "shop.example") == b"xxx"
