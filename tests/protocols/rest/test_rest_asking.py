"""What of an answer callers ask for: `fields` and `expand`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.model import shape as s
from entrepot.model.call import Call, Located, Meta, Reply
from entrepot.model.faults import NotFound
from entrepot.model.operation import Link, Operation, Service
from entrepot.model.page import Page
from entrepot.protocols.rest import PROTOCOL
from entrepot.shapes.document import Document
from entrepot.spec import documents
from support.contracts import contract
from support.rest_shop import Shop, field, operation, optional, record

THING, OWNER = s.Ref(name="Thing"), s.Ref(name="Owner")
TYPES: dict[str, s.Shape] = {
    "Thing": record(
        field("id", s.Int()),
        field("price", s.Decimal(wire="number")),
        field("owner", s.Int()),
        field("version", s.Int(), role="version"),
    ),
    "Owner": record(field("id", s.Int()), field("name", s.Text())),
}
READ: dict[str, Any] = {"safe": True, "idempotent": True}
ASKS = {"method": "GET", "fields": True, "expand": True}
OPERATIONS = (
    operation("thing", field("id", s.Int()), rest=ASKS | {"path": "/things/{id}"}, output=THING, **READ),
    operation("things", optional("tag", s.Text()), rest=ASKS | {"path": "/things"}, output=s.Page(item=THING), **READ),
    operation("owner", field("id", s.Int()), rest={"method": "GET", "path": "/owners/{id}", "fields": True},
              output=OWNER, **READ),
    operation("place", field("thing", THING), rest={"method": "POST", "path": "/things", "fields": True}, output=THING),
)  # fmt: skip
LINKS = (Link(type="Thing", field="maker", operation="owner", arguments={"id": "owner"}),)
SERVICE = Service(name="shop", operations=OPERATIONS, types=TYPES, links=LINKS)


def thing(shop: Shop, id: int) -> Any:
    plain = {"id": id, "price": Decimal("1.50"), "owner": id, "version": 3}
    return shop.values.codec(THING).of_plain(plain)


@pytest.fixture
def shop() -> Shop:
    return shop_that_answers()


def shop_that_answers() -> Shop:
    made = Shop(service=SERVICE)

    async def reply(call: Call) -> Reply:
        match call.operation.name:
            case "owner" if call.input.id == 2:
                return Reply(fault=NotFound("there is no owner 2"))
            case "owner":
                return Reply(made.values.codec(OWNER).of_plain({"id": call.input.id, "name": "Ada"}))
            case "things":
                return Reply(Page(items=[thing(made, 1), thing(made, 2)], total=2))
            case _:
                return Reply(thing(made, 1), meta=Meta([(b"x-own", b"1")]))

    made.reply = reply
    return made


async def test_the_fields_that_are_named_are_answered(shop: Shop) -> None:
    status, headers, body = await shop.send("GET", b"/things/1", b"fields=price,id")
    assert (status, body) == (200, b'{"id":1,"price":1.50}')
    assert headers == {
        b"content-length": b"21", b"content-type": b"application/json", b"etag": b'"3"', b"vary": b"accept",
        b"x-own": b"1",
    }  # fmt: skip
    assert shop.calls[0].context.selection == ("price", "id")


async def test_the_fields_of_a_page_are_those_of_its_items(shop: Shop) -> None:
    for query in (b"fields=id&tag=a", b"tag=a&fields=%20id%20,id&fields=id"):
        assert (await shop.send("GET", b"/things", query))[2] == b'{"items":[{"id":1},{"id":2}],"total":2}'
        assert shop.calls.pop().input.tag == "a"


async def test_without_a_selection_everything_is_answered(shop: Shop) -> None:
    assert msgspec.json.decode((await shop.send("GET", b"/things/1"))[2]).keys() == {"id", "price", "owner", "version"}
    assert shop.calls[0].context.selection == ()


async def test_an_answer_to_what_changes_something_has_fields_too(shop: Shop) -> None:
    body = b'{"id":1,"price":1,"owner":1,"version":1}'
    assert (await shop.send("POST", b"/things", b"fields=id", body))[2] == b'{"id":1}'


async def test_a_link_is_followed_and_what_fails_is_a_warning(shop: Shop) -> None:
    status, headers, body = await shop.send("GET", b"/things", b"expand=maker&fields=id,maker.name")
    assert (status, msgspec.json.decode(body)["items"]) == (
        200, [{"id": 1, "maker": {"id": 1, "name": "Ada"}}, {"id": 2, "maker": None}],
    )  # fmt: skip
    [warning] = msgspec.json.decode(headers[b"entrepot-warnings"])
    assert (warning["pointer"], warning["kind"]) == ("/items/1/maker", "not_found")


async def test_a_field_behind_a_link_is_asked_for_by_its_name_alone(shop: Shop) -> None:
    _, _, body = await shop.send("GET", b"/things/1", b"fields=maker.name")
    assert body == b'{"maker":{"name":"Ada"}}'
    assert [call.operation.name for call in shop.calls] == ["thing", "owner"]


@pytest.mark.parametrize("query", [b"expand=maker", b"fields=maker.name", b"fields=id,maker"])
async def test_what_others_gave_has_no_version_of_its_own(shop: Shop, query: bytes) -> None:
    known = {"if_none_match": '"3"'}
    assert (await shop.send("GET", b"/things/1", b"fields=id", **known))[0] == 304
    status, headers, _ = await shop.send("GET", b"/things/1", query, **known)
    assert (status, b"etag" in headers, headers[b"x-own"]) == (200, False, b"1")
    shop.reply = Reply(thing(shop, 1), meta=Meta([(b"etag", b'"own"')]))
    assert b"etag" not in (await shop.send("GET", b"/things/1", query))[1]


async def test_expanding_keeps_all_that_was_there_before(shop: Shop) -> None:
    _, _, body = await shop.send("GET", b"/things/1", b"expand=maker")
    assert body == b'{"id":1,"price":1.50,"owner":1,"version":3,"maker":{"id":1,"name":"Ada"}}'


async def test_warnings_of_the_answer_itself_stay(shop: Shop) -> None:
    own = Reply(thing(shop, 1), warnings=(Located("/price", NotFound()),))
    shop.reply = own
    _, headers, _ = await shop.send("GET", b"/things/1", b"fields=id")
    assert [each["pointer"] for each in msgspec.json.decode(headers[b"entrepot-warnings"])] == ["/price"]


@pytest.mark.parametrize(
    ("path", "query", "pointers"),
    [
        (b"/things/1", b"fields=id,nam,owner.x", ["/fields/1", "/fields/2"]),
        (b"/things/1", b"fields", ["/fields/0"]),
        (b"/things/1", b"expand=owner", ["/expand/0"]),
        (b"/things/1", b"expand=maker.maker&fields=maker.age", ["/fields/0", "/expand/0"]),
        (b"/owners/1", b"expand=x", ["/expand"]),
        (b"/things", b"fields=" + b"id," * 100, ["/fields"]),
        (b"/things/1", b"fields=" + b"x," * 99, [f"/fields/{index}" for index in range(20)]),
    ],
)
async def test_what_there_is_not_is_refused_before_anything_is_done(
    shop: Shop, path: bytes, query: bytes, pointers: list[str]
) -> None:
    problem = await shop.problem("GET", path, query)
    assert (problem["kind"], [each["pointer"] for each in problem["errors"]]) == ("invalid", pointers)
    assert shop.calls == []


_WORDS = st.lists(st.sampled_from(["id", "maker", "name", "owner", "*", ".", ",", " ", "%", "é", "\0"]), max_size=8)


@given(st.sampled_from([b"fields", b"expand"]), _WORDS.map("".join) | st.text(max_size=30))
async def test_whatever_is_asked_is_answered_or_refused_with_its_place(parameter: bytes, said: str) -> None:
    made = shop_that_answers()
    query = parameter + b"=" + quote(said.encode("utf-8", "surrogatepass")).encode()
    status, _, body = await made.send("GET", b"/things/1", query)
    if status == 200:
        assert made.calls[0].context.selection
    else:
        problem = msgspec.json.decode(body)
        assert problem["kind"] in ("invalid", "malformed")
        assert all(each["pointer"].startswith(f"/{parameter.decode()}") for each in problem["errors"])


def test_the_contract_tells_what_may_be_asked_and_comes_back() -> None:
    document = documents.read(contract(PROTOCOL, SERVICE), "own").content
    written = document["paths"]["/things/{id}"]["get"]["parameters"]
    assert [each["name"] for each in written] == ["id", "fields", "expand"]
    assert "There is `maker`." in written[2]["description"]
    assert (written[1]["style"], written[1]["explode"], written[1]["schema"]["type"]) == ("form", False, "array")
    imported = PROTOCOL.client.read(Document(document, "own"), "shop")
    assert imported.refusals == ()
    read = {each.name: each for each in imported.service.operations}
    assert {name: each.input for name, each in read.items()} == {each.name: each.input for each in OPERATIONS}
    assert {name: _asks(each) for name, each in read.items()} == {each.name: _asks(each) for each in OPERATIONS}


def _asks(operation: Operation) -> dict[str, bool]:
    return {name: operation.bindings["rest"].get(name, False) for name in ("fields", "expand")}


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (operation("watch", rest={"fields": True}, output=THING, stream_output=True), "only an answer in JSON"),
        (operation("none", rest={"expand": True}), "only an answer in JSON"),
        (operation("twice", optional("fields", s.Text()), rest={"method": "GET", "fields": True}, output=THING,
                   safe=True), "two parameters are called 'fields' in the query"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_of_is_not_bound(made: Operation, reason: str) -> None:
    assert reason in PROTOCOL.can.reason(made, TYPES, set())
