"""One client connection: requests written, responses parsed, one exchange at a time.

What is read is `response_parser`'s; here octets are moved, both ways, with bounded buffers, and
whatever ends an exchange early becomes a fault. A connection that saw anything odd is dropped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Protocol, cast

from entrepot.http.bodies import close
from entrepot.model.fault import Fault
from entrepot.model.faults import Malformed, Timeout, UpstreamFailed
from entrepot.ports.exchange import Body, Request, Response
from entrepot.wire.response_parser import ResponseParser

WHOLE_BYTES_MAX = 64 * 1024
"""A body announced as no longer than this is waited for; others are streamed."""
BUFFER_BYTES_MAX = 64 * 1024
"""A streamed body stops being read from the socket while more than this is unclaimed."""
_ATOMIC_BYTES_MAX = 4096
"""A request this small fits every socket buffer: it is written in one piece or not at all."""
_JOINED_BYTES_MAX = 32 * 1024
"""Up to here a copy costs less than a second write."""


class Owner(Protocol):
    """Who holds the connection: told when it is free again, and when it is gone."""

    def released(self, connection: Connection) -> None: ...

    def lost(self, connection: Connection) -> None: ...


class BodyStream:
    """A response body as it arrives. Closing it before its end drops the connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._chunks: list[bytes] = []
        self._buffered = 0
        self._end: BaseException | None = None
        self._arrival: asyncio.Future[None] | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while not self._chunks:
            if self._end is not None:
                raise self._end
            self._arrival = asyncio.get_running_loop().create_future()
            await self._arrival
        data = b"".join(self._chunks)
        self._chunks.clear()
        self._buffered = 0
        if self._end is None:
            self._connection.resume_reading()
        return data

    async def aclose(self) -> None:
        """Give up what has not arrived yet."""
        if self._end is None:
            self._connection.abort()
        self._end = StopAsyncIteration()
        self._chunks.clear()
        self._wake()

    def put(self, chunk: bytes) -> None:
        """Add what has arrived; asks the connection to pause when too much is unclaimed."""
        if not chunk:
            return
        self._chunks.append(chunk)
        self._buffered += len(chunk)
        if self._buffered > BUFFER_BYTES_MAX:
            self._connection.pause_reading()
        self._wake()

    def finish(self, error: BaseException | None = None) -> None:
        """Nothing more will come: the body is complete, or `error` says what broke it."""
        if self._end is None:
            self._end = error or StopAsyncIteration()
            self._wake()

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)


