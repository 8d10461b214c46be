"""What of a value is wanted, by dotted names."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.model import shape as s
from entrepot.shapes import plain as json
from entrepot.shapes.selection import ALL, Selector
from entrepot.shapes.values import Values
from support.strategies import contracts, python_values


def record(**fields: s.Shape) -> s.Record:
    return s.Record(fields=tuple(s.Field(name=name, shape=shape) for name, shape in fields.items()))


TYPES: dict[str, s.Shape] = {
    "Owner": record(id=s.Int(), name=s.Text()),
    "Node": record(id=s.Int(), next=s.Nullable(shape=s.Ref(name="Node")), prices=s.Map(value=s.Ref(name="Owner"))),
    "Thing": record(
        id=s.Int(),
        owner=s.Nullable(shape=s.Ref(name="Owner")),
        lines=s.List(item=record(price=s.Text(), count=s.Int())),
        more=s.Page(item=s.Ref(name="Owner")),
        either=s.Union(arms=(s.Ref(name="Owner"), record(code=s.Text())), choose="keys"),
        free=s.Anything(),
    ),
    "Endless": s.List(item=s.Ref(name="Endless")),
}
THING = s.Ref(name="Thing")
PLAIN: dict[str, Any] = {
    "id": 1,
    "owner": {"id": 2, "name": "Ada"},
    "lines": [{"price": "1", "count": 3}, {"price": "2", "count": 4}],
    "more": {"items": [{"id": 5, "name": "Bo"}], "next": "x"},
    "either": {"code": "c"},
    "free": {"a": {"b": 1, "c": 2}},
}


def part(shape: s.Shape, plain: Any, *names: str) -> Any:
    return Selector(shape, TYPES, {}).wanted(names).of(plain)


@pytest.mark.parametrize(
    ("names", "left"),
    [
        (["id"], {"id": 1}),
        (["owner.name", "id"], {"id": 1, "owner": {"name": "Ada"}}),
        (["owner", "owner.name"], {"owner": {"id": 2, "name": "Ada"}}),
        (["lines.count"], {"lines": [{"count": 3}, {"count": 4}]}),
        (["more.name"], {"more": {"items": [{"name": "Bo"}], "next": "x"}}),
        (["more", "more.name"], {"more": PLAIN["more"]}),
        (["either.code", "either.id"], {"either": {"code": "c"}}),
        (["free.a.c"], {"free": {"a": {"c": 2}}}),
        (["*"], PLAIN),
        (["*", "owner.name"], PLAIN | {"owner": {"name": "Ada"}}),
    ],
)
def test_what_is_named_is_left(names: list[str], left: Any) -> None:
    assert [Selector(THING, TYPES, {}).problem(name) for name in names] == [""] * len(names)
    assert part(THING, PLAIN, *names) == left


def test_lists_and_pages_are_looked_through_and_null_stays() -> None:
    listed = [PLAIN | {"owner": None}, PLAIN]
    left = [{"owner": None}, {"owner": {"id": 2}}]
    assert part(s.List(item=THING), listed, "owner.id") == left
    assert part(s.Page(item=THING), {"items": listed, "total": 2}, "owner.id") == {"items": left, "total": 2}
    assert part(s.Nullable(shape=THING), None, "id") is None


def test_what_is_not_touched_is_not_copied() -> None:
    assert part(THING, PLAIN, "*") is PLAIN
    assert part(THING, PLAIN, "owner", "id")["owner"] is PLAIN["owner"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "no such field as ``"),
        ("nam", "no such field as `nam`. There is: either"),
        ("owner.nam", "Did you mean `name`?"),
        ("id.x", "no such field as `x`."),
        ("lines.", "no such field as ``"),
        ("next", "no such field as `next`"),
        (".".join(["free"] * 65), "more than 64 members"),
    ],
)
def test_an_unknown_name_is_told(name: str, problem: str) -> None:
    assert problem in Selector(THING, TYPES, {}).problem(name)


def test_types_within_themselves_come_to_an_end() -> None:
    node = Selector(s.Ref(name="Node"), TYPES, {})
    assert node.problem("next.next.next.prices.any.name") == ""
    assert "no such field" in Selector(s.Ref(name="Endless"), TYPES, {}).problem("x")
    assert Selector(s.Ref(name="Endless"), TYPES, {}).wanted(("x",)).of([[]]) == [[]]


def test_links_are_names_too_and_bounded() -> None:
    linked = {"Owner": {"next": s.Nullable(shape=s.Ref(name="Owner"))}}
    selector = Selector(THING, TYPES, linked)
    assert selector.problem("owner.next.next.name") == ""
    assert selector.problem("owner.next", of_link=True) == ""
    assert "no such link as `name`. There is: next." in selector.problem("owner.name", of_link=True)
    assert "no such link as `*`" in selector.problem("owner.*", of_link=True)
    assert selector.problem("owner.next.next.next.id") == ""
    assert "more than 3 links" in selector.problem("owner.next.next.next.next")


@given(st.data(), contracts())
def test_all_of_a_value_is_written_as_the_value_is(data: Any, contract: Any) -> None:
    values = Values(contract.types)
    codec, value = values.codec(contract.shape), data.draw(python_values(contract, values))
    everything = Selector(contract.shape, contract.types, {}).wanted((ALL,))
    assert json.write(everything.of(codec.to_plain(value))) == codec.encode(value)


@given(st.data(), contracts())
def test_what_is_left_are_the_members_that_are_named(data: Any, contract: Any) -> None:
    values = Values(contract.types)
    record = s.unwrap(contract.shape, contract.types)
    names = [each.name for each in record.fields if "." not in each.name] if isinstance(record, s.Record) else []
    chosen = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    plain = values.codec(contract.shape).to_plain(data.draw(python_values(contract, values)))
    selector = Selector(contract.shape, contract.types, {})
    assert [selector.problem(name) for name in chosen] == [""] * len(chosen)
    if chosen and plain is not None:
        assert selector.wanted(tuple(chosen)).of(plain) == {n: value for n, value in plain.items() if n in chosen}
