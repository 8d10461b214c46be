"""Values as MessagePack: what comes back is what was written, and no octets do harm."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, note, reject, settings
from hypothesis import strategies as st

from entrepot.kit.limits import Limits
from entrepot.model import shape as s
from entrepot.model.faults import Invalid, Malformed
from entrepot.shapes.msgpack import MsgPack
from entrepot.shapes.unsayable import Unsayable
from entrepot.shapes.values import Values
from support.strategies import Contract, anything, contracts, nearly, values_of

law = settings(max_examples=300, suppress_health_check=list(HealthCheck))
write = msgspec.msgpack.Encoder().encode
read = msgspec.msgpack.Decoder().decode


def packed(shape: s.Shape, types: dict[str, s.Shape] | None = None, limits: Limits | None = None) -> MsgPack:
    values = Values(types or {}, limits=limits or Limits())
    return MsgPack(values.codec(shape), values)


def is_typed(contract: Contract) -> bool:
    """Whether nothing in it may be a number of which only that is known."""
    return not any(isinstance(part, s.Anything | s.Json) for part in s.reachable(contract.shape, contract.types))


@given(st.data(), contracts().filter(is_typed))
@law
def test_a_value_survives_being_written_and_read(data: st.DataObject, contract: Contract) -> None:
    note(f"{contract}")
    values = Values(contract.types)
    codec = values.codec(contract.shape)
    try:
        packs = MsgPack(codec, values)
        value = codec.of_plain(data.draw(values_of(contract.shape, contract.types)))
        written = packs.encode(value)
    except Unsayable:
        reject()
    assert packs.decode(written) == value


@given(st.data(), contracts())
@law
def test_what_json_refuses_is_refused_and_nothing_but_a_fault_comes_out(
    data: st.DataObject, contract: Contract
) -> None:
    fitting = data.draw(values_of(contract.shape, contract.types))
    plain = data.draw(nearly(fitting) | anything())
    values = Values(contract.types)
    try:
        packs = MsgPack(values.codec(contract.shape), values)
        packs.decode(write(plain))
    except (Malformed, Invalid, Unsayable, OverflowError):
        return


@given(st.binary(max_size=200) | st.lists(st.sampled_from([0x81, 0xA1, 0x61, 0x91, 0xC4, 0xD7, 0xFF, 0x01])).map(bytes))
@settings(max_examples=1000)
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    for shape in (s.Anything(), s.Record(fields=(s.Field(name="a", shape=s.Bytes(), required=False),))):
        with contextlib.suppress(Malformed, Invalid):
            packed(shape).decode(octets)


def test_octets_are_octets_and_decimals_are_text() -> None:
    fields = {"octets": s.Bytes(), "hex": s.Bytes(encoding="hex"), "price": s.Decimal(wire="number"), "big": s.Int()}
    packs = packed(s.Record(fields=tuple(s.Field(name=name, shape=shape) for name, shape in fields.items())))
    value = packs.decode(write({"octets": b"\0\xff", "hex": "00ff", "price": 1.5, "big": 2**64 - 1}))
    assert (value.octets, value.hex, value.price, value.big) == (b"\0\xff", b"\0\xff", Decimal("1.5"), 2**64 - 1)
    value.price, value.big = Decimal("1.10"), 2**64
    told = {"octets": b"\0\xff", "hex": b"\0\xff", "price": "1.10", "big": "18446744073709551616"}
    assert read(packs.encode(value)) == told
    assert packs.decode(packs.encode(value)) == value


@pytest.mark.parametrize(
    ("shape", "said", "value"),
    [
        (s.DateTime(), datetime.datetime(2024, 1, 31, 12, 30, 0, 250000, datetime.UTC), None),
        (s.Map(value=s.Int()), {1: 2}, {"1": 2}),
        (s.Map(value=s.Int(), key=s.Int()), {1: 2}, {1: 2}),
        (s.Float(), 3, 3.0),
        (s.Anything(), {"a": [1, "2", None]}, {"a": [1, "2", None]}),
    ],
)
def test_what_other_writers_write_is_read(shape: s.Shape, said: Any, value: Any) -> None:
    assert packed(shape).decode(write(said)) == (said if value is None else value)


@pytest.mark.parametrize(
    ("octets", "code", "words"),
    [
        (b"", "syntax", "truncated"),
        (b"\x82\xa1a\x01\xa1a\x02", "syntax", "more than once"),
        (b"\x82\xa1a\x01\xd9\x01a\x02", "syntax", "more than once"),
        (b"\x82\x01\x01\xa11\x02", "syntax", "more than once"),
        (b"\x81\xc3\x01", "syntax", "text or an integer"),
        (b"\x81\xa1a\xd7\xff" + (1 << 34).to_bytes(8, "big"), "syntax", "finer than a microsecond"),
        (b"\x81\xa1a\xc7\x0c\xff" + (1).to_bytes(4, "big") + bytes(8), "syntax", "finer than a microsecond"),
        (b"\x91" * 70 + b"\x01", "depth", "64 deep"),
        (b"\x91" * 100_000 + b"\x01", "depth", "64 deep"),
        (b"\x81\xa1a\xa1\xff", "syntax", "is not MessagePack"),
        (b"\x01\x01", "syntax", "is not MessagePack"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(octets: bytes, code: str, words: str) -> None:
    with pytest.raises(Malformed) as raised:
        packed(s.Anything()).decode(octets)
    [issue] = raised.value.issues
    assert issue.code == code
    assert words in issue.message


def test_issues_tell_their_places() -> None:
    shape = s.Record(fields=(s.Field(name="a", shape=s.List(item=s.Int())), s.Field(name="b", shape=s.Text())))
    with pytest.raises(Invalid) as raised:
        packed(shape).decode(write({"a": [1, "x", b"y"]}))
    assert [(each.pointer, each.code) for each in raised.value.issues] == [
        ("/a/1", "type"), ("/a/2", "type"), ("/b", "missing"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "refused",
    [
        lambda: packed(s.Union(arms=(s.Decimal(wire="number"), s.Text()))),
        lambda: packed(s.Union(arms=(s.Int(), s.Text()))).encode(2**64),
    ],
)
def test_a_number_that_would_be_taken_for_text_is_refused(refused: Callable[[], Any]) -> None:
    with pytest.raises(Unsayable, match="taken for text"):
        refused()


def test_a_long_number_of_any_kind_loses_no_digit() -> None:
    packs = packed(s.Anything())
    told = {"short": Decimal("1.5"), "long": Decimal("0.1000000000000000055511151231257827")}
    assert read(packs.encode(told)) == {"short": 1.5, "long": "0.1000000000000000055511151231257827"}


def test_arms_within_arms_are_read_once_each() -> None:
    inner, octets = s.Nullable(shape=s.Ref("N")), s.Bytes()
    first = s.Record(fields=(s.Field(name="a", shape=inner), s.Field(name="b", shape=octets, required=False)))
    other = s.Record(fields=(s.Field(name="a", shape=inner), s.Field(name="c", shape=octets)))
    values = Values({"N": s.Union(arms=(msgspec.structs.replace(first, extras="forbid"), other), choose="kind")})
    codec = values.codec(s.Ref("N"))
    plain: Any = None
    for _ in range(40):
        plain = {"a": plain, "c": b"y"}
    data = msgspec.msgpack.encode(plain)
    read = MsgPack(codec, values).decode(data)
    assert MsgPack(codec, values).encode(read) == data
