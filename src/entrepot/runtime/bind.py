"""Services bound: every operation with an Invoke, every protocol with its server, one Exchange for all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from entrepot.authoring.service import Service as Authored
from entrepot.http.pages import MadeOnce, docs_path, page
from entrepot.ir.worker import ServiceTable
from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model.call import Invoke, Middleware
from entrepot.model.operation import Operation, Service
from entrepot.model.security import Credential
from entrepot.ports.exchange import Exchange
from entrepot.ports.protocol import Catalog, Client, Mount, ServedService
from entrepot.runtime.dispatch import dispatcher
from entrepot.runtime.docs_page import MEDIA_TYPE, docs_page
from entrepot.runtime.drift import Drift, note
from entrepot.runtime.failures import faults_for
from entrepot.runtime.field_access import enforce_field_access
from entrepot.runtime.handlers import Answering, produce_by
from entrepot.runtime.inflight import InFlight
from entrepot.runtime.output import OutputCheck
from entrepot.runtime.resources import CallResources, Opened
from entrepot.runtime.scopes import enforce_scopes
from entrepot.runtime.stack import stacked
from entrepot.runtime.streams import OpenStreams
from entrepot.runtime.threads import Threads
from entrepot.shapes.lenient import LenientValues
from entrepot.shapes.values import Values


class Dialled(NamedTuple):
    """An upstream to call."""

    host: str
    base_path: str = ""
    credentials: Mapping[str, Credential] = {}


class Binder:
    """Binds operations to what they share in one worker: threads, deadlines, limits, middleware."""

    def __init__(
        self,
        threads: Threads,
        *,
        inflight: InFlight | None = None,
        middleware: Sequence[Middleware] = (),
        limits: Limits = DEFAULT_LIMITS,
        check_output: bool = False,
    ) -> None:
        self.threads = threads
        self.inflight = inflight or InFlight()
        self.streams = OpenStreams()
        self.drift = Drift()
        self._middleware = (enforce_scopes, *middleware)
        self._limits = limits
        self._check_output = check_output
        self._resources: list[CallResources] = []

    def serve_handlers(
        self, service: Service, timeout: float, authored: Authored, application: Opened
    ) -> ServedService:
        """A Python service.

        `service` is its sealed description, in which an operator may have set other timeouts;
        `timeout`, in seconds, holds for operations without one. `application` holds what the
        resources of that scope have yielded.
        """
        values = Values(service.types, authored.classes, self._limits)
        resources = CallResources(authored.resources, application, self.threads)
        self._resources.append(resources)

        def bound(operation: Operation) -> Invoke:
            handler = authored.handlers[operation.name]
            plan = resources.plan([each.provides for each in handler.parameters if each.source == "resource"])
            check = OutputCheck(values, operation.output, deep=self._check_output)
            answering = self._answering(service, operation, timeout, check)
            invoke = answering.invoke(produce_by(handler, application, self.threads, with_scope=bool(plan)))
            if plan:
                invoke = resources.around(invoke, plan, answering.fault_of)
            return stacked(operation, invoke, self._middleware)

        return ServedService(service=service, values=values, invokes={o.name: bound(o) for o in service.operations})

    def serve_upstream(
        self,
        service: Service,
        timeout: float,
        client: Client,
        egress: Exchange,
        usual: Dialled,
        elsewhere: Mapping[str, Dialled] = {},
        *,
        lenient: bool = False,
    ) -> ServedService:
        """An upstream's service, called through `egress`; `elsewhere` by operation that another upstream has.

        `lenient` repairs what they answer.
        """
        values = Values(service.types, limits=self._limits)
        replies = LenientValues(service.types, self._limits, note) if lenient else values
        hosts = {operation.name: elsewhere.get(operation.name, usual) for operation in service.operations}
        invokes: dict[str, Invoke] = {}
        for each in {id(each): each for each in hosts.values()}.values():
            there = service.only({name for name, dialled in hosts.items() if dialled is each})
            invokes |= client.dial(there, replies, egress, *each)

        def bound(operation: Operation) -> Invoke:
            invoke, upstream = invokes[operation.name], hosts[operation.name].host
            answering = self._answering(service, operation, timeout, None, upstream=upstream)
            if lenient:
                invoke = self.drift.around(f"{service.name}.{operation.name}", upstream, invoke)
            invoke = enforce_field_access(operation, invoke, values)
            return stacked(operation, answering.invoke(invoke), self._middleware)

        return ServedService(service=service, values=values, invokes={o.name: bound(o) for o in service.operations})

    async def finish(self) -> None:
        """Wait for threads that outlived their calls, and for what must be closed after them."""
        await asyncio.gather(*(resources.finish() for resources in self._resources))
        self.drift.tell()

    def _answering(
        self, service: Service, operation: Operation, timeout: float, check: OutputCheck | None, *, upstream: str = ""
    ) -> Answering:
        return Answering(
            operation=operation,
            timeout=timeout if operation.timeout is None else operation.timeout,
            fault_of=faults_for(operation, service.name),
            check=check,
            inflight=self.inflight,
            streams=self.streams,
            threads=self.threads,
            upstream=upstream,
        )


def exchange_of(
    tables: Sequence[ServiceTable], served: Mapping[str, ServedService], catalog: Catalog, limits: Limits
) -> Exchange:
    """One Exchange for all services, each served over the protocols that its table names, with a page about it.

    `served` holds the services by name.
    """
    return dispatcher(_mounted(tables, served, catalog, limits))


def _mounted(
    tables: Sequence[ServiceTable], served: Mapping[str, ServedService], catalog: Catalog, limits: Limits
) -> Iterator[tuple[Mount, Exchange]]:
    for protocol in dict.fromkeys(protocol for table in tables for protocol in table.carried):
        server = catalog[protocol].server
        services = [
            replace(served[table.service.name], service=table.served_over(protocol))
            for table in tables
            if protocol in table.carried
        ]
        exchange = server.serve(services, limits)
        for mount in dict.fromkeys(mount for each in services for mount in server.mounts(each.service)):
            yield mount, exchange
    for table in tables:
        about = MadeOnce(partial(docs_page, table, catalog))
        yield Mount(docs_path(table.service), exact=True), page(MEDIA_TYPE, about)
