"""A response as a reply: the client's half of the codec.

Whatever an upstream answers becomes a reply or a fault. An answer outside the contract is
`upstream_failed`, with the upstream's name and a pointer to every issue.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from entrepot.http.bodies import TooSlow, chunks_of, close, read, read_reply
from entrepot.http.lines import TRAILER, read_lines
from entrepot.http.media_types import essence, matches
from entrepot.http.sse import ERROR_EVENT, read_events
from entrepot.kit.limits import Limits
from entrepot.model import shape
from entrepot.model.call import Meta, Reply
from entrepot.model.fault import Fault, Issue
from entrepot.model.faults import Timeout, TooLarge, UpstreamFailed
from entrepot.model.headers import Headers, header
from entrepot.model.operation import Operation
from entrepot.model.shape import Types
from entrepot.ports.exchange import Response
from entrepot.ports.faults import FaultReader
from entrepot.protocols.rest import faults, warnings
from entrepot.protocols.rest.binding.bound import EVENT_STREAM, NDJSON, Binding
from entrepot.protocols.rest.binding.places import is_octets
from entrepot.protocols.rest.body.octets import file_of
from entrepot.shapes.values import Values

_KEPT = frozenset((b"etag", b"location", b"last-modified", b"link"))
"""Headers of an answer that mean something to whoever called."""
_NO_CONTENT = 204


class OutputReader:
    """Reads the answers to one operation."""

    def __init__(
        self, operation: Operation, binding: Binding, values: Values, types: Types, host: str, limits: Limits
    ) -> None:
        self._host = host
        self._limits = limits
        self._streams = operation.stream_output
        self._produces = binding.produces
        self._faults = faults.ProblemReader(operation, values, host, limits)
        self._part_faults = FaultReader(operation, values, host, limits)
        output = shape.resolve(operation.output, types)
        self._empty = isinstance(output, shape.Null) and not self._streams
        self._octets = is_octets(output, types) and not self._streams
        self._is_file = self._octets and isinstance(shape.unwrap(output, types), shape.File)
        self._nullable = isinstance(output, shape.Nullable)
        self._decode: Callable[[bytes], Any] = (
            _no_json if self._octets else values.codec(operation.output).decode_trusted
        )

    async def read(self, response: Response) -> Reply:
        """The reply that a response stands for; never an exception that is not the transport's."""
        keeps_body = False
        try:
            if not 200 <= response.status <= 299:
                return Reply(fault=await self._read_fault(response))
            output = await self._read_output(response)
            keeps_body = self._streams or self._is_file
            beside = warnings.read(response.headers, self._part_faults, self._limits)
            return Reply(output=output, meta=_meta(response.headers), warnings=beside)
        except (UpstreamFailed, Timeout) as fault:
            return Reply(fault=fault)
        finally:
            if not keeps_body and not isinstance(response.body, bytes):
                await close(response.body)

    async def _read_fault(self, response: Response) -> Fault:
        try:
            body = await read(response.body, self._limits.reply_bytes_max)
        except (TooLarge, TooSlow):
            body = b""
        return self._faults.read(response.status, response.headers, body)

    async def _read_output(self, response: Response) -> Any:
        coding = header(response.headers, b"content-encoding")
        if coding and coding.lower() != b"identity":
            raise self._broken(f"answered with a body encoded by {coding.decode('latin-1')!r}, unasked")
        if self._streams:
            return self._read_stream(response)
        if self._empty:
            return None
        if self._octets:
            return await self._read_octets(response)
        if response.status == _NO_CONTENT and self._nullable:
            return None
        self._check_media_type(response)
        return self._decoded(await self._read_whole(response), "")

    def _check_media_type(self, response: Response) -> None:
        label = header(response.headers, b"content-type")
        found = essence(label) if label else self._produces[0]
        if found.endswith("json") or any(matches(wanted, found) for wanted in self._produces):
            return
        raise self._broken(f"answered with {found} instead of {self._produces[0]}")

    def _read_whole(self, response: Response) -> Awaitable[bytes]:
        return read_reply(response.body, self._limits.reply_bytes_max, self._host)

    def _decoded(self, content: bytes, place: str) -> Any:
        try:
            return self._decode(content)
        except Fault as broken:
            issues = tuple(Issue(place + each.pointer, each.code, each.message) for each in broken.issues)
            raise self._broken("answered outside its contract", issues) from None

    def _broken(self, what: str, issues: tuple[Issue, ...] = ()) -> UpstreamFailed:
        return UpstreamFailed(f"{self._host} {what}", issues=issues, upstream=self._host)

    async def _read_octets(self, response: Response) -> Any:
        if response.status == _NO_CONTENT and self._nullable:
            return None
        if not self._is_file:
            return await self._read_whole(response)
        return file_of(response.headers, response.body)

    def _read_stream(self, response: Response) -> AsyncIterator[Any]:
        label = essence(header(response.headers, b"content-type") or b"")
        chunks, limit = chunks_of(response.body), self._limits.stream_item_bytes_max
        if label == EVENT_STREAM:
            return self._items(read_events(chunks, limit), response)
        if label in (NDJSON, "application/jsonl"):
            return self._items(_named(read_lines(chunks, limit)), response)
        raise self._broken(f"answered with {label or 'an unlabelled body'} instead of a stream")

    async def _items(self, found: AsyncIterator[tuple[str, bytes]], response: Response) -> AsyncIterator[Any]:
        index = 0
        try:
            async for name, content in found:
                if name == ERROR_EVENT:
                    raise self._faults.read_end(content)
                yield self._decoded(content, f"/{index}")
                index += 1
        except TooLarge as large:
            raise self._broken(f"sent an item that is too long: {large.detail}") from None
        finally:
            if not isinstance(response.body, bytes):
                await close(response.body)


async def _named(lines: AsyncIterator[bytes]) -> AsyncIterator[tuple[str, bytes]]:
    """Lines as events: the trailer is the event that ends a stream."""
    async for line in lines:
        if line.startswith(TRAILER) and line.rstrip().endswith(b"}"):
            yield ERROR_EVENT, line.rstrip()[len(TRAILER) : -1]
        else:
            yield "", line


def _no_json(_content: bytes) -> Any:
    raise TypeError("octets are not JSON")


def _meta(headers: Headers) -> Meta | None:
    kept = [pair for pair in headers if pair[0] in _KEPT]
    return Meta(kept) if kept else None
