from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from entrepot.http.bodies import read
from entrepot.model.faults import Cancelled
from entrepot.ports.exchange import Exchange, Request, Response
from entrepot.wire.asgi import ANSWER_WHOLE, asgi_app


class Caller:
    """The server's side of one ASGI request, played by a test."""

    def __init__(self, *body: bytes, method: str = "GET", headers: list[tuple[bytes, bytes]] | None = None) -> None:
        self.scope = {
            "type": "http",
            "method": method,
            "path": "/a/b c",
            "raw_path": b"/a/b%20c",
            "query_string": b"q=1%2F2",
            "headers": headers or [],
        }
        chunks = body or (b"",)
        self._inbox: list[dict[str, Any]] = [
            {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}
            for number, chunk in enumerate(chunks, 1)
        ]
        self._left = asyncio.Event()
        self.sent: list[dict[str, Any]] = []
        self.on_send: Callable[[], None] = lambda: None

    def leave(self) -> None:
        self._left.set()

    def break_off(self) -> None:
        """Leave before the body is whole."""
        self._inbox = self._inbox[:-1]
        self._left.set()

    async def receive(self) -> dict[str, Any]:
        if self._inbox:
            return self._inbox.pop(0)
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        self.on_send()
        await asyncio.sleep(0)

    async def call(self, exchange: Exchange) -> None:
        await asgi_app(exchange)(self.scope, self.receive, self.send)

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.sent[1:])

    @property
    def is_whole(self) -> bool:
        return bool(self.sent) and not self.sent[-1].get("more_body", False) and len(self.sent) > 1


class Stream:
    """A body that tells what became of it."""

    def __init__(self, chunks: list[bytes], then_waits: bool = False, then_raises: Exception | None = None) -> None:
        self._chunks = chunks
        self._then_waits = then_waits
        self._then_raises = then_raises
        self.read = 0
        self.closed = False
        self.waiting = asyncio.Event()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self.read < len(self._chunks):
            self.read += 1
            return self._chunks[self.read - 1]
        if self._then_raises is not None:
            raise self._then_raises
        if self._then_waits:
            self.waiting.set()
            await asyncio.Event().wait()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed = True


def answer(response: Response) -> Exchange:
    async def exchange(_request: Request) -> Response:
        return response

    return exchange


async def answered(response: Response, *body: bytes, **said: Any) -> Caller:
    """A caller that got this response."""
    caller = Caller(*body, **said)
    await caller.call(answer(response))
    return caller


async def test_a_request_arrives_as_it_was_sent() -> None:
    seen: list[Request] = []

    async def exchange(request: Request) -> Response:
        seen.append(request)
        return Response(200, [], b"")

    await Caller(method="PUT", headers=[(b"x-a", b"1"), (b"x-a", b"2")]).call(exchange)
    request = seen[0]
    assert (request.method, request.path, request.query) == ("PUT", b"/a/b%20c", b"q=1%2F2")
    assert request.headers == [(b"x-a", b"1"), (b"x-a", b"2")]


async def test_a_server_without_raw_paths_gets_an_encoded_one() -> None:
    caller = Caller()
    del caller.scope["raw_path"]
    paths = []

    async def exchange(request: Request) -> Response:
        paths.append(request.path)
        return Response(200)

    await caller.call(exchange)
    assert paths == [b"/a/b%20c"]


async def test_a_body_is_read_in_chunks() -> None:
    async def exchange(request: Request) -> Response:
        return Response(200, [], await read(request.body, 100))

    caller = Caller(b"ab", b"", b"cd", method="POST")
    await caller.call(exchange)
    assert caller.body == b"abcd"


async def test_a_body_that_nobody_reads_is_not_asked_for() -> None:
    caller = Caller(b"x" * 100, method="POST")

    async def exchange(request: Request) -> Response:
        return Response(413)

    await caller.call(exchange)
    assert len(caller._inbox) == 1


