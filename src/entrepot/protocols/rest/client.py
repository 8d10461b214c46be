"""Calls an upstream over HTTP as if it were a service."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

from entrepot.http.bodies import TooSlow, close, read
from entrepot.http.context import context_headers, own_headers
from entrepot.http.headers import all_of
from entrepot.http.media_types import narrow
from entrepot.model import shape
from entrepot.model.call import Call, Context, Reply
from entrepot.model.fault import Fault
from entrepot.model.faults import TooLarge
from entrepot.model.headers import Headers, header
from entrepot.model.operation import Service
from entrepot.model.security import Credential
from entrepot.ports.exchange import Exchange, Request, Response
from entrepot.ports.protocol import DocumentKind, Imported, Invokes
from entrepot.protocols.rest import etags, warnings
from entrepot.protocols.rest.binding.bound import PROBLEMS, REDIRECTS, Binding, accept_of
from entrepot.protocols.rest.binding.data import bind_upstream
from entrepot.protocols.rest.binding.notations import notation_of
from entrepot.protocols.rest.body.body import NO_CONTENT, ReadAnswer, WriteBody, broken
from entrepot.protocols.rest.body.codecs import ANSWERS, BODIES
from entrepot.protocols.rest.credentials import Shown, shown
from entrepot.protocols.rest.faults import ProblemReader
from entrepot.protocols.rest.openapi import reader
from entrepot.protocols.rest.parameters.head import HeadWriter
from entrepot.protocols.rest.reply_headers import meta_of, passed_on
from entrepot.shapes.document import Document
from entrepot.shapes.values import Values

PARTIAL_CONTENT = 206


class RestClient:
    """The client half of REST."""

    documents: Mapping[str, DocumentKind] = {"openapi": DocumentKind(words=("swagger",), operations=reader.count)}

    def read(self, document: Document, name: str) -> Imported:
        """An OpenAPI 3.0, 3.1 or 3.2 or Swagger 2.0 document as a service. Raises `Refused`."""
        return reader.read(document, name)

    def dial(
        self,
        service: Service,
        values: Values,
        exchange: Exchange,
        host: str,
        base_path: str = "",
        credentials: Mapping[str, Credential] = {},
    ) -> Invokes:
        """An Invoke for each operation. Raises `Unbindable` for one that REST cannot carry."""
        upstream = _Upstream(values, exchange, host, base_path)
        return {
            operation.name: _Calling(
                bind_upstream(operation, service), upstream, shown(operation, service.schemes, credentials)
            )
            for operation in service.operations
        }


class _Upstream(NamedTuple):
    """What the operations of one upstream share."""

    values: Values
    exchange: Exchange
    host: str
    base_path: str


class _Calling:
    """The Invoke of one operation. Its codecs are made when it is first called."""

    def __init__(self, binding: Binding, upstream: _Upstream, shown: Shown) -> None:
        operation, types = binding.operation, upstream.values.types
        self._binding = binding
        self._upstream = upstream
        self._shown = shown
        self._host = (b"host", upstream.host.encode())
        self._accept = accept_of(binding)
        self._offers = _offers(binding)
        self._passed_on = passed_on(operation)
        self._conditional = binding.conditions and not operation.safe
        self._idempotent = operation.idempotent or operation.safe
        self._nullable = not operation.stream_output and isinstance(
            shape.resolve(operation.output, types), shape.Nullable
        )

    @cached_property
    def _head(self) -> HeadWriter:
        return HeadWriter(self._binding, self._upstream.values, self._upstream.base_path)

    @cached_property
    def _write_body(self) -> WriteBody:
        return BODIES[self._binding.body].writer(self._binding, self._upstream.values)

    @cached_property
    def _read_answer(self) -> ReadAnswer:
        return ANSWERS[self._binding.answer].reader(self._binding, self._upstream.values, self._upstream.host)

    @cached_property
    def _problems(self) -> ProblemReader:
        return ProblemReader(self._binding.operation, self._upstream.values, self._upstream.host)

    async def __call__(self, call: Call) -> Reply:
        """Sends the call and reads the answer; whatever fails is in the reply."""
        try:
            path, query, headers = self._head.write(call.input)
            content = self._write_body(call.input, call.stream)
            request = Request(
                self._binding.method,
                path,
                self._shown.in_query(query),
                self._headers(call.context, headers + content.headers),
                content.body,
                deadline=call.context.deadline,
                idempotent=self._idempotent,
            )
            return await self._read(await self._upstream.exchange(request))
        except Fault as fault:
            return Reply(fault=fault)

    def _headers(self, context: Context, written: Headers) -> Headers:
        """Those of the input, and what we say ourselves where the input does not say it."""
        ours = [*own_headers(), (b"accept", self._accepted(context)), *context_headers(context)]
        if self._conditional:
            ours += etags.write_conditions(context.conditions)
        said = {name for name, _ in written}
        return self._shown.in_headers([self._host, *(pair for pair in ours if pair[0] not in said), *written])

    def _accepted(self, context: Context) -> bytes:
        """What may be answered: of several media types those that the caller takes."""
        if not self._offers:
            return self._accept
        chosen = narrow(all_of(context.meta.headers, b"accept") or b"", self._offers)
        return f"{chosen}, {PROBLEMS}".encode() if chosen else self._accept

    async def _read(self, response: Response) -> Reply:
        """The reply that a response stands for. Raises `UpstreamFailed` or `Timeout` for what breaks the contract."""
        keeps_body = False
        try:
            if not 200 <= response.status <= 299 and not self._is_redirect(response.status):
                return Reply(fault=await self._read_fault(response))
            output = await self._read_output(response)
            keeps_body = self._binding.answer in ("file", "stream")
            beside = warnings.read(response.headers, self._problems.faults, self._upstream.values.limits)
            return Reply(output, meta=meta_of(response.headers, self._passed_on), warnings=beside)
        finally:
            if not keeps_body and not isinstance(response.body, bytes):
                await close(response.body)

    def _is_redirect(self, status: int) -> bool:
        """Whether the answer is a redirect as the contract has it; any other is not followed."""
        return self._binding.answer == "redirect" and status in REDIRECTS

    async def _read_output(self, response: Response) -> Any:
        coding = header(response.headers, b"content-encoding")
        if coding and coding.lower() != b"identity":
            what = f"answered with a body encoded by {coding.decode('latin-1')!r}, unasked"
            raise broken(self._upstream.host, what)
        if response.status == PARTIAL_CONTENT:
            raise broken(self._upstream.host, "answered with a part of the content, unasked")
        if response.status == NO_CONTENT and self._nullable:
            return None
        return await self._read_answer(response)

    async def _read_fault(self, response: Response) -> Fault:
        try:
            body = await read(response.body, self._upstream.values.limits.reply_bytes_max)
        except (TooLarge, TooSlow):
            body = b""
        return self._problems.read(response.status, response.headers, body)


def _offers(binding: Binding) -> tuple[str, ...]:
    """The media types that a caller may choose among; a stream is read in any form and written anew, and so is a value
    in whichever notation it comes."""
    media_types = () if binding.answer == "stream" else binding.produces
    if binding.answer in ("value", "arms"):
        media_types = tuple(each for each in media_types if notation_of(each) == "json")
    return media_types if len(media_types) > 1 or "*" in "".join(media_types) else ()
