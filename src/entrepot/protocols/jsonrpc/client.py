"""Calls the operations of a JSON-RPC 2.0 upstream over HTTP POST, one request for each call."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from entrepot.http.posts import Poster
from entrepot.model.call import Call, Reply
from entrepot.model.fault import Fault
from entrepot.model.faults import UpstreamFailed
from entrepot.model.operation import Operation, Service
from entrepot.model.security import Credential
from entrepot.ports.exchange import Exchange
from entrepot.ports.protocol import DocumentKind, Imported, Invokes
from entrepot.protocols.jsonrpc import codec, openrpc_in
from entrepot.protocols.jsonrpc.binding import takes_positions_only, upstream_method_of
from entrepot.protocols.jsonrpc.faults import OperationFaults
from entrepot.protocols.jsonrpc.params import Params
from entrepot.shapes.document import Document
from entrepot.shapes.values import Values

_JSON = b"application/json"


class JsonRpcClient:
    """The calling half of the protocol."""

    documents: Mapping[str, DocumentKind] = {"openrpc": DocumentKind(operations=openrpc_in.count)}

    def read(self, document: Document, name: str) -> Imported:
        """An OpenRPC 1.x document as a service. Raises `Refused` when it is not one."""
        return openrpc_in.read(document, name)

    def dial(
        self,
        service: Service,
        values: Values,
        exchange: Exchange,
        host: str,
        base_path: str = "",
        credentials: Mapping[str, Credential] = {},  # noqa: ARG002
    ) -> Invokes:
        """An Invoke for each operation, which posts to `base_path` ("" is "/"): JSON-RPC has one address.

        No `credentials` are shown: OpenRPC has no word for what an operation demands.
        """
        ids = itertools.count(1)
        poster = Poster(exchange, host, base_path or "/", _JSON, values.limits)
        return {
            operation.name: _Method(operation, upstream_method_of(operation, service), values, poster, ids)
            for operation in service.operations
        }


class _Method:
    """An Invoke: one operation of the upstream."""

    def __init__(self, operation: Operation, method: str, values: Values, poster: Poster, ids: Iterator[int]) -> None:
        self._method = method
        self._poster = poster
        self._ids = ids
        self._idempotent = operation.safe or operation.idempotent
        self._params = Params(operation, values, by_position=takes_positions_only(operation))
        self._output = values.codec(operation.output)
        self._faults = OperationFaults(operation, values, poster.host)

    async def __call__(self, call: Call) -> Reply:
        try:
            return await self._call(call)
        except Fault as fault:
            if fault.kind == "upstream_failed":
                fault.upstream = fault.upstream or self._poster.host
            return Reply(fault=fault)

    async def _call(self, call: Call) -> Reply:
        id = next(self._ids)
        body = codec.encode_request(self._method, self._params.encode(call.input), id)
        response, data = await self._poster.post(body, call.context, idempotent=self._idempotent)
        try:
            answer = codec.decode_reply(data, id)
        except UpstreamFailed:
            if not 200 <= response.status <= 299:
                raise self._poster.failure(response) from None
            raise
        if isinstance(answer, codec.Error):
            return Reply(fault=self._faults.read(answer))
        try:
            return Reply(self._output.decode(answer))
        except Fault as fault:
            raise UpstreamFailed("the result does not fit its contract", issues=fault.issues) from None
