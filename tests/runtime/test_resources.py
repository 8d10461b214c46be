from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from entrepot import Conflict, NotFound, Service
from entrepot.model.call import Reply
from entrepot.ports.protocol import ServedService
from entrepot.runtime.inflight import InFlight
from entrepot.runtime.local import local_service
from entrepot.runtime.threads import Threads
from support.calls import call, kind_of
from support.stepping_clock import SteppingClock


class Pool: ...


class Session:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool


class Outbox: ...


class Bank:
    """A service whose resources tell what happens to them."""

    served: ServedService

    def __init__(self, plain: bool = False) -> None:
        self.clock = SteppingClock()
        self.told: list[str] = []
        self.commit_fails_with: BaseException | None = None
        self.opening_raises: type[BaseException] | None = None
        self.service = Service("bank")
        self._declare_resources(plain)
        self._declare_operations()

    def _declare_resources(self, plain: bool) -> None:
        tell = self.told.append

        @self.service.resource(scope="application")
        async def pool() -> AsyncIterator[Pool]:
            tell("pool opened")
            yield Pool()
            tell("pool closed")

        async def session(pool: Pool) -> AsyncIterator[Session]:
            for session in plain_session(pool):
                try:
                    yield session
                except Exception as error:
                    tell(f"session sees {error!r}")
                    raise
            if self.commit_fails_with is not None:
                raise self.commit_fails_with
            tell("session committed")

        def plain_session(pool: Pool) -> Iterator[Session]:
            if self.opening_raises is not None:
                raise self.opening_raises("no database")
            tell("session opened")
            yield Session(pool)

        def threaded_session(pool: Pool) -> Iterator[Session]:
            assert threading.current_thread().name.startswith("handler")
            for session in plain_session(pool):
                try:
                    yield session
                except Exception as error:
                    tell(f"session sees {error!r}")
                    raise
            if self.commit_fails_with is not None:
                raise self.commit_fails_with
            tell("session committed")

        if plain:
            self.service.resource()(threaded_session)
        else:
            self.service.resource()(session)

        @self.service.resource()
        async def outbox(session: Session) -> AsyncIterator[Outbox]:
            tell("outbox opened")
            try:
                yield Outbox()
            finally:
                tell("outbox closed")

    def _declare_operations(self) -> None:
        tell = self.told.append
        self.waiting = asyncio.Event()
        self.thread_may_end = threading.Event()

        @self.service.get("/ping")
        async def ping(pool: Pool) -> None:
            tell("ping")

        @self.service.post("/pay")
        async def pay(amount: int, session: Session, outbox: Outbox, pool: Pool) -> int:
            assert session.pool is pool
            tell("paid")
            return amount

        @self.service.post("/refuse")
        async def refuse(session: Session, outbox: Outbox) -> None:
            raise NotFound("no account")

        @self.service.post("/crash")
        async def crash(session: Session) -> None:
            raise ValueError("bug")

        @self.service.post("/hang", timeout=5)
        async def hang(session: Session) -> None:
            self.waiting.set()
            await asyncio.Event().wait()

        @self.service.post("/block", timeout=5)
        def block(session: Session) -> None:
            tell("thread begins")
            loop.call_soon_threadsafe(self.waiting.set)
            self.thread_may_end.wait(10)
            tell("thread ends")

        loop = asyncio.get_running_loop()

        @self.service.get("/statement")
        async def statement(upto: int, session: Session) -> AsyncIterator[int]:
            if upto < 0:
                raise NotFound("no such statement")
            for number in range(upto):
                yield number
            tell("statement ends")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        inflight = InFlight(self.clock.monotonic, sweep_seconds=0.001)
        async with local_service(self.service, inflight=inflight, threads=Threads(2)) as served:
            self.told.remove("pool opened")
            self.served = served
            yield

    async def call(self, name: str, **given: Any) -> Reply:
        return await call(self.served, name, **given)

    async def begin(self, name: str) -> asyncio.Task[Reply]:
        """A call of which the handler has begun."""
        running = asyncio.create_task(self.call(name))
        await self.waiting.wait()
        return running


