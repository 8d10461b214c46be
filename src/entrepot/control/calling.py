"""One operation called from the command line, in this process: no server, no edge, no socket of ours."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import AsyncExitStack
from typing import Any, Literal

import msgspec

from entrepot.compiler.compile import Compiled
from entrepot.control.directories import layout_of
from entrepot.control.lookup import find
from entrepot.control.sockets import is_listened_to
from entrepot.ir.layout import Layout
from entrepot.ir.worker import PythonSource, ServiceTable
from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.model.call import Call, Context
from entrepot.model.fault import Fault
from entrepot.model.file import File
from entrepot.model.operation import Operation
from entrepot.model.principal import Principal
from entrepot.ports.faults import Members, members_of
from entrepot.ports.protocol import Catalog, ServedService
from entrepot.runtime.bind import Binder
from entrepot.runtime.egress import egress_exchange
from entrepot.runtime.local import local_service
from entrepot.runtime.sources import import_service
from entrepot.runtime.threads import Threads

NOT_FROM_JSON = "E912"
"""The operation takes or gives what has no JSON form."""
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
    compiled: Compiled, catalog: Catalog, name: str, arguments: bytes, items: Iterable[bytes]
) -> AsyncGenerator[Piece, None]:
    """What the operation answers, piece by piece as it comes.

    `arguments` is the input as JSON, `items` an inbound stream's items, one JSON value each.
    Raises `Failed` with the call's fault, or `Refused` when it cannot be called this way.
    """
    table, operation = find(compiled, name)
    async with AsyncExitStack() as opened:
        served = await _served(table, compiled, catalog, opened)
        try:
            value = served.values.codec(operation.input).decode(arguments)
            stream = _decoded(served, operation, items) if operation.stream_input is not None else None
            reply = await served.invokes[operation.name](Call(operation, value, stream, _as_owner(operation)))
            if reply.fault is not None:
                raise reply.fault
            async for piece in _pieces(served, operation, reply.output):
                yield piece
        except Fault as fault:
            raise Failed(members_of(fault, "", operation, served.values).members) from fault
        except TypeError as error:
            remedy = "Call it over REST while the project runs."
            raise _refused(NOT_FROM_JSON, f"{name} cannot be called with JSON: {error}", remedy) from error


def _as_owner(operation: Operation) -> Context:
    """Who calls from the project's own directory could as well change it: every scope is theirs."""
    return Context(principal=Principal(scopes=frozenset(operation.scopes)))


async def _served(table: ServiceTable, compiled: Compiled, catalog: Catalog, opened: AsyncExitStack) -> ServedService:
    limits = compiled.release.worker.limits
    if isinstance(table.source, PythonSource):
        authored = import_service(table.source, table.service, compiled.project)
        return await opened.enter_async_context(local_service(authored, limits=limits))
    layout = layout_of(compiled.project)
    _require_egress(table, layout)
    egress = egress_exchange(str(layout.egress_socket))
    opened.push_async_callback(egress.close)
    binder = Binder(Threads(1), limits=limits)
    source = table.source
    return binder.serve_upstream(
        table.service,
        table.timeout,
        catalog[source.protocol].client,
        egress,
        source.upstream,
        source.base_path,
        lenient=source.replies == "lenient",
    )


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
