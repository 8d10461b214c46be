"""The laws on the memory wire, where every chunking of the octets can be met."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.app import CATALOG
from entrepot.wire.memory import Chunking, memory_wire, octets
from support import laws


def in_two(data: bytes) -> Iterable[bytes]:
    return [data[:7], data[7:]]


CHUNKINGS = st.sampled_from([None, octets, in_two])


@pytest.mark.parametrize("name", sorted(CATALOG))
def test_calling_through_a_protocol_is_calling(name: str, sent: laws.Sent) -> None:
    @given(laws.cases(laws.operations_of(name)), CHUNKINGS)
    def law(case: laws.Case, chunking: Chunking | None) -> None:
        told = asyncio.run(laws.told(case, CATALOG[name], partial(memory_wire, chunking=chunking)))
        sent.assume(told)
        assert told == asyncio.run(laws.expected(case, CATALOG[name]))

    law()


def test_every_protocol_gives_the_same_answer(sent: laws.Sent) -> None:
    @given(laws.cases(laws.operations_of_all(CATALOG)))
    def law(case: laws.Case) -> None:
        every = [asyncio.run(laws.told(case, protocol, memory_wire)) for protocol in CATALOG.values()]
        sent.assume(*every)
        assert all((told.seen, told.answer) == (every[0].seen, every[0].answer) for told in every)

    law()
