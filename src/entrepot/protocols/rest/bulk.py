"""Many calls of one operation by one request: a line of JSON for each, and a line for each answer, in their order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec

from entrepot.http.bodies import chunks_of
from entrepot.http.context import context_of
from entrepot.http.lines import read_lines, write_lines
from entrepot.http.media_types import essence
from entrepot.kit.limits import Limits
from entrepot.model.fault import Fault
from entrepot.model.faults import TooLarge
from entrepot.model.headers import header, text_of
from entrepot.model.operation import Operation
from entrepot.ports.exchange import Request, Response
from entrepot.ports.faults import members_of
from entrepot.protocols.rest.binding.bound import NDJSON
from entrepot.protocols.rest.faults import of_error, written
from entrepot.shapes.values import Values

Answer = Callable[[Request, tuple[str, ...]], Awaitable[Response]]
MULTI_STATUS = 207
"""The answer is of several calls, each with a status of its own (RFC 4918, §13)."""
_OF_ONE = frozenset(
    (b"accept", b"content-length", b"content-type", b"idempotency-key", b"if-match", b"if-none-match", b"prefer")
)
"""Headers that speak of one message, or of one thing: they are not those of each line."""
_TOLD = frozenset((b"etag", b"location", b"retry-after", b"entrepot-warnings"))
"""Headers of an answer that stand beside it in its line."""


class Bulk:
    """Answers requests of many lines by the operation's own answers to requests of one."""

    def __init__(self, answer: Answer, operation: Operation, values: Values) -> None:
        self._answer = answer
        self._operation = operation
        self._values = values
        self._limits: Limits = values.limits

    async def answer(self, request: Request, variables: tuple[str, ...]) -> Response:
        """The answer to one call, or to each of many."""
        if essence(header(request.headers, b"content-type") or b"") != NDJSON:
            return await self._answer(request, variables)
        context = context_of(request)

        def problem(error: Exception) -> bytes:
            fault = of_error(error, self._operation, context)
            return written(members_of(fault, context.trace_id, self._operation, self._values))

        lines = write_lines(self._lines(request, variables), bytes, problem)
        return Response(MULTI_STATUS, [(b"content-type", NDJSON.encode())], lines)

    async def _lines(self, request: Request, variables: tuple[str, ...]) -> AsyncIterator[bytes]:
        """A line for each line. What was begun is brought to its end, whatever becomes of the rest."""
        begun: deque[asyncio.Task[bytes]] = deque()
        headers = [pair for pair in request.headers if pair[0] not in _OF_ONE]
        alike = msgspec.structs.replace(request, headers=headers, departure=None)
        fault: Fault | None = None
        try:
            async for line in self._read(request):
                if isinstance(line, Fault):
                    fault = line
                    break
                one = msgspec.structs.replace(alike, body=line)
                begun.append(asyncio.create_task(self._line(one, variables)))
                if len(begun) == self._limits.batch_concurrency_max:
                    yield await begun.popleft()
            while begun:
                yield await begun.popleft()
        finally:
            await asyncio.gather(*begun)
        if fault is not None:
            raise fault

    async def _read(self, request: Request) -> AsyncIterator[bytes | Fault]:
        """The lines, as many as are taken; what ends them early comes last."""
        left = self._limits.batch_max
        try:
            async for line in read_lines(chunks_of(request.body), self._limits.stream_item_bytes_max):
                if left == 0:
                    raise TooLarge(f"one request holds at most {self._limits.batch_max} lines")
                left -= 1
                yield line
        except Fault as fault:
            yield fault

    async def _line(self, request: Request, variables: tuple[str, ...]) -> bytes:
        response = await self._answer(request, variables)
        told = {text_of(name): text_of(value) for name, value in response.headers if name in _TOLD}
        assert isinstance(response.body, bytes)
        return _encode(_Line(response.status, told, msgspec.Raw(response.body or b"null")))


class _Line(msgspec.Struct, omit_defaults=True):
    """One answer."""

    status: int
    headers: dict[str, str]
    body: msgspec.Raw
    """The output, or the problem that says why there is none; null where there is nothing to say."""


_encode = msgspec.json.Encoder().encode
