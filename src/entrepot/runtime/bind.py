"""Services bound: every operation with an Invoke, every protocol with its server, one Exchange for all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from entrepot.authoring.handler import Handler
from entrepot.authoring.service import Service as Authored
from entrepot.ir.worker import ServiceTable
from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model.call import Invoke, Middleware
from entrepot.model.operation import Operation, Service
from entrepot.ports.exchange import Exchange
from entrepot.ports.protocol import Invokes, Mount, Protocol, ServedService
from entrepot.runtime.dispatch import dispatcher
from entrepot.runtime.failures import fault_reader
from entrepot.runtime.handlers import Answering, produce_by
from entrepot.runtime.inflight import InFlight
from entrepot.runtime.output import OutputCheck, output_check
from entrepot.runtime.resources import CallResources, Opened
from entrepot.runtime.stack import stacked
from entrepot.runtime.streams import OpenStreams
from entrepot.runtime.threads import Threads
from entrepot.shapes.values import Values

Catalog = Mapping[str, Protocol]
"""Protocols by name."""


class Workshop(msgspec.Struct, frozen=True, kw_only=True):
    """What all operations of one worker share."""

    threads: Threads
    inflight: InFlight
    streams: OpenStreams = msgspec.field(default_factory=OpenStreams)
    middleware: Sequence[Middleware] = ()
    limits: Limits = DEFAULT_LIMITS
    check_output: bool = False


def serve_handlers(
    service: Service, timeout: float, authored: Authored, application: Opened, workshop: Workshop
) -> tuple[ServedService, CallResources]:
    """A Python service, with the resources that its calls open.

    `service` is the sealed description, which an operator may have given other timeouts;
    `timeout`, in seconds, holds where an operation has none. `application` holds what the
    resources of that scope have yielded.
    """
    values = Values(service.types, authored.classes, workshop.limits)
    resources = CallResources(authored.resources, application, workshop.threads)
    invokes = {
        operation.name: _handler_invoke(
            service, operation, authored.handlers[operation.name], timeout, values, resources, workshop
        )
        for operation in service.operations
    }
    return ServedService(service=service, values=values, invokes=invokes), resources
