from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from entrepot.compiler.carrying import leading_types
from entrepot.model import shape
from entrepot.model.operation import Operation
from entrepot.ports.protocol import Can

NAMES = ["A", "B", "C", "D"]
LEAVES = st.sampled_from([shape.Text(), shape.Int(), shape.File(), shape.Raw(media_type="text/csv")])
REFERENCES = st.sampled_from([shape.Ref(name=name) for name in NAMES])
SHAPES = st.recursive(
    LEAVES | REFERENCES,
    lambda inner: st.one_of(
        inner.map(lambda item: shape.List(item=item)),
        inner.map(lambda each: shape.Nullable(shape=each)),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda shapes: shape.Record(fields=tuple(shape.Field(name=f"f{i}", shape=s) for i, s in enumerate(shapes)))
        ),
    ),
    max_leaves=5,
)
RECORDS = SHAPES.map(lambda each: shape.Record(fields=(shape.Field(name="value", shape=each),)))


@given(st.fixed_dictionaries(dict.fromkeys(NAMES, RECORDS)), RECORDS, SHAPES, st.booleans(), st.booleans())
def test_a_protocol_says_the_same_of_fewer_types(
    types: dict[str, shape.Shape], given_input: shape.Record, output: shape.Shape, files: bool, raw: bool
) -> None:
    operation = Operation(name="find", input=given_input, output=output)
    can = Can(files=files, raw=raw)
    assert bool(can.refusal(operation, leading_types(types))) == bool(can.refusal(operation, types))
