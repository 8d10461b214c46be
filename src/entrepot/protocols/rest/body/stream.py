"""Streams of JSON items: lines in a request; in an answer lines, or server-sent events where they are wanted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from entrepot.http.bodies import chunks_of, close
from entrepot.http.headers import HeaderMap
from entrepot.http.lines import TRAILER, read_lines, write_lines
from entrepot.http.media_types import MediaTypes, essence
from entrepot.http.sse import ERROR_EVENT, read_events, write_events
from entrepot.model.call import Context
from entrepot.model.fault import Fault, Issue
from entrepot.model.faults import TooLarge
from entrepot.model.headers import Headers, header
from entrepot.ports.exchange import Request, Response
from entrepot.ports.faults import members_of
from entrepot.protocols.rest.binding.bound import EVENT_STREAM, NDJSON, Binding
from entrepot.protocols.rest.body.body import (
    BodyReader,
    Content,
    ReadAnswer,
    WriteAnswer,
    WriteBody,
    broken,
    refuse_media_type,
)
from entrepot.protocols.rest.body.value import output_decoder
from entrepot.protocols.rest.faults import ProblemReader, of_error, written
from entrepot.protocols.rest.reply_headers import attribute_with_role
from entrepot.shapes.values import Codec, Values

HEARTBEAT_SECONDS = 15.0
"""The longest that an event stream is silent."""
_UNCACHED: Headers = [(b"cache-control", b"no-cache"), (b"vary", b"accept")]


def items_reader(binding: Binding, values: Values) -> BodyReader:
    """Reads inbound items, as they come and while the operation runs."""
    assert binding.operation.stream_input is not None
    codec, media_types = values.codec(binding.operation.stream_input), MediaTypes(binding.accepts)

    async def fetch(request: Request, headers: HeaderMap) -> AsyncIterator[Any]:
        refuse_media_type(media_types, headers)
        return _items(request, codec, values.limits.stream_item_bytes_max)

    return BodyReader(fetch, lambda _items, _attributes, _issues: None)


async def _items(request: Request, codec: Codec, limit: int) -> AsyncIterator[Any]:
    index = 0
    async for line in read_lines(chunks_of(request.body), limit):
        try:
            yield codec.decode(line)
        except Fault as fault:
            place = f"/stream/{index}"
            fault.detail = f"item {index} of the stream: {fault.detail}"
            fault.issues = tuple(Issue(place + each.pointer, each.code, each.message) for each in fault.issues)
            raise
        index += 1


def items_writer(binding: Binding, values: Values) -> WriteBody:
    """Writes inbound items as lines."""
    assert binding.operation.stream_input is not None
    encode, media_type = values.codec(binding.operation.stream_input).encode, binding.accepts[0].encode()

    async def lines(stream: AsyncIterator[Any]) -> AsyncIterator[bytes]:
        async for item in stream:
            yield encode(item) + b"\n"

    def write_items(_input: Any, stream: AsyncIterator[Any] | None) -> Content:
        return Content([(b"content-type", media_type)], b"" if stream is None else lines(stream))

    return write_items


def answer_writer(binding: Binding, values: Values) -> WriteAnswer:
    """Writes a stream of outputs, which ends with the problem of what ended it, if anything did."""
    operation = binding.operation
    encode = values.codec(operation.output).encode
    identify = attribute_with_role(operation.output, "cursor", values.types)

    def write_stream(output: AsyncIterator[Any], media_type: str, context: Context) -> Response:
        def problem(error: Exception) -> bytes:
            return written(members_of(of_error(error, operation, context), context.trace_id, operation, values))

        if media_type == EVENT_STREAM:
            body = write_events(output, encode, problem, identify, HEARTBEAT_SECONDS)
        else:
            body = write_lines(output, encode, problem)
        return Response(binding.status, [(b"content-type", media_type.encode()), *_UNCACHED], body)

    return write_stream


def answer_reader(binding: Binding, values: Values, upstream: str) -> ReadAnswer:
    """Reads a stream of outputs; what ends it early is raised as it says."""
    decode, limit = output_decoder(binding, values, upstream), values.limits.stream_item_bytes_max
    problems = ProblemReader(binding.operation, values, upstream)

    async def read_answer(response: Response) -> AsyncIterator[Any]:
        label, chunks = essence(header(response.headers, b"content-type") or b""), chunks_of(response.body)
        if label == EVENT_STREAM:
            return outputs(read_events(chunks, limit), response)
        if label in (NDJSON, "application/jsonl"):
            return outputs(_as_events(read_lines(chunks, limit)), response)
        raise broken(upstream, f"answered with {label or 'an unlabelled body'} instead of a stream")

    async def outputs(events: AsyncIterator[tuple[str, bytes]], response: Response) -> AsyncIterator[Any]:
        index = 0
        try:
            async for name, content in events:
                if name == ERROR_EVENT:
                    raise problems.read_end(content)
                yield decode(content, f"/{index}")
                index += 1
        except TooLarge as large:
            raise broken(upstream, f"sent an item that is too long: {large.detail}") from None
        finally:
            if not isinstance(response.body, bytes):
                await close(response.body)

    return read_answer


async def _as_events(lines: AsyncIterator[bytes]) -> AsyncIterator[tuple[str, bytes]]:
    """Lines as events: the trailer is the event that ends a stream."""
    async for line in lines:
        if line.startswith(TRAILER) and line.rstrip().endswith(b"}"):
            yield ERROR_EVENT, line.rstrip()[len(TRAILER) : -1]
        else:
            yield "", line
