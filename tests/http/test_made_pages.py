"""What is made on first use is made once, and keeps nobody else waiting."""

from __future__ import annotations

import asyncio
import threading

import pytest

from entrepot.http.pages import MadeOnce, page
from entrepot.ports.exchange import Request


async def test_calls_go_on_while_a_page_is_made_once_for_all_who_wait() -> None:
    go_on, calls = threading.Event(), []

    def make() -> bytes:
        calls.append(threading.current_thread())
        assert go_on.wait(10)
        return b"{}"

    answer = page("application/json", MadeOnce(make))
    waiting = [asyncio.create_task(answer(Request("GET", b"/openapi.json"))) for _ in range(3)]
    await asyncio.sleep(0)
    go_on.set()
    responses = await asyncio.gather(*waiting)
    assert [response.body for response in responses] == [b"{}"] * 3
    assert len(calls) == 1
    assert calls[0] is not threading.current_thread()


async def test_it_goes_on_being_made_when_those_who_wait_leave() -> None:
    go_on, calls = threading.Event(), []

    def make() -> bytes:
        calls.append(1)
        assert go_on.wait(10)
        return b"done"

    made = MadeOnce(make)
    for _ in range(3):
        leaving = asyncio.create_task(made.content())
        await asyncio.sleep(0)
        leaving.cancel()
    go_on.set()
    assert (await made.content(), calls) == (b"done", [1])


async def test_what_fails_is_made_again() -> None:
    failures = [RuntimeError("first")]

    def make() -> bytes:
        if failures:
            raise failures.pop()
        return b"done"

    made = MadeOnce(make)
    with pytest.raises(RuntimeError):
        await made.content()
    assert await made.content() == b"done"
