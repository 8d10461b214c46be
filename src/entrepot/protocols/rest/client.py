"""Calls an upstream over HTTP as if it were a service."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
from typing import NamedTuple

from entrepot.http.context import context_headers, own_headers
from entrepot.http.headers import all_of
from entrepot.http.media_types import narrow
from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model.call import Call, Context, Reply
from entrepot.model.fault import Fault
from entrepot.model.headers import Headers
from entrepot.model.operation import Operation, Service
from entrepot.model.shape import Types
from entrepot.ports.exchange import Exchange, Request
from entrepot.ports.protocol import Document, Imported, Invokes
from entrepot.protocols.rest import etags
from entrepot.protocols.rest.binding.bound import PROBLEMS, Binding, accept_of
from entrepot.protocols.rest.binding.data import bind_upstream
from entrepot.protocols.rest.input_writer import InputWriter
from entrepot.protocols.rest.openapi import reader
from entrepot.protocols.rest.output_reader import OutputReader
from entrepot.shapes.values import Values


class RestClient:
    """The client half of REST."""

    documents: Mapping[str, tuple[str, ...]] = {"openapi": ("swagger",)}

    def read(self, document: Document, name: str) -> Imported:
        """An OpenAPI 3.0 or 3.1 or Swagger 2.0 document as a service. Raises `Refused`."""
        return reader.read(document, name)

    def dial(
        self, service: Service, values: Values, exchange: Exchange, host: str, base_path: str = "",
        limits: Limits = DEFAULT_LIMITS,
    ) -> Invokes:  # fmt: skip
        """An Invoke for each operation. Raises `Unbindable` for one that REST cannot carry."""
        upstream = _Upstream(values, service.types, exchange, host, base_path, limits)
        return {
            operation.name: _Calling(operation, bind_upstream(operation, service), upstream)
            for operation in service.operations
        }


class _Upstream(NamedTuple):
    """What the operations of one upstream share."""

    values: Values
    types: Types
    exchange: Exchange
    host: str
    base_path: str
    limits: Limits


class _Calling:
    """The Invoke of one operation. Its codecs are made when it is first called."""

    def __init__(self, operation: Operation, binding: Binding, upstream: _Upstream) -> None:
        self._upstream = upstream
        self._method = binding.method
        self._host = (b"host", upstream.host.encode())
        self._accept = accept_of(binding)
        self._offers = _offers(operation, binding)
        self._conditional = binding.conditions and not operation.safe
        self._idempotent = operation.idempotent or operation.safe
        values, types = upstream.values, upstream.types
        self._make_writer = partial(InputWriter, operation, binding, values, types, upstream.base_path)
        self._make_reader = partial(OutputReader, operation, binding, values, types, upstream.host, upstream.limits)

    @cached_property
    def _writer(self) -> InputWriter:
        return self._make_writer()

    @cached_property
    def _reader(self) -> OutputReader:
        return self._make_reader()

    async def __call__(self, call: Call) -> Reply:
        """Sends the call and reads the answer; whatever fails is in the reply."""
        try:
            written = self._writer.write(call.input, call.stream)
            request = Request(
                self._method,
                written.path,
                written.query,
                self._headers(call.context, written.headers),
                written.body,
                deadline=call.context.deadline,
                idempotent=self._idempotent,
            )
            return await self._reader.read(await self._upstream.exchange(request))
        except Fault as fault:
            return Reply(fault=fault)

    def _headers(self, context: Context, written: Headers) -> Headers:
        """Those of the input, and what we say ourselves where the input does not say it."""
        ours = [*own_headers(), (b"accept", self._accepted(context)), *context_headers(context)]
        if self._conditional:
            ours += etags.write_conditions(context.conditions)
        said = {name for name, _ in written}
        return [self._host, *(pair for pair in ours if pair[0] not in said), *written]

    def _accepted(self, context: Context) -> bytes:
        """What may be answered: of several media types those that the caller takes."""
        if not self._offers:
            return self._accept
        chosen = narrow(all_of(context.meta.headers, b"accept") or b"", self._offers)
        return f"{chosen}, {PROBLEMS}".encode() if chosen else self._accept


def _offers(operation: Operation, binding: Binding) -> tuple[str, ...]:
    """The media types that a caller may choose among; a stream is read in any form and written anew."""
    media_types = () if operation.stream_output else binding.produces
    return media_types if len(media_types) > 1 or "*" in "".join(media_types) else ()
