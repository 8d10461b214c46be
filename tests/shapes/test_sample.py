"""Samples are of their shapes, where a shape has no rule that only a person can follow."""

from __future__ import annotations

import pytest

from entrepot.model import shape as s
from entrepot.shapes.explain import explain
from entrepot.shapes.sample import sample

NODE = s.Record(
    fields=(
        s.Field(name="id", shape=s.Uuid()),
        s.Field(name="next", shape=s.Nullable(shape=s.Ref(name="Node")), required=False),
    )
)
TYPES: s.Types = {"Node": NODE}
SHAPES: tuple[s.Shape, ...] = (
    s.Bool(),
    s.Int(minimum=7),
    s.Int(maximum=-3),
    s.Int(wire="text"),
    s.Float(),
    s.Decimal(),
    s.Decimal(wire="number"),
    s.Text(length_min=9),
    s.Text(length_max=2),
    s.Bytes(),
    s.Date(),
    s.Time(zone="naive"),
    s.DateTime(),
    s.DateTime(wire="unix"),
    s.Duration(),
    s.Enum(values=(s.EnumValue(wire="a"), s.EnumValue(wire="b"))),
    s.List(item=s.Int(), length_min=1),
    s.Map(value=s.Text()),
    s.Union(arms=(s.Int(), s.Text())),
    s.Null(),
    s.Anything(),
    s.Ref(name="Node"),
)


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_a_sample_is_of_its_shape(shape: s.Shape) -> None:
    assert explain(shape, sample(shape, TYPES), TYPES) == []


def test_a_sample_of_a_type_without_end_ends() -> None:
    endless: s.Types = {"Tree": s.Record(fields=(s.Field(name="left", shape=s.Ref(name="Tree")),))}
    assert sample(s.Ref(name="Tree"), endless) == {"left": {"left": {"left": {"left": {}}}}}
