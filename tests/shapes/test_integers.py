"""An integer is one however it is spelt: `1.0` and `1e2` are integers for JSON Schema."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entrepot.model import shape as s
from entrepot.model.fault import Fault
from entrepot.shapes.values import Values
from support.strategies import Contract, contracts, values_of

write = msgspec.json.Encoder(decimal_format="number").encode
ONE_OR_TEXT = s.Union(arms=(s.Int(), s.Text()))
NUMBERED = s.Record(fields=(s.Field(name="number", shape=s.Int()), s.Field(name="a", shape=s.Text())))
MEASURED = s.Record(fields=(s.Field(name="number", shape=s.Decimal(wire="number")),))


@pytest.mark.parametrize(
    ("shape", "text", "value"),
    [
        (s.Int(), b"1.0", 1),
        (s.Int(), b"-0.0", 0),
        (s.Int(bits=8), b"1.2e2", 120),
        (s.Int(), b"1E+400", 10**400),
        (s.Enum(values=(s.EnumValue(1), s.EnumValue(2))), b"2.0", 2),
        (s.Nullable(shape=s.Int()), b"1.0", 1),
        (s.Map(value=s.List(item=s.Int(minimum=1))), b'{"a":[1.0,2]}', {"a": [1, 2]}),
        (s.Tuple(items=(s.Int(), s.Float())), b"[1.0,1.0]", (1, 1.0)),
        (ONE_OR_TEXT, b"1.0", 1),
        (s.Union(arms=(ONE_OR_TEXT, s.List(item=s.Int()))), b"[1.0]", [1]),
        (s.Union(arms=(s.Int(), s.Float())), b"1.0", 1.0),
        (s.List(item=s.Int(), unique=True), b"[1.0,2]", [1, 2]),
    ],
)
def test_an_integer_may_be_spelt_with_a_point_or_an_exponent(shape: s.Shape, text: bytes, value: Any) -> None:
    for read in (Values({}).codec(shape).decode, Values({}).codec(shape).decode_trusted):
        assert read(text) == value
        assert write(read(text)) == write(value)


def test_the_first_arm_that_takes_it_is_still_the_first() -> None:
    codec = Values({}).codec(s.Union(arms=(NUMBERED, MEASURED), choose="trial"))
    assert codec.decode(b'{"number":1.0,"a":"x"}').number == 1
    assert codec.decode(b'{"number":1.0}').number == Decimal("1.0")


def test_what_is_beside_it_stays_as_it_is_spelt() -> None:
    fields = (s.Field(name="count", shape=s.Int()), s.Field(name="rate", shape=s.Decimal(wire="number")))
    codec = Values({}).codec(s.Record(fields=fields, extras="keep"))
    assert codec.encode(codec.decode(b'{"count":1.0,"rate":1.0,"more":1.0}')) == b'{"count":1,"rate":1.0,"more":1.0}'


@pytest.mark.parametrize(
    ("shape", "text", "code"),
    [
        (s.Int(), b"1.5", "type"),
        (s.Int(maximum=9), b"1e1", "range"),
        (s.Int(), b"1e999999", "number_form"),
        (s.Int(), b"1e1000", "number_form"),
        (s.Int(wire="text"), b'"1.0"', "number_form"),
        (s.Enum(values=(s.EnumValue(True),)), b"1.0", "enum"),
        (s.List(item=s.Int(), unique=True), b"[1.0,1]", "unique"),
        (ONE_OR_TEXT, b"1.5", "type"),
        (s.Int(), b'{"a":1.0,"a":1.0}', "duplicate"),
    ],
)
def test_what_is_none_is_still_refused(shape: s.Shape, text: bytes, code: str) -> None:
    with pytest.raises(Fault) as caught:
        Values({}).codec(shape).decode(text)
    assert [issue.code for issue in caught.value.issues] == [code]


def test_a_float_that_a_handler_returns_is_still_no_integer() -> None:
    codec = Values({}).codec(s.List(item=s.Int()))
    assert codec.accepts([1])
    assert [issue.code for issue in codec.issues([1.0])] == ["type"]


@given(st.data(), contracts())
@settings(max_examples=300, suppress_health_check=list(HealthCheck))
def test_the_value_is_the_same_however_its_integers_are_spelt(data: st.DataObject, contract: Contract) -> None:
    plain = data.draw(values_of(contract.shape, contract.types))
    codec = Values(contract.types).codec(contract.shape)
    assert codec.decode(write(with_points(plain))) == codec.decode(write(plain))
    assert codec.of_plain(with_points(plain)) == codec.of_plain(plain)


def with_points(plain: Any) -> Any:
    if type(plain) is int:
        return Decimal(f"{plain}.0")
    if isinstance(plain, list):
        return list(map(with_points, plain))
    return {name: with_points(each) for name, each in plain.items()} if isinstance(plain, dict) else plain
