"""The laws every protocol obeys, said once: a call over a wire is the call itself.

A case is one call of a made operation with the answer that its Invoke gives. `called` takes it
through a protocol's client, a wire and the protocol's server; `expected` is what it must give.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

from hypothesis import strategies as st

from entrepot.model.call import Call, Reply
from entrepot.model.fault import KINDS, DeclaredFault, Fault, Issue
from entrepot.model.operation import Operation, Service
from entrepot.ports.exchange import Exchange
from entrepot.ports.protocol import Protocol, ServedService
from entrepot.shapes.values import Values
from support.strategies import Contract, ServedOperation, python_values

Draw = Any
Wire = Callable[[Exchange], Exchange]
"""What lies between client and server."""

HOST = "made.example"
SERVICE = "made"
"""The name of the service of every made operation."""
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


class Case(NamedTuple):
    """One call of a made operation, and the answer that its Invoke gives."""

    service: Service
    values: Values
    input: Any
    outputs: list[Any]
    """One, or for a stream any number."""
    fault: Fault | None
    """For a stream, raised after the outputs."""

    @property
    def operation(self) -> Operation:
        return self.service.operations[0]


@st.composite
def cases(draw: Draw, operations: st.SearchStrategy[ServedOperation]) -> Case:
    """Cases of these operations, half of them failing."""
    operation, types = draw(operations)
    service = Service(name=SERVICE, operations=(operation,), types=types)
    values = Values(types)
    given_input = draw(python_values(Contract(operation.input, types), values))
    output = python_values(Contract(operation.output, types), values)
    outputs = draw(st.lists(output, max_size=3)) if operation.stream_output else [draw(output)]
    fault = draw(st.none() | faults(operation, types, values))
    return Case(service, values, given_input, outputs, fault)


@st.composite
def faults(draw: Draw, operation: Operation, types: dict[str, Any], values: Values) -> Fault:
    """Faults that the operation declares, and undeclared ones of every kind."""
    declared = draw(st.sampled_from(operation.faults)) if operation.faults and draw(st.booleans()) else None
    issues = st.lists(st.builds(Issue, TEXT, st.sampled_from(["type", "range"]), TEXT), max_size=3)
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


class Answer(NamedTuple):
    """What came of a call, in a form that compares: values as the JSON that they are written as."""

    outputs: list[bytes]
    fault: tuple[Any, ...] | None


async def expected(case: Case) -> Answer:
    """What calling the Invoke itself gives."""
    return await answer_of(_reply(case), case)


async def called(case: Case, protocol: Protocol, wire: Wire) -> tuple[list[bytes], Answer]:
    """The inputs that the Invoke was given, and what the protocol's client gave back."""
    received: list[bytes] = []
    encode = case.values.codec(case.operation.input).encode

    async def invoke(call: Call) -> Reply:
        received.append(encode(call.input))
        return _reply(case)

    served = ServedService(service=case.service, values=case.values, invokes={case.operation.name: invoke})
    exchange = wire(protocol.server.serve([served]))
    base_path = protocol.server.mounts(case.service)[0].path.rstrip("/")
    invokes = protocol.client.dial(case.service, case.values, exchange, HOST, base_path)
    reply = await invokes[case.operation.name](Call(case.operation, case.input))
    return received, await answer_of(reply, case)


async def answer_of(reply: Reply, case: Case) -> Answer:
    """The reply with its stream read."""
    if reply.fault is not None:
        return Answer([], _parts(reply.fault, case))
    encode = case.values.codec(case.operation.output).encode
    if not case.operation.stream_output:
        return Answer([encode(reply.output)], None)
    outputs = []
    try:
        async for item in reply.output:
            outputs.append(encode(item))
    except Fault as fault:
        return Answer(outputs, _parts(fault, case))
    return Answer(outputs, None)


def input_of(case: Case) -> bytes:
    """The input, as `called` tells those received."""
    return case.values.codec(case.operation.input).encode(case.input)


def is_refused_by_the_client(received: list[bytes], answer: Answer) -> bool:
    """A header holds no line break, a path segment is not empty: the client says so and sends nothing."""
    if received or answer.fault is None:
        return False
    kind, issues = answer.fault[0], answer.fault[4]
    return kind == "invalid" and bool(issues) and all(issue.code == "encoding" for issue in issues)


def _reply(case: Case) -> Reply:
    if case.operation.stream_output:
        return Reply(_items(case))
    return Reply(fault=case.fault) if case.fault is not None else Reply(case.outputs[0])


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
