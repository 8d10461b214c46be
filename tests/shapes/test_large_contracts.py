"""A type that leads to very many others: its first value comes at once, and is the same as all that follow."""

from __future__ import annotations

import pytest

from entrepot.model import shape as s
from entrepot.model.fault import Fault
from entrepot.shapes import later
from entrepot.shapes.values import Values

COUNT = 400


def group(name: str = "Node") -> dict[str, s.Shape]:
    """Types that all lead to one another. Equal ones share their classes, so each test has names of its own."""
    types: dict[str, s.Shape] = {}
    for index in range(COUNT):
        peer = s.Ref(name=f"{name}{(index * 7 + 3) % COUNT}")
        fields = (
            s.Field(name="id", shape=s.Text()),
            s.Field(name="at", shape=s.Nullable(shape=s.DateTime(wire="unix")), required=False),
            s.Field(name="peer", shape=s.Union(arms=(s.Text(), peer)), required=False),
            s.Field(name="tags", shape=s.List(item=s.Text()), required=False, default=[]),
            s.Field(name="next", shape=s.Ref(name=f"{name}{(index + 1) % COUNT}"), required=False),
        )
        types[f"{name}{index}"] = s.Record(fields=fields)
    return types


DATA = b'{"id":"a","at":1700000000,"peer":{"id":"b"},"next":{"id":"c","peer":"d"}}'


def test_the_first_value_needs_no_more_than_it_holds() -> None:
    values = Values(group("First"))
    codec = values.codec(s.Ref(name="First0"))
    with values.made._building:
        # Nothing can be learnt by msgspec meanwhile, so what comes is put together by hand.
        first = codec.decode(DATA)
        assert len(values.made.records) < 10
        assert codec.of_plain({"id": "a"}).tags == []
        with pytest.raises(Fault) as fault:
            codec.decode(b'{"id":1,"next":{}}')
        assert [(issue.pointer, issue.code) for issue in fault.value.issues] == [
            ("/id", "type"),
            ("/next/id", "missing"),
        ]
    later.settle()
    assert len(values.made.records) == COUNT
    assert codec.decode(DATA) == first
    assert type(codec.decode(DATA)) is type(first) is codec.type
    assert type(codec.decode(DATA).next) is type(first.next)


def test_of_repeated_names_and_depth_the_slow_way_knows_too() -> None:
    values = Values(group("Bad"))
    codec = values.codec(s.Ref(name="Bad0"))
    with values.made._building:
        found = []
        for data in (b'{"id":"a","id":"b"}', b'{"id":"a","x":' + b"[" * 99 + b"]" * 99 + b"}", b"{", b'{"id":"\xff"}'):
            with pytest.raises(Fault) as fault:
                codec.decode(data)
            found.append(fault.value.issues[0].code)
        assert codec.decode_trusted(b'{"id":"a","id":"b"}').id == "b"
    assert found == ["duplicate", "depth", "syntax", "encoding"]
    later.settle()


def test_what_cannot_be_made_ready_is_logged_and_served_slowly(caplog: pytest.LogCaptureFixture) -> None:
    later.later(lambda: 1 / 0)
    later.settle()
    assert "could not be made ready" in caplog.text


def test_a_small_type_does_not_wait_for_a_large_one() -> None:
    types = group("Wide") | {"Small": s.Record(fields=(s.Field(name="n", shape=s.Int()),))}
    values = Values(types)
    large, small = values.codec(s.Ref(name="Wide0")), values.codec(s.Ref(name="Small"))
    assert large.decode(DATA).id == "a"
    assert small.decode(b'{"n":1}').n == 1
    later.settle()
    assert large.decode(DATA).peer.id == "b"
