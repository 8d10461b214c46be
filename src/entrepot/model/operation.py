"""Operations and the service that holds them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec

from entrepot.model.fault import DeclaredFault
from entrepot.model.security import Requirement, Scheme
from entrepot.model.shape import Field, Null, Record, Shape, Types


class Example(msgspec.Struct, frozen=True, omit_defaults=True):
    """A sample call: a plain JSON input and, perhaps, the output it gives."""

    name: str
    input: Any = msgspec.UNSET
    output: Any = msgspec.UNSET
    docs: str = ""


class Operation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A named, typed unit of work, known to every protocol and to none in particular."""

    name: str
    """Unique in its service, stable across releases, a Python identifier."""
    input: Record = Record(fields=())
    """One field for each parameter."""
    output: Shape = Null()
    """What is returned; for a stream, the shape of one item."""
    stream_input: Shape | None = None
    """The shape of one inbound item, when the operation takes a stream."""
    stream_output: bool = False
    """Whether the reply is a stream of `output`."""
    headers: tuple[Field, ...] = ()
    """What a reply tells beside its output, by the names of headers: passed on as it comes, not checked."""
    faults: tuple[DeclaredFault, ...] = ()
    safe: bool = False
    """It changes nothing: may be repeated, cached and cancelled."""
    idempotent: bool = False
    """Doing it twice is doing it once: may be retried."""
    deferrable: bool = False
    """It may be answered later, by a queue. Contracts tell it; no protocol or policy uses it yet."""
    deprecated: bool = False
    deprecated_since: datetime | None = None
    """When it became, or will become, deprecated (RFC 9745); aware."""
    sunset: datetime | None = None
    """When it is expected to answer no longer (RFC 8594); aware."""
    scopes: tuple[str, ...] = ()
    """What the principal must hold, all of them."""
    security: tuple[tuple[Requirement, ...], ...] = ()
    """Of these sets of requirements any one lets a caller in; without any, nothing is demanded."""
    timeout: float | None = None
    """Seconds the answer may take; None leaves it to the service's setting."""
    summary: str = ""
    docs: str = ""
    tags: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    bindings: Mapping[str, Any] = {}
    """By protocol: plain data that the protocol's folder owns and reads."""

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Every shape that a call of it may carry: the input, an inbound item, the output and headers, faults' data."""
        inbound = () if self.stream_input is None else (self.stream_input,)
        beside = (field.shape for field in self.headers)
        data = (fault.data for fault in self.faults if fault.data is not None)
        return (self.input, *inbound, self.output, *beside, *data)

    def fault(self, name: str) -> DeclaredFault | None:
        """The declared fault of this name, if there is one."""
        return next((fault for fault in self.faults if fault.name == name), None)


class Link(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Joins operations: from a value of `type`, `field` is what `operation` gives for `arguments`."""

    type: str
    """The record's name in `Service.types`."""
    field: str
    """The name of the joined member."""
    operation: str
    arguments: Mapping[str, str]
    """Parameter of the operation → field of the record whose value it gets.

    In a link of an imported contract it may be a JSON pointer, too: to a value further inside (`/owner/id`), or ""
    for the whole record.
    """
    batch: bool = False
    """The parameters are lists: one call serves many values."""
    docs: str = ""


class Outgoing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the service sends by itself, to whoever wants it: the receiver answers `operation`."""

    operation: Operation
    """Its name is unique among all that the service serves and sends."""
    of: str = ""
    """The operation whose caller is called back; "" for a webhook, whose receivers are told otherwise."""
    address: str = ""
    """Where the call goes, as the contract tells it by what `of` was called with: `{$request.body#/url}`."""


class Service(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A versioned set of operations with the types they share."""

    name: str
    version: str = "1"
    operations: tuple[Operation, ...] = ()
    types: Types = {}
    links: tuple[Link, ...] = ()
    schemes: Mapping[str, Scheme] = {}
    """By name: how callers show who they are. Names are the contract's own."""
    outgoing: tuple[Outgoing, ...] = ()
    """Nobody serves or delivers these yet."""
    title: str = ""
    docs: str = ""
    bindings: Mapping[str, Any] = {}
    """By protocol: plain data for the service as a whole, such as an upstream's base path."""

    def operation(self, name: str) -> Operation | None:
        """The operation of this name, if there is one."""
        return next((operation for operation in self.operations if operation.name == name), None)

    def only(self, names: Collection[str]) -> Service:
        """The service with these operations alone, the links that lead to them and the callbacks they have."""
        return msgspec.structs.replace(
            self,
            operations=tuple(operation for operation in self.operations if operation.name in names),
            links=tuple(link for link in self.links if link.operation in names),
            outgoing=tuple(each for each in self.outgoing if not each.of or each.of in names),
        )

    def open(self) -> Service:
        """The service that demands nothing of its callers; what it sends it shows its own credentials with."""
        operations = tuple(msgspec.structs.replace(each, security=()) for each in self.operations)
        shown = {
            each.scheme for sent in self.outgoing for alternative in sent.operation.security for each in alternative
        }
        schemes = {name: scheme for name, scheme in self.schemes.items() if name in shown}
        return msgspec.structs.replace(self, operations=operations, schemes=schemes)