async def test_the_length_of_a_whole_answer_is_said_once() -> None:
    caller = await answered(Response(200, [(b"content-type", b"text/plain")], b"hello"))
    assert caller.headers == {b"content-type": b"text/plain", b"content-length": b"5"}
    own = await answered(Response(200, [(b"content-length", b"5")], b"hello"))
    assert [name for name, _ in own.sent[0]["headers"]] == [b"content-length"]


@pytest.mark.parametrize("status", [204, 304])
async def test_answers_that_have_no_body_say_no_length(status: int) -> None:
    caller = await answered(Response(status))
    assert b"content-length" not in caller.headers
    assert caller.is_whole


async def test_head_is_answered_without_a_body_but_with_its_length() -> None:
    caller = await answered(Response(200, [], b"hello"), method="HEAD")
    assert caller.body == b""
    assert caller.headers[b"content-length"] == b"5"


async def test_head_of_a_stream_closes_it_unread() -> None:
    stream = Stream([b"a"])
    caller = await answered(Response(200, [], stream), method="HEAD")
    assert (caller.body, caller.is_whole, stream.read, stream.closed) == (b"", True, 0, True)


async def test_a_stream_is_sent_chunk_by_chunk_and_closed() -> None:
    stream = Stream([b"a", b"", b"b"])
    caller = await answered(Response(200, [], stream))
    assert [message["body"] for message in caller.sent[1:]] == [b"a", b"b", b""]
    assert caller.is_whole
    assert stream.closed


async def test_a_stream_is_not_read_ahead_of_its_reader() -> None:
    stream = Stream([b"a", b"b", b"c"])
    caller = Caller()
    ahead = []
    caller.on_send = lambda: ahead.append(stream.read - len(caller.sent) + 1)
    await caller.call(answer(Response(200, [], stream)))
    assert max(ahead) <= 0


async def test_a_caller_that_leaves_ends_the_stream_at_once() -> None:
    stream = Stream([b"a"], then_waits=True)
    caller = Caller()
    running = asyncio.create_task(caller.call(answer(Response(200, [], stream))))
    await stream.waiting.wait()
    caller.leave()
    await asyncio.wait_for(running, 5)
    assert stream.closed
    assert not caller.is_whole


async def test_a_stream_that_is_cancelled_by_the_server_is_closed_and_stays_cancelled() -> None:
    stream = Stream([], then_waits=True)
    running = asyncio.create_task(Caller().call(answer(Response(200, [], stream))))
    await stream.waiting.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert stream.closed


async def test_a_stream_that_breaks_breaks_the_answer() -> None:
    stream = Stream([b"a"], then_raises=OSError("disk"))
    caller = Caller()
    with pytest.raises(OSError, match="disk"):
        await caller.call(answer(Response(200, [], stream)))
    assert not caller.is_whole
    assert stream.closed


async def test_departure_returns_when_the_caller_leaves() -> None:
    caller = Caller(b"body", method="POST")

    async def exchange(request: Request) -> Response:
        await read(request.body, 100)
        assert request.departure is not None
        caller.leave()
        await asyncio.wait_for(request.departure(), 5)
        return Response(200)

    await caller.call(exchange)
    assert caller.status == 200


async def test_departure_takes_no_chunk_from_the_reader() -> None:
    caller = Caller(b"ab", b"cd", method="POST", headers=[(b"content-length", b"4")])

    async def exchange(request: Request) -> Response:
        assert request.departure is not None
        watching = asyncio.ensure_future(request.departure())
        await asyncio.sleep(0)
        body = await read(request.body, 100)
        caller.leave()
        await asyncio.wait_for(watching, 5)
        return Response(200, [], body)

    await caller.call(exchange)
    assert caller.body == b"abcd"


async def test_several_may_watch_for_the_departure() -> None:
    caller = Caller(b"ab", method="POST", headers=[(b"content-length", b"2")])

    async def exchange(request: Request) -> Response:
        assert request.departure is not None
        watching = [asyncio.ensure_future(request.departure()) for _ in range(2)]
        await asyncio.sleep(0)
        await read(request.body, 100)
        caller.leave()
        await asyncio.wait_for(asyncio.gather(*watching), 5)
        return Response(200)

    await caller.call(exchange)
    assert caller.status == 200


