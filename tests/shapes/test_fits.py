"""Which shapes have a value in common, as a link needs it."""

from __future__ import annotations

import pytest

from entrepot.model import shape as s
from entrepot.shapes.fits import may_be

INT, TEXT = s.Int(), s.Text()
RED = s.Enum(values=(s.EnumValue("red"),))
TREE = s.Record(fields=(s.Field(name="left", shape=s.Ref(name="Tree"), required=False), s.Field(name="key", shape=INT)))
PLANT = s.Record(
    fields=(s.Field(name="left", shape=s.Ref(name="Plant"), required=False), s.Field(name="key", shape=INT))
)
HEDGE = s.Record(
    fields=(s.Field(name="left", shape=s.Ref(name="Hedge"), required=False), s.Field(name="key", shape=TEXT))
)
TYPES = {"Tree": TREE, "Plant": PLANT, "Hedge": HEDGE}


def record(**fields: s.Shape) -> s.Record:
    return s.Record(fields=tuple(s.Field(name=name, shape=shape) for name, shape in fields.items()))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (INT, s.Int(minimum=5)),
        (INT, s.Decimal()),
        (INT, s.Nullable(shape=INT)),
        (s.Nullable(shape=INT), INT),
        (s.Anything(), INT),
        (INT, s.Json(schema={"type": "string"})),
        (TEXT, RED),
        (RED, TEXT),
        (RED, s.Enum(values=(s.EnumValue("red"), s.EnumValue(1)))),
        (RED, s.Enum(values=(s.EnumValue(1),), open=True)),
        (s.Union(arms=(TEXT, INT)), INT),
        (INT, s.Union(arms=(TEXT, INT))),
        (s.List(item=INT), s.List(item=s.Float())),
        (s.Tuple(items=(INT, TEXT)), s.Tuple(items=(INT, TEXT))),
        (s.Map(value=INT), s.Map(value=INT, length_max=3)),
        (s.DateTime(zone="naive"), s.DateTime(zone="any")),
        (record(a=INT, b=TEXT), record(a=INT)),
        (s.Ref(name="Tree"), s.Ref(name="Plant")),
    ],
)
def test_some_value_is_of_both(one: s.Shape, other: s.Shape) -> None:
    assert may_be(one, other, TYPES)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TEXT, INT),
        (s.Float(), INT),
        (s.Bool(), INT),
        (TEXT, s.Uuid()),
        (RED, INT),
        (RED, s.Enum(values=(s.EnumValue("blue"),))),
        (s.Enum(values=(s.EnumValue(1),)), s.Enum(values=(s.EnumValue(True),))),
        (s.Union(arms=(TEXT, INT)), s.Bool()),
        (INT, s.List(item=INT)),
        (s.List(item=INT), s.List(item=TEXT)),
        (s.Tuple(items=(INT,)), s.Tuple(items=(INT, INT))),
        (s.Map(value=INT), s.Map(value=TEXT)),
        (s.DateTime(zone="naive"), s.DateTime(zone="aware")),
        (record(a=INT), record(a=INT, b=TEXT)),
        (record(a=INT), record(a=TEXT)),
        (s.Ref(name="Tree"), s.Ref(name="Hedge")),
        (s.Union(arms=(record(a=s.Ref(name="Tree"), b=INT), s.Ref(name="Tree"))), s.Ref(name="Hedge")),
    ],
)
def test_no_value_is_of_both(one: s.Shape, other: s.Shape) -> None:
    assert not may_be(one, other, TYPES)