BOTH = pytest.mark.parametrize("plain", [False, True])
"""Tries sessions of both kinds: asynchronous and plain generators."""


@pytest.fixture
def plain() -> bool:
    """Whether the session is a plain generator; tests that try both say so."""
    return False


@pytest.fixture
async def bank(plain: bool) -> AsyncIterator[Bank]:
    bank = Bank(plain)
    async with bank.open():
        yield bank


async def test_an_application_resource_lives_as_long_as_the_application() -> None:
    bank = Bank()
    async with bank.open():
        await bank.call("ping")
        await bank.call("ping")
        assert bank.told == ["ping", "ping"]
    assert bank.told[-1] == "pool closed"


@BOTH
async def test_the_resources_of_a_call_are_opened_in_order_and_closed_before_the_reply(bank: Bank) -> None:
    reply = await bank.call("pay", amount=3)
    assert (reply.output, reply.fault) == (3, None)
    assert bank.told == ["session opened", "outbox opened", "paid", "outbox closed", "session committed"]


@BOTH
async def test_a_resource_sees_the_fault_and_rolls_back(bank: Bank) -> None:
    reply = await bank.call("refuse")
    assert kind_of(reply) == "not_found"
    assert bank.told[-2:] == ["outbox closed", "session sees <Fault not_found: no account>"]


async def test_a_resource_sees_an_internal_fault_for_a_bug(bank: Bank) -> None:
    reply = await bank.call("crash")
    assert kind_of(reply) == "internal"
    assert bank.told[-1] == "session sees <Fault internal: >"


@BOTH
@pytest.mark.parametrize(
    ("error", "kind", "detail"),
    [
        (Conflict("taken"), "conflict", "taken"),
        (OSError("disk"), "internal", ""),
        (KeyboardInterrupt("disk"), "internal", ""),
        (GeneratorExit("disk"), "internal", ""),
        (asyncio.CancelledError("disk"), "internal", ""),
    ],
)
async def test_a_commit_that_fails_is_a_failed_call(bank: Bank, error: BaseException, kind: str, detail: str) -> None:
    bank.commit_fails_with = error
    reply = await bank.call("pay", amount=3)
    assert reply.output is None
    assert reply.fault is not None
    assert (reply.fault.kind, reply.fault.detail) == (kind, detail)


@BOTH
@pytest.mark.parametrize("raised", [OSError, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError])
async def test_what_cannot_be_opened_is_a_failed_call(bank: Bank, raised: type[BaseException]) -> None:
    bank.opening_raises = raised
    reply = await bank.call("pay", amount=3)
    assert kind_of(reply) == "internal"
    assert bank.told == []


async def test_a_failing_close_makes_the_others_roll_back() -> None:
    service, told = Service("bank"), []

    @service.resource()
    async def pool() -> AsyncIterator[Pool]:
        try:
            yield Pool()
        except Conflict:
            told.append("pool rolled back")
            raise

    @service.resource()
    async def session(pool: Pool) -> AsyncIterator[Session]:
        yield Session(pool)
        raise Conflict("taken")

    @service.post("/")
    async def pay(session: Session) -> None: ...

    async with local_service(service) as served:
        reply = await call(served, "pay")
        assert kind_of(reply) == "conflict"
        assert told == ["pool rolled back"]


@BOTH
async def test_a_resource_that_yields_twice_or_never_is_a_bug(plain: bool) -> None:
    service = Service("bank")
    times = 2

    async def many() -> AsyncIterator[Pool]:
        for _ in range(times):
            yield Pool()

    def plain_many() -> Iterator[Pool]:
        for _ in range(times):
            yield Pool()

    service.resource()(plain_many if plain else many)

    @service.post("/")
    async def pay(pool: Pool) -> None: ...

    async with local_service(service) as served:
        for times in (2, 0):  # noqa: B007 (the generators read it)
            assert kind_of(await call(served, "pay")) == "internal"


