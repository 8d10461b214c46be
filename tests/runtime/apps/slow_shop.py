"""A service whose operations wait for files, so that a test can watch and steer them from outside."""

# ruff: noqa: ASYNC110, ASYNC240 (files are how the test, in another process, speaks to it)

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from entrepot import Conflict, Service

shop = Service("shop")


class Session:
    fails = False


@shop.resource()
async def session() -> AsyncIterator[Session]:
    session = Session()
    yield session
    if session.fails:
        raise Conflict("the commit failed")


class Register:
    """Open as long as the application."""


@shop.resource(scope="application")
def register() -> Iterator[Register]:
    yield Register()
    print("the register is closed", flush=True)


async def _wait(directory: str, name: str) -> str:
    begun, go_on, ended = (Path(directory, f"{name}.{what}") for what in ("begun", "go_on", "ended"))
    begun.touch()
    try:
        while not go_on.exists():
            await asyncio.sleep(0.01)
    except asyncio.CancelledError:
        Path(directory, f"{name}.cancelled").touch()
        raise
    ended.touch()
    return name


@shop.operation()
async def echo(text: str, register: Register) -> str:
    return text


@shop.operation(safe=True)
async def safe_wait(directory: str) -> str:
    return await _wait(directory, "safe_wait")


@shop.operation()
async def unsafe_wait(directory: str) -> str:
    return await _wait(directory, "unsafe_wait")


@shop.operation(timeout=0.2)
async def too_slow(directory: str) -> str:
    return await _wait(directory, "too_slow")


@shop.operation()
def block(directory: str) -> str:
    Path(directory, "block.begun").touch()
    while not Path(directory, "block.go_on").exists():
        time.sleep(0.01)
    return "block"


@shop.operation()
async def crash() -> None:
    raise ValueError("the password is 12345")


@shop.operation()
async def commit(fails: bool, session: Session) -> int:
    session.fails = fails
    return 1


@shop.operation()
async def count(directory: str, upto: int) -> AsyncIterator[int]:
    try:
        for number in range(upto):
            yield number
        await _wait(directory, "count")
    finally:
        Path(directory, "count.closed").touch()
