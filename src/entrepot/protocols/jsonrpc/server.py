"""Serves services as JSON-RPC 2.0 over HTTP POST, all of them at one address.

The specification says nothing about HTTP. Here a request that reached JSON-RPC is answered with
status 200, whatever its outcome, and with 204 when there is nothing to say (only notifications);
what HTTP itself refuses has its own status, and an error object as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import msgspec

from entrepot.http.bodies import TooSlow, read
from entrepot.http.context import context_of
from entrepot.http.headers import LENGTHS
from entrepot.http.media_types import MediaTypes
from entrepot.http.pages import MadeOnce, page
from entrepot.http.posts import NotPosted, check_post, rejection
from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model.call import Call, Context, Invoke, Reply
from entrepot.model.fault import Fault
from entrepot.model.faults import Malformed, TooLarge, UnknownOperation, Unsupported
from entrepot.model.operation import Operation, Service
from entrepot.ports.exchange import Exchange, Request, Response
from entrepot.ports.faults import unforeseen
from entrepot.ports.protocol import Address, Contract, Mount, ServedService
from entrepot.protocols.jsonrpc import codec, openrpc_out, sample
from entrepot.protocols.jsonrpc.binding import method_of
from entrepot.protocols.jsonrpc.explain import NULL, NotARequest, NotJson
from entrepot.protocols.jsonrpc.faults import PARSE_ERROR, OperationFaults, plain_error
from entrepot.protocols.jsonrpc.params import Params
from entrepot.shapes.values import Codec

PATH = "/jsonrpc"
DISCOVER = "rpc.discover"
_JSON = b"application/json"
_TAKEN = MediaTypes(["application/json"])
_CONTENT_TYPE = (b"content-type", _JSON)


class JsonRpcServer:
    """The serving half of the protocol."""

    def mounts(self, service: Service) -> Sequence[Mount]:  # noqa: ARG002
        """One address for all services: a method's name says which."""
        return (Mount(PATH, exact=True),)

    def addresses(self, service: Service) -> Mapping[str, Address]:
        """By operation: the address and the method, which alone tells operations apart."""
        methods = {each.name: method_of(each, service) for each in service.operations}
        return {name: Address(f"POST {PATH} {method}", method) for name, method in methods.items()}

    def sample(self, service: Service, base_url: str) -> str:
        """A curl line that calls the operation whose input is the easiest to guess."""
        return sample.command(service, f"{base_url}{PATH}")

    def contracts(self, services: Sequence[Service]) -> Mapping[str, Contract]:
        """One OpenRPC document for all, where they are called; `rpc.discover` gives it as well."""
        return {PATH: Contract("openrpc", _JSON.decode(), partial(openrpc_out.write, services))}

    def serve(self, services: Sequence[ServedService], limits: Limits = DEFAULT_LIMITS) -> Exchange:
        """An exchange that answers calls of every operation.

        Raises ValueError when two are the same method, which `check` has told before.
        """
        contract = self.contracts([served.service for served in services])[PATH]
        return _Exchange(services, MadeOnce(contract.write), limits)


class _Method(msgspec.Struct, frozen=True):
    """An operation, bound and compiled."""

    operation: Operation
    label: str
    """What a log calls it."""
    invoke: Invoke
    params: Params
    output: Codec
    faults: OperationFaults


