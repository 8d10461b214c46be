"""Resources opened and closed: once for the application, or once for each call.

A call's resources are closed after its handler and before its reply is acknowledged, in reverse
order of opening. When the call failed, each generator sees the fault raised at its `yield`, so
that it rolls back; when closing one fails, the call fails.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Any

from entrepot.model.call import Call, Context, Invoke, Reply
from entrepot.model.fault import Fault
from entrepot.model.faults import Unavailable
from entrepot.model.resource import Resource
from entrepot.ports.faults import called_off
from entrepot.runtime.failures import FaultOf
from entrepot.runtime.streams import OutStream
from entrepot.runtime.threads import ThreadedGenerator, Threads, settled

log = logging.getLogger("entrepot.runtime")

Opened = Mapping[Any, Any]
"""What resources yielded, by the type they provide."""


class _Generator:
    """One generator, between its `yield` and its end."""

    def __init__(self, resource: Resource, values: Opened, threads: Threads) -> None:
        generator = resource.factory(**{name: values[needed] for name, needed in resource.needs.items()})
        self._name = resource.factory.__name__
        self._generator: AsyncGenerator[Any, Any] | ThreadedGenerator = (
            generator if inspect.isasyncgen(generator) else ThreadedGenerator(generator, threads)
        )

    @property
    def running(self) -> Future[Any] | None:
        """The thread that is, or was last, in a plain generator."""
        return getattr(self._generator, "running", None)

    async def open(self) -> Any:
        """What it yields."""
        try:
            return await anext(self._generator)
        except StopAsyncIteration:
            raise RuntimeError(f"resource {self._name} ended without yielding anything") from None

    async def close(self, fault: Fault | None) -> None:
        """Let it run to its end, with the fault raised at its `yield` if there is one.

        Raises what it raises, other than that fault itself.
        """
        try:
            if fault is None:
                await anext(self._generator)
            else:
                await self._generator.athrow(fault)
        except StopAsyncIteration:
            return
        except Fault as raised:
            if raised is not fault:
                raise
            return
        raise RuntimeError(f"resource {self._name} yields more than once")


@asynccontextmanager
async def application_scope(resources: Sequence[Resource], threads: Threads) -> AsyncIterator[Opened]:
    """The resources that live as long as the application; each comes after those it needs.

    Raises what opening one raises. A failing close is logged, and the others are closed still.
    """
    opened: list[_Generator] = []
    values: dict[Any, Any] = {}
    try:
        for resource in resources:
            if resource.scope == "application":
                opened.append(_Generator(resource, values, threads))
                values[resource.provides] = await opened[-1].open()
        yield values
    finally:
        for each in reversed(opened):
            try:
                await each.close(None)
            except BaseException as error:
                if called_off(error):
                    raise
                log.exception("a resource of the application could not be closed")


class CallScope:
    """The open resources of one call: what the runtime keeps in `Context.resources`."""

    def __init__(self, plan: Sequence[Resource], application: Opened, threads: Threads) -> None:
        self._plan = plan
        self._application = application
        self._threads = threads
        self._opened: list[_Generator] = []
        self.handler: Future[Any] | None = None
        """The thread of a plain `def` handler, which uses the resources until it ends."""

    async def open(self) -> Opened:
        """Open all of them, each with those it needs."""
        values = dict(self._application)
        for resource in self._plan:
            self._opened.append(_Generator(resource, values, self._threads))
            values[resource.provides] = await self._opened[-1].open()
        return values

    async def close(self, fault: Fault | None, fault_of: FaultOf, context: Context) -> Fault | None:
        """Close all of them, the last one first, and return the fault of the call as it now is."""
        await settled(self.handler)
        for each in reversed(self._opened):
            try:
                await each.close(fault)
            except BaseException as error:
                if called_off(error):
                    raise
                failed = fault_of(error, context)
                fault = fault or failed
        return fault

    @property
    def is_busy(self) -> bool:
        """Whether a thread is still at work, though the call was given up."""
        futures = (self.handler, *(each.running for each in self._opened))
        return any(future is not None and not future.done() for future in futures)


class CallResources:
    """Opens resources for each call that needs some, and closes them."""

    def __init__(self, resources: Sequence[Resource], application: Opened, threads: Threads) -> None:
        self._resources = resources
        self._application = application
        self._threads = threads
        self._closing: set[asyncio.Task[Fault | None]] = set()

    def plan(self, wanted: Collection[Any]) -> tuple[Resource, ...]:
        """The resources of a call that needs those types: in order, with what they need themselves."""
        needed = set(wanted)
        plan = []
        for resource in reversed(self._resources):
            if resource.scope == "call" and resource.provides in needed:
                plan.append(resource)
                needed.update(resource.needs.values())
        return tuple(reversed(plan))

    def around(self, invoke: Invoke, plan: Sequence[Resource], fault_of: FaultOf) -> Invoke:
        """The Invoke with the plan's resources; it opens them itself, by `CallScope.open`."""

        async def with_resources(call: Call) -> Reply:
            context = call.context
            scope = context.resources = CallScope(plan, self._application, self._threads)
            try:
                reply = await invoke(call)
            except BaseException:
                await scope.close(Unavailable("the worker stops"), fault_of, context)
                raise
            if isinstance(reply.output, OutStream) and not reply.output.ended:
                reply.output.at_end(lambda fault: scope.close(fault, fault_of, context))
                return reply
            if scope.is_busy:
                self._close_later(scope, reply.fault, fault_of, context)
                return reply
            fault = await scope.close(reply.fault, fault_of, context)
            return reply if fault is reply.fault else Reply(fault=fault)

        return with_resources

    async def finish(self) -> None:
        """Wait for the scopes whose threads outlived their calls."""
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _close_later(self, scope: CallScope, fault: Fault | None, fault_of: FaultOf, context: Context) -> None:
        task = asyncio.create_task(scope.close(fault, fault_of, context))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