async def test_a_fault_that_a_resource_swallows_is_a_fault_still() -> None:
    service = Service("bank")

    @service.resource()
    async def pool() -> AsyncIterator[Pool]:
        with suppress(NotFound):
            yield Pool()

    @service.post("/")
    async def pay(pool: Pool) -> None:
        raise NotFound("no")

    async with local_service(service) as served:
        assert kind_of(await call(served, "pay")) == "not_found"


@BOTH
async def test_resources_stay_open_until_a_stream_ends(bank: Bank) -> None:
    reply = await bank.call("statement", upto=2)
    assert bank.told == ["session opened"]
    assert [item async for item in reply.output] == [0, 1]
    assert bank.told == ["session opened", "statement ends", "session committed"]


async def test_resources_roll_back_when_a_stream_fails_at_once(bank: Bank) -> None:
    reply = await bank.call("statement", upto=-1)
    assert reply.fault is not None
    assert bank.told == ["session opened", "session sees <Fault not_found: no such statement>"]


async def test_an_empty_stream_commits_before_its_reply(bank: Bank) -> None:
    reply = await bank.call("statement", upto=0)
    assert bank.told == ["session opened", "statement ends", "session committed"]
    assert [item async for item in reply.output] == []
    bank.commit_fails_with = Conflict("taken")
    reply = await bank.call("statement", upto=0)
    assert kind_of(reply) == "conflict"


@BOTH
async def test_a_stream_whose_commit_fails_ends_with_the_fault(bank: Bank) -> None:
    bank.commit_fails_with = Conflict("taken")
    reply = await bank.call("statement", upto=1)
    assert await anext(reply.output) == 0
    with pytest.raises(Conflict, match="taken"):
        await anext(reply.output)


async def test_resources_roll_back_when_the_reader_of_a_stream_leaves(bank: Bank) -> None:
    reply = await bank.call("statement", upto=5)
    await anext(reply.output)
    await reply.output.aclose()
    assert bank.told == ["session opened", "session sees <Fault cancelled: the caller left>"]


@BOTH
async def test_resources_roll_back_at_the_deadline(bank: Bank) -> None:
    running = await bank.begin("hang")
    bank.clock.step(6)
    reply = await running
    assert kind_of(reply) == "timeout"
    assert "session sees <Fault timeout" in bank.told[-1]


@BOTH
async def test_a_thread_past_the_deadline_keeps_its_resources_until_it_ends(plain: bool) -> None:
    bank = Bank(plain)
    async with bank.open():
        running = await bank.begin("block")
        bank.clock.step(6)
        reply = await running
        assert kind_of(reply) == "timeout"
        assert bank.told == ["session opened", "thread begins"]
        bank.thread_may_end.set()
    assert bank.told[2] == "thread ends"
    assert "session sees <Fault timeout" in bank.told[3]


async def test_a_call_that_is_cancelled_from_outside_rolls_back_and_stays_cancelled(bank: Bank) -> None:
    running = await bank.begin("hang")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert "session sees <Fault unavailable" in bank.told[-1]


async def test_an_application_that_cannot_open_its_resources_closes_those_it_has() -> None:
    service, told = Service("bank"), []

    @service.resource(scope="application")
    async def pool() -> AsyncIterator[Pool]:
        yield Pool()
        told.append("pool closed")

    @service.resource(scope="application")
    async def session(pool: Pool) -> AsyncIterator[Session]:
        raise OSError("no database")
        yield

    with pytest.raises(OSError, match="no database"):
        async with local_service(service):
            pytest.fail("it must not start")
    assert told == ["pool closed"]


@pytest.mark.parametrize("raised", [OSError, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError])
async def test_one_resource_that_does_not_close_keeps_no_other_from_it(
    raised: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    service, told = Service("bank"), []

    @service.resource(scope="application")
    async def pool() -> AsyncIterator[Pool]:
        yield Pool()
        told.append("pool closed")

    @service.resource(scope="application")
    async def session(pool: Pool) -> AsyncIterator[Session]:
        yield Session(pool)
        raise raised("gone")

    async with local_service(service):
        pass
    assert told == ["pool closed"]
    assert "could not be closed" in caplog.text