class Connection(asyncio.Protocol):
    """A connection and the exchange in progress on it."""

    def __init__(self, owner: Owner) -> None:
        self.idle_since = 0.0
        """Monotonic seconds of the last release."""
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._response = ResponseParser()
        self._exchanges = 0
        self._paused = False
        self._writable: asyncio.Future[None] | None = None
        self._answer: asyncio.Future[Response] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sender: asyncio.Task[None] | None = None
        self._stream: BodyStream | None = None
        self._cut_off_by: Exception | None = None
        self._request_bytes = 0
        self._upstream = ""

    # What the client calls

    @property
    def usable(self) -> bool:
        """Whether another exchange may start on it."""
        return not self._transport.is_closing()

    def repeatable(self, request: Request) -> bool:
        """Whether a request that failed here may be sent again on a fresh connection.

        Only when this connection had served before, so that its end is no news about the upstream,
        not one octet of an answer came, and the request is idempotent or never left this process.
        """
        if self._exchanges < 2 or self._response.begun or not isinstance(request.body, bytes):
            return False
        unsent = isinstance(self._cut_off_by, BrokenPipeError) and self._request_bytes <= _ATOMIC_BYTES_MAX
        return self._cut_off_by is not None and (request.idempotent or unsent)

    async def exchange(self, head: bytes, request: Request, length: int | None, upstream: str) -> Response:
        """Send the request, whose body is `length` octets long or chunked, and return the response.

        Raises `UpstreamFailed` or `Timeout`, which name the `upstream`; so may a streamed body.
        Cancelling it drops the connection.
        """
        self._begin(request)
        self._upstream = upstream
        answer: asyncio.Future[Response] = self._loop.create_future()
        self._answer = answer
        body = request.body
        if isinstance(body, bytes):
            self._request_bytes = len(head) + len(body)
            self._write_whole(head, body)
        else:
            self._transport.write(head)
            self._sender = self._loop.create_task(self._send(body, length))
        try:
            return await answer
        except BaseException:
            # When cancelled after the answer came, the connection may be somebody else's by now.
            if self._answer is answer:
                self.abort()
            raise

    def abort(self) -> None:
        """Drop the connection and whatever is in progress on it."""
        self._stop_timer()
        if self._sender is not None:
            self._sender.cancel()
        self._transport.abort()

    def _write_whole(self, head: bytes, body: bytes) -> None:
        if self._request_bytes <= _JOINED_BYTES_MAX:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))

    def _begin(self, request: Request) -> None:
        self._exchanges += 1
        self._response.expect(request.method)
        if request.deadline is not None:
            remaining = max(0.0, request.deadline - time.monotonic())
            self._timer = self._loop.call_later(remaining, self._expire)

    def _expire(self) -> None:
        self._fail(Timeout("the deadline passed before the whole answer came"))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # Sending a streamed body

    async def _send(self, body: Body, length: int | None) -> None:
        assert not isinstance(body, bytes)
        try:
            if length is None:
                await self._send_chunked(body)
            else:
                await self._send_measured(body, length)
            self._sender = None
        except Exception as error:
            self._sender = None
            self._fail(error)
        finally:
            await close(body)

    async def _send_chunked(self, body: AsyncIterator[bytes]) -> None:
        async for chunk in body:
            if chunk:
                self._transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                await self._drained()
        self._transport.write(b"0\r\n\r\n")

    async def _send_measured(self, body: AsyncIterator[bytes], length: int) -> None:
        remaining = length
        async for chunk in body:
            remaining -= len(chunk)
            if remaining < 0:
                break
            if chunk:
                self._transport.write(chunk)
                await self._drained()
        if remaining:
            raise Malformed(f"the request body is not as long as its content-length, {length} octets")

    async def _drained(self) -> None:
        if self._writable is not None:
            await self._writable

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass

    def pause_writing(self) -> None:
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            self.abort()  # an answer that nobody asked for
            return
        response = self._response
        try:
            response.feed(data)
        except UpstreamFailed as fault:
            self._fail(fault)
            return
        if self._stream is not None:
            self._stream.put(response.take())
        if response.complete:
            self._finish()
        elif response.headed and self._stream is None and not _is_small(response.length):
            self._start_stream()

    def eof_received(self) -> None:
        if self._answer is not None and self._response.ends_with_connection:
            self._finish()
        self._cut_off(ConnectionResetError())
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cut_off(exc or ConnectionResetError())
        self.closed.set_result(None)
        self._owner.lost(self)

    # How an exchange ends

    def _start_stream(self) -> None:
        assert self._answer is not None
        self._stream = BodyStream(self)
        self._stream.put(self._response.take())
        if not self._answer.done():
            self._answer.set_result(Response(self._response.status, self._response.headers, self._stream))

    def _finish(self) -> None:
        answer, stream, response = self._answer, self._stream, self._response
        assert answer is not None
        self._answer = self._stream = None
        self._stop_timer()
        if stream is not None:
            stream.finish()
        elif not answer.done():
            answer.set_result(Response(response.status, response.headers, response.take()))
        if response.keep_alive and self._sent() and self.usable:
            self.resume_reading()
            self._owner.released(self)
        else:
            self.abort()

    def _fail(self, error: BaseException) -> None:
        answer, stream = self._answer, self._stream
        if answer is None:
            return
        self._answer = self._stream = None
        if isinstance(error, Fault):
            error.upstream = error.upstream or self._upstream
        if stream is not None:
            stream.finish(error)
        elif not answer.done():
            answer.set_exception(error)
        self.abort()

    def _cut_off(self, error: Exception) -> None:
        """The other side has ended the connection."""
        if self._answer is not None:
            self._cut_off_by = error
            begun = self._response.begun
            part = "the answer broke off before its end" if begun else "the connection ended before an answer"
            self._fail(UpstreamFailed(part))

    def _sent(self) -> bool:
        return self._sender is None and self._transport.get_write_buffer_size() == 0

    # Back-pressure

    def pause_reading(self) -> None:
        """Stop taking octets from the socket."""
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take octets again."""
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()


def _is_small(length: int | None) -> bool:
    return length is not None and length <= WHOLE_BYTES_MAX
