"""One operation called from the command line, in this process: no edge, no socket of ours."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import AsyncExitStack
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from entrepot.compiler.compile import Compiled
from entrepot.control.directories import layout_of
from entrepot.control.lookup import find
from entrepot.control.sockets import is_listened_to
from entrepot.ir.layout import Layout
from entrepot.ir.worker import PythonSource, ServiceTable
from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.model.call import Call, Context, Invoke, Reply
from entrepot.model.fault import Fault
from entrepot.model.file import File
from entrepot.model.operation import Operation, Service
from entrepot.model.principal import Principal
from entrepot.ports.faults import Members, members_of
from entrepot.ports.protocol import Catalog, Invokes, Protocol, ServedService
from entrepot.runtime.bind import Binder
from entrepot.runtime.egress import egress_exchange
from entrepot.runtime.local import local_service
from entrepot.runtime.sources import import_service
from entrepot.runtime.threads import Threads
from entrepot.runtime.upstreams import serve_upstreams
from entrepot.wire.memory import memory_wire

NOT_FROM_JSON = "E912"
"""The operation takes or gives what has no JSON form."""
NOT_CARRIED = "E915"
"""The protocol does not carry the operation, or there is no such protocol."""
NO_WAY_OUT = "E913"
"""The operation is an upstream's, and the project that would reach it is not running."""


class Failed(Exception):
    """The call ended with a fault; `members` are what a caller is told of it."""

    def __init__(self, members: Members) -> None:
        super().__init__(members.get("detail") or members["title"])
        self.members = members


class Piece(msgspec.Struct, frozen=True):
    """A part of an answer."""

    kind: Literal["output", "item", "file"]
    """The whole output; one item of a stream; a chunk of a file's content."""
    content: bytes
    """JSON, except for a file."""


async def call(
    compiled: Compiled, catalog: Catalog, name: str, arguments: bytes, items: Iterable[bytes], over: str = ""
) -> AsyncGenerator[Piece, None]:
    """What the operation answers, piece by piece as it comes.

    `arguments` is the input as JSON, `items` an inbound stream's items, one JSON value each. `over`
    is a protocol by which it is called, server and client, or "" for the operation itself.
    Raises `Failed` with the call's fault, or `Refused` when it cannot be called this way.
    """
    table, operation = find(compiled, name)
    _require_carried(table, operation, over)
    async with AsyncExitStack() as opened:
        served = await _served(table, compiled, catalog, opened)
        try:
            value = served.values.codec(operation.input).decode(arguments)
            stream = _decoded(served, operation, items) if operation.stream_input is not None else None
            invoke = _as_owner(operation, served.invokes[operation.name])
            if over:
                invoke = _over(catalog[over], served, table.served_over(over), {operation.name: invoke})
            reply = await invoke(Call(operation, value, stream, Context()))
            if reply.fault is not None:
                raise reply.fault
            async for piece in _pieces(served, operation, reply.output):
                yield piece
        except Fault as fault:
            raise Failed(members_of(fault, "", operation, served.values).members) from fault
        except TypeError as error:
            remedy = "Call it over REST while the project runs."
            raise _refused(NOT_FROM_JSON, f"{name} cannot be called with JSON: {error}", remedy) from error


def _as_owner(operation: Operation, invoke: Invoke) -> Invoke:
    """Who calls from the project's own directory could as well change it: every scope is theirs."""
    owner = Principal(scopes=frozenset(operation.scopes))

    async def as_owner(call: Call) -> Reply:
        return await invoke(replace(call, context=replace(call.context, principal=owner)))

    return as_owner


def _require_carried(table: ServiceTable, operation: Operation, over: str) -> None:
    if over and operation.name not in table.carried.get(over, ()):
        known = ", ".join(name for name, carried in table.carried.items() if operation.name in carried)
        reason = table.refused.get(over, {}).get(operation.name, "it is not served there")
        message = f"{table.service.name}.{operation.name} cannot be called over `{over}`: {reason}"
        raise _refused(NOT_CARRIED, message, f"It can be over: {known or 'nothing'}.")


def _over(protocol: Protocol, served: ServedService, service: Service, invokes: Invokes) -> Invoke:
    """The one operation, called by the protocol's client and its server joined without a network."""
    only = replace(service.only(frozenset(invokes)), bindings={})  # those tell where an upstream has its operations
    exchange = memory_wire(protocol.server.serve([replace(served, service=only, invokes=invokes)]))
    base_path = protocol.server.mounts(only)[0].path.rstrip("/")
    [invoke] = protocol.client.dial(only, served.values, exchange, "localhost", base_path).values()
    return invoke


async def _served(table: ServiceTable, compiled: Compiled, catalog: Catalog, opened: AsyncExitStack) -> ServedService:
    limits = compiled.release.worker.limits
    if isinstance(table.source, PythonSource):
        authored = import_service(table.source, table.service, compiled.project)
        return await opened.enter_async_context(local_service(authored, limits=limits))
    layout = layout_of(compiled.project)
    _require_egress(table, layout)
    egress = egress_exchange(str(layout.egress_socket))
    opened.push_async_callback(egress.close)
    return serve_upstreams(table, Binder(Threads(1), limits=limits), catalog, egress, compiled.project)


def _require_egress(table: ServiceTable, layout: Layout) -> None:
    if not is_listened_to(layout.egress_socket):
        message = f"{table.service.name} is an upstream's, which is reached through the egress of a running project"
        raise _refused(NO_WAY_OUT, message, "Start it first: `entrepot dev`.")


async def _decoded(served: ServedService, operation: Operation, items: Iterable[bytes]) -> AsyncIterator[Any]:
    assert operation.stream_input is not None
    decode = served.values.codec(operation.stream_input).decode
    for item in items:
        yield decode(item)


async def _pieces(served: ServedService, operation: Operation, output: Any) -> AsyncIterator[Piece]:
    if isinstance(output, File):
        async for chunk in output.open():
            yield Piece("file", chunk)
        return
    encode = served.values.codec(operation.output).encode
    if not operation.stream_output:
        yield Piece("output", encode(output))
        return
    async for item in output:
        yield Piece("item", encode(item))


def _refused(code: str, message: str, remedy: str) -> Refused:
    return Refused([Diagnostic(code, message, remedy=remedy)])
