"""What msgspec cannot read is read all the same, or told where it stands."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from entrepot.kit.limits import DEFAULT_LIMITS
from entrepot.model import shape as s
from entrepot.model.faults import Invalid, Malformed
from entrepot.shapes.plain import plain_of
from entrepot.shapes.values import Values

DIGITS = "9" * 5000


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (DIGITS, Decimal(DIGITS)),
        (f"[-{DIGITS},1]", [Decimal(f"-{DIGITS}"), 1]),
        (f"[{DIGITS},0.10]", [Decimal(DIGITS), Decimal("0.10")]),
    ],
)
def test_a_number_of_any_length_is_read_exactly(text: str, plain: Any) -> None:
    read = plain_of(text.encode(), DEFAULT_LIMITS)
    assert (read, repr(read)) == (plain, repr(plain))


def test_a_member_that_is_dropped_may_be_any_number() -> None:
    codec = Values({}).codec(s.Record(fields=(s.Field(name="id", shape=s.Int()),)))
    for number in (DIGITS, "1e99999999999999999999999", "-1E-99999999999999999999999"):
        for spelt in ("1", "1.0"):
            assert codec.decode(f'{{"more":{number},"id":{spelt}}}'.encode()).id == 1


@pytest.mark.parametrize("text", ["1e99999999999999999999999", "-1e99999999999999999999999", DIGITS, f"-{DIGITS}"])
def test_a_number_without_end_is_told_by_its_place_however_it_is_spelt(text: str) -> None:
    codec = Values({}).codec(s.Record(fields=(s.Field(name="id", shape=s.Int()), s.Field(name="b", shape=s.Bool()))))
    with pytest.raises(Invalid) as told:
        codec.decode(b'{"b":7,"id":%b}' % text.encode())
    assert [(issue.pointer, issue.code) for issue in told.value.issues] == [("/id", "number_form"), ("/b", "type")]


def test_a_float_of_a_tiny_exponent_is_zero() -> None:
    assert Values({}).codec(s.Float()).decode(b"-1e-99999999999999999999999") == 0


@pytest.mark.parametrize("inside", [b'"\xff"', b'"\xed\xa0\x80"', DIGITS.encode()])
@pytest.mark.parametrize("levels", [60, 900, 100_000])
def test_depth_is_no_way_around(inside: bytes, levels: int) -> None:
    codec = Values({}).codec(s.Anything())
    with pytest.raises(Malformed if levels > 60 or inside[:1] == b'"' else Invalid):
        codec.decode(b"[" * levels + inside + b"]" * levels)


octets = st.binary(max_size=4).map(lambda octets: octets.translate(None, b'"\\' + bytes(range(32))))


@given(st.lists(octets, max_size=4), octets)
@example([b"\xe2\x82"], b"")
def test_exactly_the_strings_that_are_not_utf_8_are_told(items: list[bytes], name: bytes) -> None:
    text = b'{"%b":[%b]}' % (name, b",".join(b'"%b"' % item for item in items))
    told: list[str] = []
    try:
        plain_of(text, DEFAULT_LIMITS)
    except Malformed as malformed:
        told = [issue.pointer for issue in malformed.issues]
        json.dumps(told, ensure_ascii=False).encode()
    broken = [f"/{index}" for index, item in enumerate(items) if not _is_text(item)]
    assert len(told) == len(broken) + (not _is_text(name))
    assert all(one.endswith(other) for one, other in zip(reversed(told), reversed(broken), strict=False))


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
