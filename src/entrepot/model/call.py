"""The waist: one value in, one value out, one callable between them.

Everything above turns bytes into a `Call`; everything below answers with a `Reply`; policies,
mapping, caching, telemetry and retries are `Middleware` in between. It must hardly ever change.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import msgspec

from entrepot.kit.ids import new_trace_id, trace_id_of
from entrepot.model.fault import Fault
from entrepot.model.faults import PreconditionFailed
from entrepot.model.headers import Headers, cookies_of, header
from entrepot.model.operation import Operation
from entrepot.model.principal import ANONYMOUS, Principal


class Meta(msgspec.Struct):
    """What travels beside a value: headers before it, trailers after it."""

    headers: Headers = []
    trailers: Headers = []
    """No protocol or policy uses it yet."""

    def header(self, name: bytes) -> bytes | None:
        """The first header of this lower-case name."""
        return header(self.headers, name)

    def cookie(self, name: str) -> str | None:
        """The first cookie of this name, decoded."""
        return cookies_of(self.headers).get(name)


class Conditions(msgspec.Struct, frozen=True):
    """What the caller demands of the present state (RFC 9110, §13). "*" means: that it exists."""

    if_match: tuple[str, ...] = ()
    """Versions of which one must be the present one."""
    if_none_match: tuple[str, ...] = ()
    """Versions of which none may be the present one."""

    def check(self, version: object) -> None:
        """Raise `PreconditionFailed` unless the present version (None: no such thing) is accepted."""
        present = None if version is None else str(version)
        if self.if_match and not _holds(present, self.if_match):
            raise PreconditionFailed("the version given in If-Match is not the present one")
        if self.if_none_match and _holds(present, self.if_none_match):
            raise PreconditionFailed("the present version is one of those given in If-None-Match")


def _holds(present: str | None, wanted: tuple[str, ...]) -> bool:
    return present is not None and ("*" in wanted or present in wanted)


UNCONDITIONAL = Conditions()


class Context(msgspec.Struct):
    """What surrounds a call. Every part has a default, so a test may leave it out."""

    principal: Principal = ANONYMOUS
    deadline: float | None = None
    """Monotonic seconds after which the answer is of no use."""
    traceparent: str = ""
    """W3C Trace Context, as received or made."""
    idempotency_key: str = ""
    meta: Meta = msgspec.field(default_factory=Meta)
    conditions: Conditions = UNCONDITIONAL
    selection: tuple[str, ...] = ()
    """The fields wanted, dotted, with `*` for all of a value's own; empty means all. Who answers the caller leaves
    the others out: a handler may look here to save itself the work."""
    target: str = ""
    """The release or environment the call is aimed at; "" leaves it to routing.
    No protocol or policy uses it yet."""
    resources: object = None
    """The call's open resources; the runtime's own."""
    departure: Callable[[], Awaitable[None]] | None = None
    """Returns when the caller has left; None where the wire cannot tell."""

    @property
    def trace_id(self) -> str:
        """The id that finds this call's log lines; made on first use when none arrived."""
        trace_id = trace_id_of(self.traceparent)
        if not trace_id:
            trace_id = new_trace_id()
            self.traceparent = f"00-{trace_id}-{trace_id[:16]}-00"
        return trace_id


class Call(msgspec.Struct):
    """One call of one operation."""

    operation: Operation
    input: Any
    """A value of the operation's input record."""
    stream: AsyncIterator[Any] | None = None
    """Inbound items, when the operation takes a stream."""
    context: Context = msgspec.field(default_factory=Context)


class Located(msgspec.Struct, frozen=True):
    """A fault of one part of an output, of which the rest is good."""

    pointer: str
    """JSON pointer (RFC 6901) into the output; what stands there may be null or absent."""
    fault: Fault


class Reply(msgspec.Struct):
    """The answer: an output or a fault, never both."""

    output: Any = None
    """A value of the output shape; for a stream, an async iterator of them, whose end may raise a Fault."""
    fault: Fault | None = None
    meta: Meta | None = None
    warnings: tuple[Located, ...] = ()
    """What failed beside a partial output."""

    @classmethod
    def of(cls, output: Any, *, headers: Mapping[str, str]) -> Reply:
        """An output with headers beside it, for the protocols that carry headers."""
        pairs = [(name.lower().encode("ascii"), value.encode()) for name, value in headers.items()]
        return cls(output, meta=Meta(pairs))


Invoke = Callable[[Call], Awaitable[Reply]]
"""Answers a call. It never raises a Fault: a failure is `Reply.fault`."""

Middleware = Callable[[Operation, Invoke], Invoke]
"""Wraps an Invoke once, when an operation is bound."""