class _Exchange:
    """The exchange: from a body to calls, from replies to a body."""

    def __init__(self, services: Sequence[ServedService], document: MadeOnce, limits: Limits) -> None:
        self._limits = limits
        self._split_batch = codec.array_splitter(limits.batch_max)
        self._methods = _compile(services)
        self._document = document
        self._page = page(_JSON.decode(), document)

    async def __call__(self, request: Request) -> Response:
        headers = dict(request.headers)
        context = context_of(request, headers)
        try:
            check_post(request, headers, _TAKEN)
            data = await read(request.body, self._limits.body_bytes_max, headers.get(b"content-length"))
            if not data.isascii():
                codec.check_text(data)
        except NotPosted as fault:
            if request.method in ("GET", "HEAD"):
                return await self._page(request)
            return rejection(fault, _whole_error(fault, context), _JSON, b"GET, HEAD, POST")
        except (Unsupported, TooLarge, TooSlow) as fault:
            return rejection(fault, _whole_error(fault, context), _JSON)
        except NotJson as error:
            return _response(_parse_error(error, context))
        if data[:1] != b"{" and codec.is_batch(data):
            return _response(await self._answer_batch(data, request, context))
        return _response(await self._answer(data, context))

    async def _answer(self, data: bytes, context: Context, room: int | None = None) -> bytes | None:
        """The response object to one request object; None to a notification, whatever becomes of it.

        `room` is how many octets the replies of its batch may still have; a request alone has no such bound.
        """
        try:
            message = codec.decode_request(data, self._limits)
        except NotJson as error:
            return _parse_error(error, context)
        except NotARequest as problem:
            return codec.encode_error(plain_error(problem.fault, context.trace_id), problem.id)
        id = message.id
        if room is not None and (unfit := _unfit_for_batch(message.method, room)) is not None:
            return None if id is None else codec.encode_error(plain_error(unfit, context.trace_id), id)
        method = self._methods.get(message.method)
        if method is None:
            return await self._answer_unbound(message, context)
        try:
            value = method.params.decode(message.params)
        except Fault as fault:
            reply = Reply(fault=fault)
        else:
            reply = await method.invoke(Call(method.operation, value, None, context))
        if id is None:
            return None
        return _encode(method, reply, id, context)

    async def _answer_unbound(self, message: codec.Request, context: Context) -> bytes | None:
        if message.id is None:
            return None
        if message.method == DISCOVER:
            return codec.encode_result(await self._document.content(), message.id)
        fault = UnknownOperation("there is no such method; rpc.discover lists those there are")
        return codec.encode_error(plain_error(fault, context.trace_id), message.id)

    async def _answer_batch(self, data: bytes, request: Request, context: Context) -> bytes | None:
        """The response objects in the order of their requests (§6), worked out side by side."""
        try:
            items = self._split_batch(data)
        except NotJson as error:
            return _parse_error(error, context)
        except TooLarge:
            return _whole_error(TooLarge(f"a batch holds at most {self._limits.batch_max} requests"), context)
        if not items:
            return _whole_error(Malformed("a batch holds at least one request"), context)
        replies = await self._answer_all(items, request)
        return codec.encode_batch(replies) if replies else None

    async def _answer_all(self, items: list[bytes], request: Request) -> list[bytes]:
        replies: list[bytes | None] = [None] * len(items)
        room = self._limits.reply_bytes_max
        # A key names one request, and here are several.
        headers = [pair for pair in request.headers if pair[0] != b"idempotency-key"]
        unkeyed = msgspec.structs.replace(request, headers=headers)
        pending = iter(enumerate(items))

        async def work(pending: Iterator[tuple[int, bytes]]) -> None:
            nonlocal room
            for index, item in pending:
                replies[index] = reply = await self._answer(item, context_of(unkeyed), room)
                room -= len(reply or b"")

        async with asyncio.TaskGroup() as group:
            for _ in range(min(len(items), self._limits.batch_concurrency_max)):
                group.create_task(work(pending))
        return [reply for reply in replies if reply is not None]


def _compile(services: Sequence[ServedService]) -> dict[str, _Method]:
    methods: dict[str, _Method] = {}
    for served in services:
        for operation in served.service.operations:
            name = method_of(operation, served.service)
            if name in methods:
                raise ValueError(f"two operations are the JSON-RPC method {name!r}")
            methods[name] = _Method(
                operation,
                f"{served.service.name}.{operation.name}",
                served.invokes[operation.name],
                Params(operation, served.values),
                served.values.codec(operation.output),
                OperationFaults(operation, served.values),
            )
    return methods


def _unfit_for_batch(method: str, room: int) -> Fault | None:
    """Why a request is not carried out in a batch whose replies may have so many octets more."""
    if method == DISCOVER:
        return TooLarge("a batch does not hold rpc.discover; ask for it alone, or GET this address")
    if room < 0:
        return TooLarge("the replies of this batch are too long together; this call was not begun, send it again")
    return None


def _encode(method: _Method, reply: Reply, id: bytes, context: Context) -> bytes:
    fault = reply.fault
    if fault is None:
        try:
            return codec.encode_result(method.output.encode(reply.output), id)
        except Exception as error:
            fault = unforeseen(error, method.label, context)
    return codec.encode_error(method.faults.write(fault, context.trace_id), id)


def _parse_error(error: NotJson, context: Context) -> bytes:
    fault = Malformed(f"the body is not JSON: {error}")
    return codec.encode_error(plain_error(fault, context.trace_id, PARSE_ERROR), NULL)


def _whole_error(fault: Fault, context: Context) -> bytes:
    """The response object to a body as a whole, which has no id."""
    return codec.encode_error(plain_error(fault, context.trace_id), NULL)


def _response(body: bytes | None) -> Response:
    if body is None:
        return Response(204)
    return Response(200, [(b"content-length", LENGTHS[len(body)]), _CONTENT_TYPE], body)
