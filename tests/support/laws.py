"""The laws every protocol obeys, said once: a call over a wire is the call itself.

A case is one call of a made operation with the answer that its Invoke gives. `told` takes it
through a protocol's client, a wire and the protocol's server; `expected` is what it must give.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

from hypothesis import assume
from hypothesis import strategies as st
from msgspec import UNSET

from entrepot.http.context import own_headers
from entrepot.kit.ids import trace_id_of
from entrepot.model import shape as s
from entrepot.model.call import UNCONDITIONAL, Call, Conditions, Context, Located, Meta, Reply
from entrepot.model.fault import KINDS, DeclaredFault, Fault, Issue
from entrepot.model.headers import Headers
from entrepot.model.operation import Operation, Service
from entrepot.model.principal import ANONYMOUS, Principal
from entrepot.ports.exchange import Exchange
from entrepot.ports.protocol import Catalog, Protocol, ServedService
from entrepot.shapes.values import Values
from support.strategies import Contract, ServedOperation, holds_octets, operations, python_values

Draw = Any
Wire = Callable[[Exchange], Exchange]
"""What lies between client and server."""

HOST = "made.example"
SERVICE = "made"
"""The name of the service of every made operation."""
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def operations_of(protocol: str) -> st.SearchStrategy[ServedOperation]:
    """What a protocol is tried with: where its tests have a `strategies.py`, some with bindings of their own."""
    own = f"protocols.{protocol}.strategies"
    return import_module(own).bound_operations() if find_spec(own) else operations()  # type: ignore[no-any-return]


def operations_of_all(catalog: Catalog) -> st.SearchStrategy[ServedOperation]:
    """Operations that every protocol carries, without bindings."""

    def is_carried(made: ServedOperation) -> bool:
        return not any(protocol.can.reason(made.operation, made.types, set()) for protocol in catalog.values())

    return operations().filter(is_carried)


class Case(NamedTuple):
    """One call of a made operation, and the answer that its Invoke gives."""

    service: Service
    values: Values
    input: Any
    outputs: list[Any]
    """One, or for a stream any number."""
    inbound: list[Any]
    """The items that the caller sends, where the operation takes a stream."""
    taken: int
    """How many of them the Invoke asks for before it answers."""
    fault: Fault | None
    """For a stream, raised after the outputs."""
    context: Context
    warnings: tuple[Located, ...]
    headers: Headers
    """Those that the answer is given."""

    @property
    def operation(self) -> Operation:
        return self.service.operations[0]


@st.composite
def cases(draw: Draw, tried: st.SearchStrategy[ServedOperation]) -> Case:
    """Cases of these operations, half of them failing."""
    operation, types = draw(tried)
    service = Service(name=SERVICE, operations=(operation,), types=types)
    values = Values(types)
    given_input = draw(python_values(Contract(operation.input, types), values))
    output = python_values(Contract(operation.output, types), values)
    outputs = draw(st.lists(output, max_size=3)) if operation.stream_output else [draw(output)]
    inbound = draw(_inbound(operation, types, values))
    taken = draw(st.integers(0, len(inbound) + 1))
    fault = draw(st.none() | faults(operation, types, values))
    located = st.builds(Located, TEXT, faults(operation, types, values))
    warnings, headers = tuple(draw(st.lists(located, max_size=2))), draw(_HEADERS)
    context = draw(_contexts(operation))
    return Case(service, values, given_input, outputs, inbound, taken, fault, context, warnings, headers)


def _inbound(operation: Operation, types: dict[str, Any], values: Values) -> st.SearchStrategy[list[Any]]:
    if operation.stream_input is None:
        return st.just([])
    return st.lists(python_values(Contract(operation.stream_input, types), values), max_size=3)


_ISSUES = st.builds(Issue, TEXT, st.sampled_from(["type", "range"]), TEXT)
_HEADERS = st.sampled_from(
    [[], [(b"last-modified", b"Wed, 21 Oct 2015 07:28:00 GMT")], [(b"etag", b'W/"7"'), (b"link", b'</x>; rel="x"')]]
)
_VERSIONS = st.just(("*",)) | st.lists(TEXT, max_size=3).map(tuple)
_CONDITIONS = st.just(UNCONDITIONAL) | st.builds(Conditions, if_match=_VERSIONS, if_none_match=_VERSIONS)


def _contexts(operation: Operation) -> st.SearchStrategy[Context]:
    """Contexts of calls; conditions are for operations whose bindings say that they are heeded."""
    heeded = not operation.safe and any(each.get("conditions") for each in operation.bindings.values())
    return st.builds(
        Context,
        deadline=st.sampled_from([None, time.monotonic() + 10_000]),
        traceparent=st.sampled_from(["", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]),
        idempotency_key=st.just("") | st.from_regex(r"[a-z0-9é:_-]{1,20}", fullmatch=True),
        conditions=_CONDITIONS if heeded else st.just(UNCONDITIONAL),
    )


@st.composite
def faults(draw: Draw, operation: Operation, types: dict[str, Any], values: Values) -> Fault:
    """Faults that the operation declares, and undeclared ones of every kind."""
    declared = draw(st.sampled_from(operation.faults)) if operation.faults and draw(st.booleans()) else None
    issues = st.lists(_ISSUES, max_size=3)
    return Fault.of(
        declared.kind if declared else draw(st.sampled_from(sorted(KINDS))),
        draw(TEXT),
        name=declared.name if declared else "",
        data=draw(_data(declared, types, values)),
        issues=tuple(draw(issues)),
        retry_after=draw(st.none() | st.floats(0, 1000)),
        upstream=draw(st.sampled_from(["", "bank"])),
    )


def _data(declared: DeclaredFault | None, types: dict[str, Any], values: Values) -> st.SearchStrategy[Any]:
    if declared is None or declared.data is None:
        return st.none()
    return python_values(Contract(declared.data, types), values)


class Seen(NamedTuple):
    """What an Invoke is given, in a form that compares."""

    input: Any
    stream: list[Any]
    """The items that it asked for."""
    principal: Principal
    has_deadline: bool
    trace_id: str
    """Of the caller's trace, "" when it has none."""
    idempotency_key: str
    conditions: Conditions
    headers: Headers
    """Those that every client sends."""


