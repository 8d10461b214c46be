"""What a protocol says of an operation that it cannot carry."""

from __future__ import annotations

from entrepot.model import shape
from entrepot.model.operation import Operation, Service
from entrepot.ports.protocol import Can
from support.rings import ring


def taking(name: str, part: shape.Shape) -> Operation:
    return Operation(name=name, input=shape.Record(fields=(shape.Field(name="part", shape=part),)))


SCAN = shape.Record(fields=(shape.Field(name="scan", shape=shape.Nullable(shape=shape.File())),))
SERVICE = Service(
    name="office",
    types=ring(3, Scan=SCAN),
    operations=(
        taking("note", shape.Ref(name="T0")),
        taking("scan", shape.List(item=shape.Ref(name="Scan"))),
        taking("letter", shape.Raw(media_type="application/pdf")),
        Operation(name="watch", stream_output=True),
        Operation(name="feed", stream_input=shape.Text()),
    ),
)


def test_each_operation_that_cannot_be_carried_has_its_reason() -> None:
    assert Can().refusals(SERVICE) == {
        "scan": "it carries a file",
        "letter": "it carries a raw application/pdf body",
        "watch": "it answers with a stream",
        "feed": "it takes a stream",
    }
    assert Can(streams_in=True, streams_out=True, refuses=lambda _part: "").refusals(SERVICE) == {}


def test_any_shape_may_be_refused() -> None:
    def refuses(part: shape.Shape) -> str:
        return "it has no word for null" if isinstance(part, shape.Nullable) else ""

    assert Can(streams_in=True, streams_out=True, refuses=refuses).refusals(SERVICE) == {
        "scan": "it has no word for null"
    }


def test_types_that_lead_to_one_another_are_asked_about_once() -> None:
    asked: list[shape.Shape] = []
    operations = tuple(taking(f"op{n}", shape.Ref(name=f"T{n}")) for n in range(300))
    service = Service(name="large", types=ring(300), operations=operations)
    assert Can(refuses=lambda part: asked.append(part) or "").refusals(service) == {}  # type: ignore[func-returns-value]
    assert len(asked) < 10 * len(operations)
