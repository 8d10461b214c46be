"""Calls the operations of a JSON-RPC 2.0 upstream over HTTP POST, one request for each call."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model.call import Call, Context, Headers, Reply
from entrepot.model.fault import KINDS, Fault
from entrepot.model.faults import TooLarge, UpstreamFailed
from entrepot.model.operation import Operation, Service
from entrepot.ports.context import context_headers, own_headers
from entrepot.ports.exchange import Exchange, Request, Response, close, read
from entrepot.ports.problems import kind_of, retry_after
from entrepot.ports.protocol import Can, Document, Imported, Invokes
from entrepot.protocols.jsonrpc import codec, openrpc_in
from entrepot.protocols.jsonrpc.binding import method_of, takes_positions_only
from entrepot.protocols.jsonrpc.faults import OperationFaults
from entrepot.protocols.jsonrpc.params import Params
from entrepot.shapes.values import Values

_JSON = b"application/json"


class JsonRpcClient:
    """The calling half of the protocol."""

    documents: tuple[str, ...] = ("openrpc",)

    def read(self, document: Document, name: str) -> Imported:
        """An OpenRPC 1.x document as a service. Raises `Refused` when it is not one."""
        return openrpc_in.read(document, name, Can())

    def dial(
        self, service: Service, values: Values, exchange: Exchange, host: str, base_path: str = "",
        limits: Limits = DEFAULT_LIMITS,
    ) -> Invokes:  # fmt: skip
        """An Invoke for each operation, which posts to `base_path` ("" is "/"): JSON-RPC has one address."""
        ids = itertools.count(1)
        endpoint = _Endpoint(exchange, host, base_path or "/", limits)
        return {
            operation.name: _Method(operation, method_of(operation, service), values, endpoint, ids)
            for operation in service.operations
        }


class _Endpoint:
    """Where requests go."""

    def __init__(self, exchange: Exchange, host: str, path: str, limits: Limits) -> None:
        self.host = host
        self.limits = limits
        self._exchange = exchange
        self._path = path.encode()
        self._headers: Headers = [
            (b"host", host.encode()), *own_headers(), (b"content-type", _JSON), (b"accept", _JSON),
        ]  # fmt: skip

    async def post(self, body: bytes, context: Context, idempotent: bool) -> tuple[Response, bytes]:
        """The response and its body. Raises `UpstreamFailed` or `Timeout` when there is none."""
        headers = self._headers + context_headers(context)
        request = Request(
            "POST", self._path, headers=headers, body=body, deadline=context.deadline, idempotent=idempotent
        )
        response = await self._exchange(request)
        try:
            return response, await read(response.body, self.limits.reply_bytes_max)
        except TooLarge as fault:
            raise UpstreamFailed(f"the answer is too large: {fault.detail}", upstream=self.host) from None
        finally:
            await close(response.body)


class _Method:
    """An Invoke: one operation of the upstream."""

    def __init__(
        self, operation: Operation, method: str, values: Values, endpoint: _Endpoint, ids: Iterator[int]
    ) -> None:
        self._method = method
        self._endpoint = endpoint
        self._ids = ids
        self._idempotent = operation.safe or operation.idempotent
        self._params = Params(operation, values, endpoint.limits, by_position=takes_positions_only(operation))
        self._output = values.codec(operation.output)
        self._faults = OperationFaults(operation, values, endpoint.host, endpoint.limits)

    async def __call__(self, call: Call) -> Reply:
        try:
            return await self._call(call)
        except Fault as fault:
            if fault.kind == "upstream_failed":
                fault.upstream = fault.upstream or self._endpoint.host
            return Reply(fault=fault)

    async def _call(self, call: Call) -> Reply:
        id = next(self._ids)
        body = codec.encode_request(self._method, self._params.encode(call.input), id)
        response, data = await self._endpoint.post(body, call.context, self._idempotent)
        try:
            answer = codec.decode_reply(data, id)
        except UpstreamFailed:
            if not 200 <= response.status <= 299:
                raise self._refused(response) from None
            raise
        if isinstance(answer, codec.Error):
            return Reply(fault=self._faults.read(answer))
        try:
            return Reply(self._output.decode(answer))
        except Fault as fault:
            raise UpstreamFailed("the result does not fit its contract", issues=fault.issues) from None

    def _refused(self, response: Response) -> Fault:
        """What HTTP alone tells, where no message of the protocol came."""
        host, status = self._endpoint.host, response.status
        kind = kind_of(status)
        if kind not in _TOLD_BY_HTTP:
            return UpstreamFailed(f"{host} answered with the HTTP status {status}", upstream=host)
        blamed = host if KINDS[kind].blame != "caller" else ""
        return Fault.of(kind, f"{host} answered {status}", retry_after=retry_after(response.headers), upstream=blamed)


_TOLD_BY_HTTP = ("unauthenticated", "forbidden", "too_large", "rate_limited", "unavailable", "timeout")
"""What a server, or a proxy before it, may say of any call. A 404 is of the one address, never of the call."""
