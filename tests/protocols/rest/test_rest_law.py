"""The law of a protocol: a call through its client and its server gives what the Invoke itself gives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from hypothesis import assume, given
from hypothesis import strategies as st

from entrepot.model.call import Call, Reply
from entrepot.model.fault import KINDS, DeclaredFault, Fault, Issue
from entrepot.model.operation import Operation, Service
from entrepot.ports.protocol import ServedService
from entrepot.protocols.rest import PROTOCOL
from entrepot.shapes.values import Values
from entrepot.wire.memory import memory_wire, octets
from support.rest_operations import bound_operations
from support.strategies import Contract, python_values

Draw = Any
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
CHUNKINGS = [None, octets, lambda data: [data[:7], data[7:]]]


class Case(NamedTuple):
    """One call of a made operation, and the answer that its Invoke gives."""

    service: Service
    values: Values
    input: Any
    outputs: list[Any]
    """One, or for a stream any number."""
    fault: Fault | None


@st.composite
def cases(draw: Draw) -> Case:
    operation, types = draw(bound_operations())
    service = Service(name="made", operations=(operation,), types=types)
    values = Values(types)
    given_input = draw(python_values(Contract(operation.input, types), values))
    output = python_values(Contract(operation.output, types), values)
    outputs = draw(st.lists(output, max_size=3)) if operation.stream_output else [draw(output)]
    fault = None
    if draw(st.booleans()):
        declared = draw(st.sampled_from(operation.faults)) if operation.faults and draw(st.booleans()) else None
        fault = draw(faults(declared, types, values))
    return Case(service, values, given_input, outputs, fault)


@st.composite
def faults(draw: Draw, declared: DeclaredFault | None, types: dict[str, Any], values: Values) -> Fault:
    kind = declared.kind if declared else draw(st.sampled_from(sorted(KINDS)))
    data = None
    if declared and declared.data is not None:
        data = draw(python_values(Contract(declared.data, types), values))
    issues = st.lists(st.builds(Issue, TEXT, st.sampled_from(["type", "range"]), TEXT), max_size=3)
    return Fault.of(
        kind,
        draw(TEXT),
        name=declared.name if declared else "",
        data=data,
        issues=tuple(draw(issues)),
        retry_after=draw(st.none() | st.floats(0, 1000)),
        upstream=draw(st.sampled_from(["", "bank"])),
    )


class Answer(NamedTuple):
    """What came of a call, in a form that compares."""

    outputs: list[bytes]
    fault: tuple[Any, ...] | None


async def items_of(case: Case) -> AsyncIterator[Any]:
    for output in case.outputs:
        yield output
    if case.fault is not None:
        raise case.fault


def reply_of(case: Case) -> Reply:
    [operation] = case.service.operations
    if operation.stream_output:
        return Reply(items_of(case))
    return Reply(fault=case.fault) if case.fault is not None else Reply(case.outputs[0])


async def answer_of(reply: Reply, operation: Operation, values: Values) -> Answer:
    """The reply with its stream read, values as the JSON that they are written as."""
    encode = values.codec(operation.output).encode
    if reply.fault is not None:
        return Answer([], parts_of(reply.fault, operation, values))
    if not operation.stream_output:
        return Answer([encode(reply.output)], None)
    outputs = []
    try:
        async for item in reply.output:
            outputs.append(encode(item))
    except Fault as fault:
        return Answer(outputs, parts_of(fault, operation, values))
    return Answer(outputs, None)


def parts_of(fault: Fault, operation: Operation, values: Values) -> tuple[Any, ...]:
    declared = operation.fault(fault.name)
    data = declared and declared.data and values.codec(declared.data).encode(fault.data)
    upstream = fault.upstream or ("" if fault.row.blame == "caller" else "made.example")
    detail = "" if fault.kind == "internal" else fault.detail
    return fault.kind, fault.name, detail, data, fault.issues, fault.retry_after, upstream


async def called(case: Case, chunking: Any) -> tuple[list[Any], Answer]:
    """What the Invoke was given, and what the client gave back."""
    received: list[Any] = []
    [operation] = case.service.operations

    async def invoke(call: Call) -> Reply:
        received.append(call.input)
        return reply_of(case)

    served = ServedService(service=case.service, values=case.values, invokes={operation.name: invoke})
    wire = memory_wire(PROTOCOL.server.serve([served]), chunking)
    invokes = PROTOCOL.client.dial(case.service, case.values, wire, "made.example", "/api/made/v1")
    reply = await invokes[operation.name](Call(operation, case.input))
    return received, await answer_of(reply, operation, case.values)


@given(cases(), st.sampled_from(CHUNKINGS))
def test_client_and_server_are_duals(case: Case, chunking: Any) -> None:
    [operation] = case.service.operations
    received, answer = asyncio.run(called(case, chunking))
    assume(not is_refused_by_the_client(received, answer))
    encode = case.values.codec(operation.input).encode
    assert [encode(given) for given in received] == [encode(case.input)]
    assert answer == asyncio.run(answer_of(reply_of(case), operation, case.values))


def is_refused_by_the_client(received: list[Any], answer: Answer) -> bool:
    """A header holds no line break, a path segment is not empty: the client says so and sends nothing."""
    if received or answer.fault is None:
        return False
    kind, issues = answer.fault[0], answer.fault[4]
    return kind == "invalid" and bool(issues) and all(issue.code == "encoding" for issue in issues)
