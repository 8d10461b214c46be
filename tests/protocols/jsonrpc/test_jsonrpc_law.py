"""What positions carry. The law itself, for every protocol, is in tests/laws."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from entrepot.protocols.jsonrpc import PROTOCOL
from entrepot.wire.memory import memory_wire
from support import laws
from support.strategies import ServedOperation, operations

Draw = Any


@st.composite
def by_position(draw: Draw) -> ServedOperation:
    made = draw(operations())
    binding = {"jsonrpc": {"params": "by-position"}}
    return made._replace(operation=msgspec.structs.replace(made.operation, bindings=binding))


@given(laws.cases(by_position()))
def test_positions_carry_what_names_do(case: laws.Case) -> None:
    told = asyncio.run(laws.told(case, PROTOCOL, memory_wire))
    # An absent parameter before a present one is the one thing that positions cannot say.
    assume(told.seen)
    assert told == asyncio.run(laws.expected(case, PROTOCOL))