async def test_departure_is_noticed_without_a_body_to_read() -> None:
    caller = Caller()

    async def exchange(request: Request) -> Response:
        assert request.departure is not None
        caller.leave()
        await asyncio.wait_for(request.departure(), 5)
        return Response(200)

    await caller.call(exchange)
    assert caller.status == 200


async def test_a_caller_that_leaves_amid_its_body_is_a_fault_and_gets_no_answer() -> None:
    caller = Caller(b"ab", b"cd", method="POST")
    caller.break_off()
    raised = []

    async def exchange(request: Request) -> Response:
        try:
            await read(request.body, 100)
        except Cancelled as fault:
            raised.append(fault)
            raise
        return Response(200)

    await caller.call(exchange)
    assert len(raised) == 1
    assert caller.sent == []


@pytest.mark.parametrize("raised", [ValueError, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError])
async def test_an_exception_becomes_a_bare_problem_whose_trace_id_finds_the_log(
    raised: type[BaseException],
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def exchange(request: Request) -> Response:
        raise raised("the password is 12345")

    trace_id = "0af7651916cd43dd8448eb211c80319c"
    caller = Caller(headers=[(b"traceparent", f"00-{trace_id}-b7ad6b7169203331-01".encode())])
    with caplog.at_level(logging.ERROR):
        await caller.call(exchange)
    problem = json.loads(caller.body)
    assert (caller.status, problem["status"], problem["kind"]) == (500, 500, "internal")
    assert problem["trace_id"] == trace_id == caplog.records[0].trace_id  # type: ignore[attr-defined]
    assert b"12345" not in caller.body
    assert caller.headers[b"content-type"] == b"application/problem+json"


async def test_an_exchange_that_is_cancelled_stays_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    begun = asyncio.Event()

    async def exchange(request: Request) -> Response:
        begun.set()
        await asyncio.Event().wait()
        return Response(200)

    caller = Caller()
    task = asyncio.create_task(caller.call(exchange))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (caller.sent, caplog.records) == ([], [])


async def test_only_http_is_answered() -> None:
    caller = Caller()
    caller.scope["type"] = "websocket"
    with pytest.raises(RuntimeError, match="websocket"):
        await caller.call(answer(Response(200)))


# Servers that take an answer at once


async def offered(response: Response, *, takes: bool, method: str = "GET") -> tuple[Caller, list[tuple[int, bytes]]]:
    """A request to which the server offers the extension, and what it was given by it."""
    caller, given = Caller(method=method), list[tuple[int, bytes]]()

    def answer(_scope: object, status: int, _headers: object, body: bytes) -> bool:
        given.append((status, body))
        return takes

    caller.scope["extensions"] = {ANSWER_WHOLE: answer}

    async def exchange(_request: Request) -> Response:
        return response

    await caller.call(exchange)
    return caller, given


LENGTH = (b"content-length", b"2")


async def test_a_server_that_takes_an_answer_at_once_is_sent_nothing_else() -> None:
    caller, given = await offered(Response(201, [LENGTH], b"ok"), takes=True)
    assert (given, caller.sent) == ([(201, b"ok")], [])


async def test_one_that_does_not_is_sent_the_answer_as_ever() -> None:
    caller, given = await offered(Response(201, [LENGTH], b"ok"), takes=False)
    assert (len(given), caller.status, caller.body) == (1, 201, b"ok")


@pytest.mark.parametrize(
    ("response", "method"),
    [
        (Response(200, [LENGTH], b"ok"), "HEAD"),
        (Response(200, [(b"content-length", b"3")], b"ok"), "GET"),
        (Response(200, [(b"etag", b'"1"')], b"ok"), "GET"),
    ],
    ids=["no body", "another length", "no length"],
)
async def test_what_is_unusual_is_not_offered(response: Response, method: str) -> None:
    caller, given = await offered(response, takes=True, method=method)
    assert given == []
    assert caller.status == 200
