"""Scalars as bare text."""

from __future__ import annotations

import datetime
import enum
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.model import shape as s
from entrepot.shapes import text
from entrepot.shapes.scalars import NotOfShape
from entrepot.shapes.values import Values
from support.strategies import scalar_values, scalars


@given(st.data(), scalars())
def test_text_is_read_back_as_the_value_it_was_written_from(data: st.DataObject, shape: s.Shape) -> None:
    value = Values({}).codec(shape).of_plain(data.draw(scalar_values(shape)))
    written = text.writer(shape, {})(value)
    assert text.reader(shape, {})(written) == value


@pytest.mark.parametrize(
    ("shape", "written", "value"),
    [
        (s.Int(), "42", 42),
        (s.Int(), "-7", -7),
        (s.Bool(), "true", True),
        (s.Bool(), "0", False),
        (s.Float(), "1e5", 100000.0),
        (s.Decimal(), "10.50", Decimal("10.50")),
        (s.Bytes(), "_-8", b"\xff\xef"),
        (s.Nullable(shape=s.Int()), "", None),
        (s.Nullable(shape=s.Text()), "", ""),
        (s.Enum(values=(s.EnumValue(1), s.EnumValue("b"))), "1", 1),
        (s.Union(arms=(s.Text(), s.Int()), choose="trial"), "12", 12),
        (s.Union(arms=(s.Text(), s.Int()), choose="trial"), "12x", "12x"),
        (s.Date(), "2024-02-29", datetime.date(2024, 2, 29)),
        (s.DateTime(wire="unix"), "1700000000", datetime.datetime(2023, 11, 14, 22, 13, 20, tzinfo=datetime.UTC)),
    ],
)
def test_what_is_read(shape: s.Shape, written: str, value: object) -> None:
    found = text.reader(shape, {})(written)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("shape", "written", "code"),
    [
        (s.Int(), "1.0", "type"),
        (s.Int(), "01", "type"),
        (s.Int(), "+1", "type"),
        (s.Int(), " 1", "type"),
        (s.Int(), "1_0", "type"),
        (s.Int(), "٣", "type"),
        (s.Int(), "", "type"),
        (s.Int(), "9" * 5000, "number_form"),
        (s.Int(), "9" * 1001, "number_form"),
        (s.Int(bits=8), "128", "range"),
        (s.Bool(), "yes", "type"),
        (s.Bool(), "2", "type"),
        (s.Bool(), "True", "type"),
        (s.Float(), "nan", "type"),
        (s.Float(), "inf", "type"),
        (s.Float(), "1e400", "number_form"),
        (s.Decimal(), "NaN", "type"),
        (s.Decimal(), "1e99999", "number_form"),
        (s.Decimal(maximum="5"), "6", "range"),
        (s.DateTime(), "2024-01-01T00:00:00", "format"),
        (s.Date(), "2024-02-30", "format"),
        (s.Uuid(), "x", "format"),
        (s.Text(length_max=1), "ab", "length"),
        (s.Enum(values=(s.EnumValue("a"),)), "b", "enum"),
        (s.Union(arms=(s.Int(), s.Bool())), "x", "variant"),
    ],
)
def test_what_is_refused(shape: s.Shape, written: str, code: str) -> None:
    with pytest.raises(NotOfShape) as caught:
        text.reader(shape, {})(written)
    assert caught.value.problem.code == code
    assert len(str(caught.value)) < 200


def test_an_authors_enumeration_is_read_as_its_member() -> None:
    class Color(enum.Enum):
        RED = "red"

    types = {"Color": s.Enum(values=(s.EnumValue("red", name="RED"),))}
    assert text.reader(s.Ref(name="Color"), types, {"Color": Color})("red") is Color.RED
    assert text.writer(s.Ref(name="Color"), types)(Color.RED) == "red"


def test_null_is_refused_where_the_empty_text_is_a_value() -> None:
    with pytest.raises(ValueError, match="null has no text form"):
        text.writer(s.Nullable(shape=s.Text()), {})(None)
    assert text.writer(s.Nullable(shape=s.Int()), {})(None) == ""


@pytest.mark.parametrize("shape", [s.List(item=s.Int()), s.Record(fields=()), s.Anything(), s.File()])
def test_what_has_no_text_form_is_told_when_it_is_compiled(shape: s.Shape) -> None:
    assert not text.has_text_form(shape, {})
    with pytest.raises(TypeError, match="bare text"):
        text.reader(shape, {})
    with pytest.raises(TypeError, match="bare text"):
        text.writer(shape, {})


@pytest.mark.parametrize(
    ("shape", "written", "message"),
    [
        (s.Int(), "2.0", "expected an integer"),
        (s.Int(), "often", "expected an integer"),
        (s.Int(wire="text"), "2.0", "expected an integer"),
        (s.Int(), "9" * 5000, "a number may have at most 1000 digits, written out"),
        (s.DateTime(wire="unix"), "today", "expected a number, of seconds since 1970"),
        (s.DateTime(wire="unix_ms"), "today", "expected a number"),
    ],
)
def test_nothing_is_said_of_strings_where_all_is_text(shape: s.Shape, written: str, message: str) -> None:
    with pytest.raises(NotOfShape) as refused:
        text.reader(shape, {})(written)
    assert refused.value.problem.message == message


def test_a_number_that_may_mean_true_or_false_is_a_number() -> None:
    union = s.Union(arms=(s.Bool(), s.Int()))
    read = text.reader(union, {})
    assert [read(each) for each in ("0", "1", "true", "false", "7")] == [0, 1, True, False, 7]
    assert [type(read(each)) for each in ("0", "true")] == [int, bool]
