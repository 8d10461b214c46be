"""Links followed: each thing asked once, side by side, within bounds; what fails is told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from entrepot.kit.limits import Limits
from entrepot.model import shape as s
from entrepot.model.call import Call, Conditions, Context, Located, Reply
from entrepot.model.faults import NotFound, TooLarge
from entrepot.model.operation import Link, Operation, Service
from entrepot.model.principal import Principal
from entrepot.ports.links import Links
from entrepot.ports.protocol import ServedService
from entrepot.shapes.selection import Selector
from entrepot.shapes.values import Values
from support.rest_shop import field, record

THING = s.Ref(name="Thing")
TYPES: dict[str, s.Shape] = {
    "Thing": record(field("id", s.Int()), field("owner_id", s.Nullable(shape=s.Int(maximum=50)))),
    "Owner": record(field("id", s.Int(maximum=50)), field("land", s.Text())),
}
OWNER = s.Ref(name="Owner")


def reading(name: str, output: s.Shape, *fields: s.Field, **more: Any) -> Operation:
    return Operation(**{"name": name, "input": record(*fields), "output": output, "safe": True} | more)


OPERATIONS = (
    reading("owner", OWNER, field("id", s.Int(maximum=50))),
    reading("lands", s.List(item=s.Text()), field("names", s.List(item=s.Text()))),
    reading("things", s.Page(item=THING), field("owner", s.Int())),
    reading("remove", s.Null(), field("id", s.Int()), safe=False),
    reading("watch", s.Int(), field("id", s.Int()), stream_output=True),
    reading("photo", s.File(), field("id", s.Int())),
)
LINKS = (
    Link(type="Thing", field="owner", operation="owner", arguments={"id": "owner_id"}),
    Link(type="Owner", field="land_name", operation="lands", arguments={"names": "land"}, batch=True),
    Link(type="Owner", field="things", operation="things", arguments={"owner": "id"}),
    *(
        Link(type="Owner", field=name, operation=name, arguments={"id": "id"})
        for name in ("remove", "watch", "photo", "gone")
    ),
)


class Followed:
    """The links of a service whose operations answer so, and the calls that came."""

    def __init__(
        self,
        limits: Limits | None = None,
        links: Sequence[Link] = LINKS,
        operations: Sequence[Operation] = OPERATIONS,
        **answers: Any,
    ) -> None:
        service = Service(name="made", operations=tuple(operations), types=TYPES, links=tuple(links))
        self.values = Values(TYPES, limits=limits or Limits())
        self.calls: list[Call] = []
        self.answers = answers
        invokes = {each.name: self._invoke for each in operations}
        self.links = Links(ServedService(service=service, values=self.values, invokes=invokes))
        self.running = self.most = 0

    async def _invoke(self, call: Call) -> Reply:
        self.calls.append(call)
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        found = self.answers[call.operation.name](call.input)
        if isinstance(found, Reply):
            return found
        return Reply(self.values.codec(call.operation.output).of_plain(found))

    async def of(self, shape: s.Shape, plain: Any, *names: str, context: Context | None = None) -> list[Located]:
        selector = Selector(shape, TYPES, self.links.linked, self.values.limits)
        followed = await self.links.follow(shape, plain, selector.wanted(names), context or Context())
        return [*followed.failed]


def owner(input: Any) -> Any:
    return {"id": input.id, "land": f"L{input.id % 2}"}


def things(*owners: int | None) -> list[dict[str, Any]]:
    return [{"id": number, "owner_id": id} for number, id in enumerate(owners)]


def owners(*lands: str) -> list[dict[str, Any]]:
    return [{"id": number, "land": land} for number, land in enumerate(lands)]


def told(located: list[Located]) -> list[tuple[str, str]]:
    return [(each.pointer, each.fault.kind) for each in located]


def test_only_what_is_safe_and_answers_once_with_a_value_is_followed() -> None:
    assert {name: set(links) for name, links in Followed().links.linked.items()} == {
        "Thing": {"owner"},
        "Owner": {"land_name", "things"},
    }


async def test_each_thing_is_asked_for_once_and_put_where_it_is_wanted() -> None:
    followed, plain = Followed(owner=owner), things(1, 2, 1, None)
    assert await followed.of(s.List(item=THING), plain, "owner") == []
    assert [each.get("owner") for each in plain] == [
        {"id": 1, "land": "L1"}, {"id": 2, "land": "L0"}, {"id": 1, "land": "L1"}, None,
    ]  # fmt: skip
    assert [call.input.id for call in followed.calls] == [1, 2]


async def test_a_link_that_takes_lists_is_called_once_for_many() -> None:
    followed = Followed(owner=owner, lands=lambda input: [name.lower() for name in input.names])
    plain = things(1, 2, 3)
    assert await followed.of(s.List(item=THING), plain, "owner.land_name") == []
    assert [each["owner"]["land_name"] for each in plain] == ["l1", "l0", "l1"]
    assert [call.input.names for call in followed.calls if call.operation.name == "lands"] == [["L1", "L0"]]


async def test_links_lead_on_through_pages() -> None:
    pages = {"items": things(1, 2), "next": None, "total": None}
    followed = Followed(owner=owner, things=lambda _: pages)
    plain = {"items": things(7), "total": 1}
    assert await followed.of(s.Page(item=THING), plain, "owner.things.owner.id") == []
    found = plain["items"][0]["owner"]["things"]["items"]
    assert [each["owner"]["id"] for each in found] == [1, 2]


async def test_what_fails_is_null_and_told_with_its_place() -> None:
    def sometimes(input: Any) -> Any:
        return Reply(fault=NotFound("gone")) if input.id == 2 else owner(input)

    followed, plain = Followed(owner=sometimes), things(1, 2, 99)
    failed = await followed.of(s.List(item=THING), plain, "owner")
    assert told(failed) == [("/1/owner", "not_found"), ("/2/owner", "invalid")]
    assert [each["owner"] and each["owner"]["id"] for each in plain] == [1, None, None]


async def test_what_failed_inside_is_told_where_it_is_put() -> None:
    def partly(input: Any) -> Reply:
        value = followed.values.codec(OWNER).of_plain(owner(input))
        return Reply(value, warnings=(Located("/land", NotFound()),))

    followed, plain = Followed(owner=partly), things(1)
    assert told(await followed.of(s.List(item=THING), plain, "owner")) == [("/0/owner/land", "not_found")]


async def test_a_list_that_is_not_as_long_as_what_was_asked_is_a_failure() -> None:
    followed, plain = Followed(owner=owner, lands=lambda _: ["one"]), things(1, 2)
    failed = await followed.of(s.List(item=THING), plain, "owner.land_name")
    assert told(failed) == [("/0/owner/land_name", "internal"), ("/1/owner/land_name", "internal")]


async def test_an_item_of_a_list_fails_alone() -> None:
    def partly(_input: Any) -> Reply:
        return Reply(["a", "b"], warnings=(Located("/1", NotFound()),))

    followed, plain = Followed(owner=owner, lands=partly), things(1, 2)
    failed = await followed.of(s.List(item=THING), plain, "owner.land_name")
    assert told(failed) == [("/1/owner/land_name", "not_found")]


async def test_calls_are_bounded_in_number_and_at_once() -> None:
    limits = Limits(batch_max=5, batch_concurrency_max=2)
    followed, plain = Followed(limits, owner=owner), things(*range(8))
    failed = await followed.of(s.List(item=THING), plain, "owner")
    assert (len(followed.calls), followed.most) == (5, 2)
    assert told(failed) == [(f"/{index}/owner", "too_large") for index in (5, 6, 7)]


@pytest.mark.parametrize("owned", [[{"id": 1, "owner_id": 1}] * 100, []])
async def test_what_links_add_is_bounded_though_each_thing_is_asked_for_once(owned: list[Any]) -> None:
    """A hundred things of one owner, who has a hundred things of one owner…, are a million."""
    followed = Followed(Limits(reply_bytes_max=100_000), owner=owner, things=lambda _: {"items": owned})
    with pytest.raises(TooLarge, match="more than 100000 bytes"):
        await followed.of(s.List(item=THING), things(*[1] * 200), "owner.things.owner")
    assert len(followed.calls) <= 2


async def test_a_batch_is_bounded_by_calls_of_its_own() -> None:
    followed, plain = Followed(Limits(batch_max=2), lands=lambda input: input.names), owners("a", "b", "c")
    assert await followed.of(s.List(item=OWNER), plain, "land_name") == []
    assert [call.input.names for call in followed.calls] == [["a", "b"], ["c"]]


async def test_the_caller_the_deadline_and_the_trace_go_along_but_not_what_was_said_of_the_call_alone() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    context = Context(
        principal=Principal(subject="ada"),
        deadline=7.0,
        traceparent=trace,
        idempotency_key="k",
        conditions=Conditions(if_match=("1",)),
        selection=("owner",),
    )
    followed = Followed(owner=owner)
    await followed.of(THING, things(1)[0], "owner", context=context)
    given = followed.calls[0].context
    assert (given.principal.subject, given.deadline, given.traceparent) == ("ada", 7.0, trace)
    assert (given.idempotency_key, given.conditions, given.selection) == ("", Conditions(), ())


@pytest.mark.parametrize(
    ("source", "asked"),
    [("owner_id", 7), ("/owners/0/id", 1), ("/owners/9/id", None), ("/owners/x", None), ("/id/more", None)],
)
async def test_what_is_asked_for_may_stand_further_inside(source: str, asked: int | None) -> None:
    link = Link(type="Thing", field="owner", operation="owner", arguments={"id": source})
    followed, thing = Followed(links=(link,), owner=owner), {"id": 5, "owner_id": 7, "owners": [{"id": 1}]}
    await followed.of(THING, thing, "owner")
    assert [call.input.id for call in followed.calls] == ([] if asked is None else [asked])


async def test_the_whole_of_a_value_may_be_given() -> None:
    operation = reading("owner", OWNER, field("of", record(field("id", s.Int()), field("owner_id", s.Int()))))
    links = [Link(type="Thing", field=name, operation="owner", arguments={"of": ""}) for name in ("owner", "again")]
    followed = Followed(None, links, [operation], owner=lambda _: {"id": 1, "land": "L"})
    thing: dict[str, Any] = {"id": 5, "owner_id": 7}
    assert await followed.of(THING, thing, "owner", "again") == []
    assert (thing["owner"], thing["again"]) == ({"id": 1, "land": "L"}, {"id": 1, "land": "L"})
