"""The smallest protocol there could be, for what binds and serves protocols and is none itself.

`POST /line/{service}/{operation}` with the input as JSON gives 200 and the output as JSON, one
line for each item of a stream; a fault gives its kind's status and an object that tells it. A
stream that fails ends with such an object in a line after `!`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec

from entrepot.http.bodies import read
from entrepot.http.context import context_of
from entrepot.http.problems import problem_response
from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model.call import Call, Context, Invoke, Meta, Reply
from entrepot.model.fault import Fault
from entrepot.model.faults import UnknownOperation
from entrepot.model.operation import Operation, Service
from entrepot.model.security import Credential
from entrepot.ports.exchange import Exchange, Request, Response
from entrepot.ports.protocol import (
    Address,
    Can,
    Contract,
    DocumentKind,
    Imported,
    Invokes,
    Mount,
    Protocol,
    ServedService,
)
from entrepot.shapes.document import Document
from entrepot.shapes.values import Codec, Values


class LineServer:
    """Serves each service below a prefix of its own."""

    def mounts(self, service: Service) -> Sequence[Mount]:
        return [Mount(f"/line/{service.name}/")]

    def addresses(self, service: Service) -> Mapping[str, Address]:
        return {each.name: Address(f"POST {_path(service, each)}", _path(service, each)) for each in service.operations}

    def sample(self, service: Service, base_url: str) -> str:
        return ""

    def contracts(self, services: Sequence[Service]) -> Mapping[str, Contract]:
        return {}

    def serve(self, services: Sequence[ServedService], limits: Limits = DEFAULT_LIMITS) -> Exchange:
        routes = {
            _path(each.service, operation).encode(): (
                operation,
                each.invokes[operation.name],
                each.values.codec(operation.input),
                each.values.codec(operation.output),
            )
            for each in services
            for operation in each.service.operations
        }

        async def exchange(request: Request) -> Response:
            if request.path not in routes:
                return problem_response(UnknownOperation("nothing is served at this address"), context_of(request))
            operation, invoke, input_codec, output_codec = routes[request.path]
            context = Context(meta=Meta(request.headers), departure=request.departure)
            try:
                value = input_codec.decode(await read(request.body, limits.body_bytes_max) or b"{}")
            except Fault as fault:
                return _refusal(fault)
            reply = await invoke(Call(operation, value, context=context))
            if reply.fault is not None:
                return _refusal(reply.fault)
            if operation.stream_output:
                return Response(200, [], _lines(reply.output, output_codec))
            return Response(200, [], output_codec.encode(reply.output))

        return exchange


class LineClient:
    """Calls a `LineServer`."""

    documents: Mapping[str, DocumentKind] = {}

    def read(self, document: Document, name: str) -> Imported:
        raise NotImplementedError

    def dial(
        self,
        service: Service,
        values: Values,
        exchange: Exchange,
        host: str,
        base_path: str = "",
        credentials: Mapping[str, Credential] = {},
        limits: Limits = DEFAULT_LIMITS,
    ) -> Invokes:
        def invoke_of(operation: Operation) -> Invoke:
            path = (base_path + _path(service, operation)).encode()

            async def invoke(call: Call) -> Reply:
                body = values.codec(operation.input).encode(call.input)
                request = Request("POST", path, b"", [(b"host", host.encode())], body, deadline=call.context.deadline)
                response = await exchange(request)
                answer = await read(response.body, limits.reply_bytes_max)
                if response.status == 200:
                    return Reply(values.codec(operation.output).decode(answer))
                return Reply(fault=Fault.of(**{"upstream": host, **msgspec.json.decode(answer)}))

            return invoke

        return {operation.name: invoke_of(operation) for operation in service.operations}


LINE = Protocol("line", LineServer(), LineClient(), Can(streams_out=True))


def _path(service: Service, operation: Operation) -> str:
    return f"/line/{service.name}/{operation.name}"


def _told(fault: Fault) -> dict[str, Any]:
    told = {"kind": fault.kind, "detail": fault.detail, "name": fault.name, "data": msgspec.to_builtins(fault.data)}
    return {name: value for name, value in told.items() if value}


def _refusal(fault: Fault) -> Response:
    return Response(fault.row.status, [], msgspec.json.encode(_told(fault)))


async def _lines(items: Any, codec: Codec) -> AsyncIterator[bytes]:
    try:
        async for item in items:
            yield codec.encode(item) + b"\n"
    except Fault as fault:
        yield b"!" + msgspec.json.encode(_told(fault)) + b"\n"
    finally:
        await items.aclose()
