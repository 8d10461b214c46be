"""An answer between what makes it and a caller who may be slower."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from entrepot.runtime.outbound import Outbound

START = {"type": "http.response.start", "status": 200, "headers": []}
UNSENT_MAX = 1000


class Caller:
    """Takes what is sent when `reads` is set."""

    def __init__(self) -> None:
        self.reads = asyncio.Event()
        self.sent: list[Any] = []

    async def send(self, message: Any) -> None:
        await self.reads.wait()
        self.sent.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


def chunk(data: bytes, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def settled() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_what_comes_is_sent_at_once_and_in_order() -> None:
    caller = Caller()
    caller.reads.set()
    outbound = Outbound(caller.send, 10, UNSENT_MAX)
    sending = asyncio.create_task(outbound.forward())
    for message in (START, chunk(b"a"), chunk(b""), chunk(b"b")):
        await outbound.take(message)
        await settled()
    assert caller.sent == [START, chunk(b"a"), chunk(b"b")]
    await outbound.take(chunk(b"", more=False))
    await sending
    assert caller.sent[3:] == [{"type": "http.response.body", "body": b""}]


@pytest.mark.parametrize("memory_max", [10, 10_000])
async def test_more_than_may_lie_unsent_waits(memory_max: int) -> None:
    caller = Caller()
    outbound = Outbound(caller.send, memory_max, UNSENT_MAX)
    sending = asyncio.create_task(outbound.forward())
    data = bytes(range(250)) * 4
    await asyncio.wait_for(outbound.take(chunk(data)), 10)
    further = asyncio.create_task(outbound.take(chunk(data[::-1] * 3, more=False)))
    await settled()
    assert not further.done()
    caller.reads.set()
    await further
    outbound.end()
    await sending
    assert caller.body == data + data[::-1] * 3


async def test_an_answer_that_breaks_off_is_sent_as_far_as_it_came_and_not_ended() -> None:
    caller = Caller()
    outbound = Outbound(caller.send, 10, UNSENT_MAX)
    sending = asyncio.create_task(outbound.forward())
    await outbound.take(START)
    await settled()
    await outbound.take(chunk(b"begun"))
    outbound.end()
    caller.reads.set()
    await sending
    assert caller.sent == [START, chunk(b"begun")]


async def test_when_sending_fails_the_rest_is_dropped_and_the_failure_told() -> None:
    async def refuse(message: Any) -> None:
        raise RuntimeError("more than was announced")

    outbound = Outbound(refuse, 10, UNSENT_MAX)
    sending = asyncio.create_task(outbound.forward())
    for message in (START, *[chunk(b"x" * UNSENT_MAX)] * 3, chunk(b"", more=False)):
        await asyncio.wait_for(outbound.take(message), 10)
    outbound.end()
    with pytest.raises(RuntimeError, match="announced"):
        await sending


async def test_an_answer_that_no_file_can_hold_breaks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*given: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("entrepot.runtime.outbound.Spool.write", full)
    caller = Caller()
    caller.reads.set()
    outbound = Outbound(caller.send, 10, UNSENT_MAX)
    sending = asyncio.create_task(outbound.forward())
    for message in (START, *[chunk(b"x" * UNSENT_MAX)] * 3, chunk(b"", more=False)):
        await asyncio.wait_for(outbound.take(message), 10)
    outbound.end()
    await sending
    assert caller.sent == [START]