class Answer(NamedTuple):
    """What came of a call, in a form that compares (`_compared`)."""

    outputs: list[Any]
    fault: tuple[Any, ...] | None


class Beside(NamedTuple):
    """What came beside an output."""

    warnings: list[tuple[Any, ...]]
    headers: Headers


class Told(NamedTuple):
    """What both ends of a call were told."""

    seen: list[Seen]
    """By the Invoke, each time it was called."""
    answer: Answer
    beside: Beside


async def expected(case: Case, protocol: Protocol) -> Told:
    """What calling the Invoke itself gives, without what the protocol has no place for."""
    reply = _reply(case)
    beside, can = _beside(reply, case), protocol.can
    carried = Beside(beside.warnings if can.warnings else [], beside.headers if can.headers else [])
    return Told([await _expected_seen(case)], await _answer_of(reply, case), carried)


async def told(case: Case, protocol: Protocol, wire: Wire) -> Told:
    """What comes of the case over this wire."""
    seen: list[Seen] = []

    async def invoke(call: Call) -> Reply:
        seen.append(await _seen(call, case))
        return _reply(case)

    served = ServedService(service=case.service, values=case.values, invokes={case.operation.name: invoke})
    exchange = wire(protocol.server.serve([served]))
    base_path = protocol.server.mounts(case.service)[0].path.rstrip("/")
    invokes = protocol.client.dial(case.service, case.values, exchange, HOST, base_path)
    stream = _each(case.inbound) if case.operation.stream_input is not None else None
    reply = await invokes[case.operation.name](Call(case.operation, case.input, stream, case.context))
    return Told(seen, await _answer_of(reply, case), _beside(reply, case))


async def _expected_seen(case: Case) -> Seen:
    """What the Invoke must be given. Who calls and until when is for the runtime to say, not for a protocol."""
    key = case.context.idempotency_key
    return Seen(
        input=await _compared(case.operation.input, case.input, case.values),
        stream=await _items_of(case.inbound[: case.taken], case),
        principal=ANONYMOUS,
        has_deadline=False,
        trace_id=trace_id_of(case.context.traceparent),
        idempotency_key=key,
        conditions=case.context.conditions,
        headers=sorted([*own_headers(), *([(b"idempotency-key", key.encode())] if key else [])]),
    )


async def _seen(call: Call, case: Case) -> Seen:
    context = call.context
    taken = [] if call.stream is None else await _first(case.taken, call.stream)
    compared = {name for name, _ in own_headers()} | {b"idempotency-key"}
    return Seen(
        input=await _compared(case.operation.input, call.input, case.values),
        stream=await _items_of(taken, case),
        principal=context.principal,
        has_deadline=context.deadline is not None,
        # An edge begins a trace for a caller that has none.
        trace_id=trace_id_of(context.traceparent) if case.context.traceparent else "",
        idempotency_key=context.idempotency_key,
        conditions=context.conditions,
        headers=sorted(pair for pair in context.meta.headers if pair[0] in compared),
    )


