"""The innermost adapter: a Python function, or an upstream's client, as an Invoke.

Everything that depends on the operation alone is decided when it is bound. A call then reads
its arguments with one precompiled getter and awaits the function.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from operator import attrgetter
from typing import Any, cast

import msgspec

from entrepot.authoring.handler import Handler, Parameter
from entrepot.model.call import Call, Invoke, Reply
from entrepot.model.fault import Fault
from entrepot.model.operation import Operation
from entrepot.ports.faults import called_off
from entrepot.runtime.failures import FaultOf
from entrepot.runtime.inflight import Entry, InFlight
from entrepot.runtime.output import OutputCheck
from entrepot.runtime.resources import CallScope, Opened
from entrepot.runtime.streams import OpenStreams, OutStream
from entrepot.runtime.threads import ThreadedGenerator, Threads

Produce = Callable[[Call], Awaitable[Any]]
"""Does the work of one call: gives an output or a whole Reply, or raises."""

_PATHS = {
    "principal": "context.principal",
    "context": "context",
    "conditions": "context.conditions",
    "stream": "stream",
}
"""By source of a parameter: where a Call holds its argument."""


class Answering(msgspec.Struct, frozen=True, kw_only=True):
    """How the results and failures of one operation become replies."""

    operation: Operation
    timeout: float
    """Seconds."""
    fault_of: FaultOf
    check: OutputCheck | None
    """None trusts the output: a client has made it from the types already."""
    inflight: InFlight
    streams: OpenStreams
    threads: Threads
    upstream: str = ""
    """Whom a call waits for, when it is somebody else: it is named where the call takes too long."""

    def invoke(self, produce: Produce) -> Invoke:
        """The Invoke that answers with what `produce` makes of a call.

        A call ends at its deadline, which is the earlier of the operation's and the caller's; a
        stream has none once it has begun. A safe operation that takes no stream also ends when
        its caller has left. Exceptions become faults, whatever they derive from.
        """
        enter, leave, fault_of, timeout = self.inflight.enter, self.inflight.leave, self.fault_of, self.timeout
        streams_out = self.operation.stream_output
        abandons = self.operation.safe and self.operation.stream_input is None
        check = None if streams_out else self.check
        if streams_out:
            produce = self._streaming(produce)

        async def invoke(call: Call) -> Reply:
            context = call.context
            entry = enter(timeout, context.deadline, context.departure if abandons else None)
            if not streams_out:
                context.deadline = entry.deadline
            try:
                result = await produce(call)
                reply = result if type(result) is Reply else Reply(result)
                if reply.fault is None:
                    if check is not None and not check.fits(reply.output):
                        raise check.mismatch(reply.output)
                elif not streams_out:
                    reply.fault = fault_of(reply.fault, context)
                return reply
            except BaseException as error:
                reason = self._ended(entry)
                if reason is None:
                    if called_off(error):
                        raise
                    reason = fault_of(error, context)
                return Reply(fault=reason)
            finally:
                leave(entry)
                if entry.touched:
                    entry.close()

        return invoke

    def _ended(self, entry: Entry) -> Fault | None:
        """Why the call was ended by us, if it was."""
        fault = entry.reason()
        if fault is not None and fault.kind == "timeout":
            fault.upstream = self.upstream
        return fault

    def _streaming(self, produce: Produce) -> Produce:
        """The same with its items as a stream that has one way to end."""

        async def produce_stream(call: Call) -> Reply:
            result = await produce(call)
            reply = result if type(result) is Reply else Reply(result)
            if reply.fault is not None:
                return Reply(fault=self._told(call, reply.fault))
            stream = OutStream(self._items(reply.output), partial(self._told, call), self.check)
            self.streams.add(stream)
            fault = await stream.begin()
            if fault is not None:
                return Reply(fault=fault)
            reply.output = stream
            return reply

        return produce_stream

    def _items(self, output: Any) -> AsyncIterator[Any]:
        if hasattr(output, "__aiter__"):
            return aiter(output)
        if not hasattr(output, "__iter__"):
            name = self.operation.name
            raise TypeError(f"{name} answers with a stream, but returned a {type(output).__name__}: yield the items")
        return ThreadedGenerator(iter(output), self.threads)

    def _told(self, call: Call, error: BaseException) -> Fault:
        return self.fault_of(error, call.context)


def produce_by(handler: Handler, application: Opened, threads: Threads, *, with_scope: bool) -> Produce:
    """What calls the handler: in the event loop when it is async, else in a thread.

    `with_scope` says that it needs resources of the call, which it opens first.
    """
    if handler.is_async and not handler.is_generator and not with_scope:
        return _direct(handler, application)
    arguments = _keywords(handler.parameters)
    start = _starter(handler, threads)

    async def produce(call: Call) -> Any:
        return await start(arguments(call, application), None)

    async def produce_with_scope(call: Call) -> Any:
        scope = cast("CallScope", call.context.resources)
        return await start(arguments(call, await scope.open()), scope)

    return produce_with_scope if with_scope else produce


def _direct(handler: Handler, application: Opened) -> Produce:
    """The usual case, without a coroutine between the adapter and the handler."""
    function = handler.function
    if not _takes_plain_arguments(handler):
        arguments = _keywords(handler.parameters)
        return lambda call: function(**arguments(call, application))
    if not handler.parameters:
        return lambda _call: function()
    get = attrgetter(*map(_path, handler.parameters))
    if len(handler.parameters) == 1:
        return lambda call: function(get(call))
    return lambda call: function(*get(call))


def _takes_plain_arguments(handler: Handler) -> bool:
    """Whether every argument is read from the call as it is, and handed on by position."""
    return not any(
        parameter.has_default or parameter.keyword_only or parameter.source == "resource"
        for parameter in handler.parameters
    )


def _path(parameter: Parameter) -> str:
    return f"input.{parameter.name}" if parameter.source == "input" else _PATHS[parameter.source]


def _keywords(parameters: tuple[Parameter, ...]) -> Callable[[Call, Opened], dict[str, Any]]:
    """The arguments by name. An absent input is left to the function's own default."""
    read = [(each.name, attrgetter(_path(each))) for each in parameters if each.source != "resource"]
    injected = [(each.name, each.provides) for each in parameters if each.source == "resource"]
    may_be_absent = [each.name for each in parameters if each.has_default and each.source == "input"]

    def arguments(call: Call, resources: Opened) -> dict[str, Any]:
        keywords = {name: get(call) for name, get in read}
        for name in may_be_absent:
            if keywords[name] is msgspec.UNSET:
                del keywords[name]
        for name, provides in injected:
            keywords[name] = resources[provides]
        return keywords

    return arguments


def _starter(handler: Handler, threads: Threads) -> Callable[[dict[str, Any], CallScope | None], Awaitable[Any]]:
    """How a function of this kind is called with keywords."""
    function = handler.function

    async def run_here(keywords: dict[str, Any], _scope: CallScope | None) -> Any:
        return await function(**keywords)

    async def begin_stream(keywords: dict[str, Any], _scope: CallScope | None) -> Any:
        return function(**keywords)

    async def run_in_thread(keywords: dict[str, Any], scope: CallScope | None) -> Any:
        future = threads.start(partial(function, **keywords))
        if scope is not None:
            scope.handler = future
        return await asyncio.wrap_future(future)

    if handler.is_generator:
        return begin_stream
    return run_here if handler.is_async else run_in_thread
