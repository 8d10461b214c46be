"""The laws on the memory wire, where every chunking of the octets can be met."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from entrepot.app import Catalog
from entrepot.wire.memory import Chunking, memory_wire, octets
from support import laws
from support.rest_operations import bound_operations
from support.strategies import operations

CATALOG = Catalog()
OPERATIONS = dict.fromkeys(CATALOG, operations()) | {"rest": bound_operations()}
"""What each protocol is tried with: some also with bindings of their own."""


def in_two(data: bytes) -> Iterable[bytes]:
    return [data[:7], data[7:]]


CHUNKINGS = st.sampled_from([None, octets, in_two])


@pytest.mark.parametrize("name", sorted(CATALOG))
@given(data=st.data(), chunking=CHUNKINGS)
def test_calling_through_a_protocol_is_calling(name: str, data: st.DataObject, chunking: Chunking | None) -> None:
    case = data.draw(laws.cases(OPERATIONS[name]))
    received, answer = asyncio.run(laws.called(case, CATALOG[name], partial(memory_wire, chunking=chunking)))
    assume(not laws.is_refused_by_the_client(received, answer))
    assert received == [laws.input_of(case)]
    assert answer == asyncio.run(laws.expected(case))


@given(laws.cases(operations()))
def test_every_protocol_gives_the_same_answer(case: laws.Case) -> None:
    answers = [asyncio.run(laws.called(case, protocol, memory_wire)) for protocol in CATALOG.values()]
    assume(not any(laws.is_refused_by_the_client(*answer) for answer in answers))
    assert all(answer == answers[0] for answer in answers)