def _beside(reply: Reply, case: Case) -> Beside:
    """What is told besides. An output with a version or a next page is told with headers of its own instead."""
    warnings = [(each.pointer, *_parts(each.fault, case)) for each in reply.warnings]
    output = s.unwrap(case.operation.output, case.values.types)
    has_own = isinstance(output, s.Page | s.File) or (isinstance(output, s.Record) and output.with_role("version"))
    headers = [] if reply.meta is None else reply.meta.headers
    return Beside(warnings, sorted(pair for pair in headers if not (has_own and pair[0] in (b"etag", b"link"))))


async def _compared(part: s.Shape, value: Any, values: Values) -> Any:
    """The value in a form that compares: as the JSON that it is written as, files with what is in them."""
    if not holds_octets(part, values.types):
        return value if value is UNSET else values.codec(part).encode(value)
    if value is None or value is UNSET:
        return value
    match s.unwrap(part, values.types):
        case s.File():
            content = b"".join([chunk async for chunk in value.open()])
            assert value.size in (None, len(content))
            return value.name or "file", value.media_type, content  # in a form each file has a name
        case s.Record(fields=fields):
            return {each.name: await _compared(each.shape, getattr(value, each.attribute), values) for each in fields}
        case _:
            return value


async def _first(count: int, stream: AsyncIterator[Any]) -> list[Any]:
    """So many items of a stream, or all there are; none is asked for in vain."""
    items: list[Any] = []
    while len(items) < count and (item := await anext(stream, UNSET)) is not UNSET:
        items.append(item)
    return items


async def _items_of(items: list[Any], case: Case) -> list[Any]:
    return [await _compared(case.operation.stream_input, item, case.values) for item in items]


class Sent:
    """Counts the examples of a law that a client refuses to send: too many, and the law proves little."""

    SHARE_MAX = 0.2

    def __init__(self, law: str) -> None:
        self._law = law
        self._examples = 0
        self._refused = 0

    def assume(self, *every: Told) -> None:
        """Leave an example that a client refused out of the law, and count it."""
        refused = any(map(_is_refused_by_the_client, every))
        self._examples += 1
        self._refused += refused
        assume(not refused)

    @property
    def share(self) -> float:
        """Refused ones among all."""
        return self._refused / max(1, self._examples)

    def __str__(self) -> str:
        return f"{self._law}: {self._refused} of {self._examples} examples were refused by a client ({self.share:.1%})"


async def _answer_of(reply: Reply, case: Case) -> Answer:
    """The reply with its stream read."""
    if reply.fault is not None:
        return Answer([], _parts(reply.fault, case))
    if not case.operation.stream_output:
        return Answer([await _compared(case.operation.output, reply.output, case.values)], None)
    outputs = []
    try:
        async for item in reply.output:
            outputs.append(await _compared(case.operation.output, item, case.values))
    except Fault as fault:
        return Answer(outputs, _parts(fault, case))
    return Answer(outputs, None)


def _is_refused_by_the_client(told: Told) -> bool:
    """A header holds no line break, a path segment is not empty: the client says so and sends nothing."""
    if told.seen or told.answer.fault is None:
        return False
    kind, issues = told.answer.fault[0], told.answer.fault[4]
    return kind == "invalid" and bool(issues) and all(issue.code == "encoding" for issue in issues)


def _reply(case: Case) -> Reply:
    if case.fault is not None and not case.operation.stream_output:
        return Reply(fault=case.fault)
    output = _items(case) if case.operation.stream_output else case.outputs[0]
    return Reply(output, meta=Meta(list(case.headers)), warnings=case.warnings)


async def _each(items: list[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


async def _items(case: Case) -> AsyncIterator[Any]:
    for output in case.outputs:
        yield output
    if case.fault is not None:
        raise case.fault


def _parts(fault: Fault, case: Case) -> tuple[Any, ...]:
    """What of a fault must survive: the caller never sees the detail of an internal one."""
    declared = case.operation.fault(fault.name)
    data = declared and declared.data and case.values.codec(declared.data).encode(fault.data)
    upstream = fault.upstream or ("" if fault.row.blame == "caller" else HOST)
    detail = "" if fault.kind == "internal" or fault.detail == fault.row.title else fault.detail
    return fault.kind, fault.name, detail, data, fault.issues, fault.retry_after, upstream
