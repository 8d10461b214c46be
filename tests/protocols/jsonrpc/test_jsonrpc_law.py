"""The law of a protocol: a call through its client and its server gives what the Invoke itself gives."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from entrepot.model.call import Call, Reply
from entrepot.model.fault import KINDS, DeclaredFault, Fault, Issue
from entrepot.model.operation import Operation, Service
from entrepot.ports.protocol import ServedService
from entrepot.protocols.jsonrpc import PROTOCOL
from entrepot.shapes.values import Values
from entrepot.wire.memory import memory_wire, octets
from support.strategies import Contract, operations, python_values

Draw = Any
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
CHUNKINGS = [None, octets, lambda data: [data[:7], data[7:]]]


class Case(NamedTuple):
    """One call of a made operation, and the answer that its Invoke gives."""

    service: Service
    values: Values
    input: Any
    reply: Reply


@st.composite
def cases(draw: Draw) -> Case:
    operation, types = draw(operations())
    service = Service(name="made", operations=(operation,), types=types)
    values = Values(types)
    given_input = draw(python_values(Contract(operation.input, types), values))
    if draw(st.booleans()):
        return Case(service, values, given_input, Reply(draw(python_values(Contract(operation.output, types), values))))
    declared = draw(st.sampled_from(operation.faults)) if operation.faults and draw(st.booleans()) else None
    return Case(service, values, given_input, Reply(fault=draw(faults(declared, types, values))))


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


def called(case: Case, chunking: Any, operation: Operation | None = None) -> tuple[list[Any], Reply]:
    """What the Invoke was given, and what the client gave back."""
    received: list[Any] = []

    async def invoke(call: Call) -> Reply:
        received.append(call.input)
        return case.reply

    [own] = case.service.operations
    served = ServedService(service=case.service, values=case.values, invokes={own.name: invoke})
    wire = memory_wire(PROTOCOL.server.serve([served]), chunking)
    dialled = case.service if operation is None else msgspec.structs.replace(case.service, operations=(operation,))
    invokes = PROTOCOL.client.dial(dialled, case.values, wire, "peer", "/jsonrpc")
    return received, asyncio.run(invokes[own.name](Call(own, case.input)))


def same(expected: Fault, got: Fault | None) -> bool:
    """Whether two faults are one: what the caller never sees is not compared."""
    assert got is not None
    detail = "" if expected.kind == "internal" else expected.detail
    blamed = "" if expected.row.blame == "caller" else "peer"
    return (
        (got.kind, got.name, got.data, got.issues) == (expected.kind, expected.name, expected.data, expected.issues)
        and got.detail == (detail if detail != expected.row.title else "")
        and got.retry_after == expected.retry_after
        and got.upstream == (expected.upstream or blamed)
    )


@given(case=cases(), chunking=st.sampled_from(CHUNKINGS))
def test_calling_through_the_protocol_is_calling(case, chunking):
    received, reply = called(case, chunking)
    assert received == [case.input]
    if case.reply.fault is None:
        assert reply.fault is None
        assert reply.output == case.reply.output
    else:
        assert same(case.reply.fault, reply.fault)


@given(case=cases())
def test_positions_carry_what_names_do(case):
    [own] = case.service.operations
    by_position = msgspec.structs.replace(
        own, bindings={"jsonrpc": {"params": "by-position", "method": "made.operate"}}
    )
    received, reply = called(case, None, by_position)
    # An absent parameter before a present one is the one thing that positions cannot say.
    assume(received)
    assert received == [case.input]
    assert (reply.fault is None) == (case.reply.fault is None)
