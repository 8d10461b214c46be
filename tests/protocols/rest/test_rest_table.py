"""Lists of records as tables."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from entrepot.model import shape as s
from entrepot.model.call import Call, Reply
from entrepot.model.operation import Link, Service
from entrepot.model.page import Page
from entrepot.protocols.rest import PROTOCOL
from entrepot.shapes.document import Document
from entrepot.spec import documents
from support.contracts import contract
from support.rest_shop import Shop, field, operation, optional, record

ROW = s.Ref(name="Row")
TYPES: dict[str, s.Shape] = {
    "Row": record(
        field("id", s.Int()),
        field("name", s.Nullable(shape=s.Text())),
        optional("tags", s.List(item=s.Text())),
        field("price", s.Decimal(wire="number")),
    )
}
READ: dict[str, Any] = {"safe": True, "idempotent": True}
TABLE = {"method": "GET", "csv": True, "fields": True, "expand": True}
SERVICE = Service(
    name="shop",
    types=TYPES,
    operations=(
        operation("listed", rest=TABLE, output=s.List(item=ROW), **READ),
        operation("paged", rest=TABLE, output=s.Page(item=ROW), **READ),
        operation("maker", field("id", s.Int()), rest={"method": "GET"}, output=s.Text(), **READ),
    ),
    links=(Link(type="Row", field="maker", operation="maker", arguments={"id": "id"}),),
)


def answering(*rows: dict[str, Any]) -> Shop:
    shop = Shop(service=SERVICE)
    values = [shop.values.codec(ROW).of_plain(row) for row in rows]

    async def reply(call: Call) -> Reply:
        match call.operation.name:
            case "maker":
                return Reply("Ada")
            case "paged":
                return Reply(Page(items=values, total=9))
            case _:
                return Reply(values)

    shop.reply = reply
    return shop


ONE = {"id": 1, "name": 'a "b", c\nd', "tags": ["x", "é"], "price": Decimal("1.50")}
TWO = {"id": 2, "name": None, "price": Decimal(2)}


async def table(shop: Shop, path: bytes = b"/listed", query: bytes = b"", accept: str = "text/csv") -> str:
    status, headers, body = await shop.send("GET", path, query, accept=accept)
    assert (status, headers[b"content-type"]) == (200, b"text/csv; charset=utf-8; header=present")
    assert (headers[b"content-length"], headers[b"vary"]) == (b"%d" % len(body), b"accept")
    return body.decode()


async def test_each_record_is_a_row() -> None:
    assert await table(answering(ONE, TWO)) == (
        'id,name,tags,price\r\n1,"a ""b"", c\nd","[""x"",""é""]",1.50\r\n2,,,2\r\n'
    )


async def test_a_page_is_its_items_and_tells_the_rest_in_headers() -> None:
    shop = answering(TWO)
    assert await table(shop, b"/paged") == "id,name,price\r\n2,,2\r\n"
    assert (await shop.send("GET", b"/paged", accept="text/csv"))[1][b"x-total-count"] == b"9"


async def test_no_records_are_a_head_alone() -> None:
    assert await table(answering()) == "id,name,tags,price\r\n"


@pytest.mark.parametrize(
    ("query", "head"),
    [
        (b"fields=price,id", "id,price"),
        (b"fields=name,maker", "name,maker"),
        (b"expand=maker", "id,name,tags,price,maker"),
    ],
)
async def test_no_records_have_the_columns_that_were_asked_for(query: bytes, head: str) -> None:
    for path in (b"/listed", b"/paged"):
        assert await table(answering(), path, query) == f"{head}\r\n"


async def test_what_was_asked_for_are_the_columns() -> None:
    assert await table(answering(ONE), query=b"fields=price,id&expand=maker") == "id,price,maker\r\n1,1.50,Ada\r\n"


@pytest.mark.parametrize("accept", ["text/*", "text/csv;q=0.9, application/json;q=0.8", "text/csv, text/html"])
async def test_a_table_is_what_accept_likes_best(accept: str) -> None:
    await table(answering(ONE), accept=accept)


async def test_everybody_else_gets_json() -> None:
    for accept in ("*/*", "application/json, text/csv"):
        _, headers, _ = await answering(ONE).send("GET", b"/listed", accept=accept)
        assert headers[b"content-type"] == b"application/json"


def test_the_contract_has_it_and_comes_back() -> None:
    document = documents.read(contract(PROTOCOL, SERVICE), "own").content
    assert list(document["paths"]["/listed"]["get"]["responses"]["200"]["content"]) == ["application/json", "text/csv"]
    imported = PROTOCOL.client.read(Document(document, "own"), "shop")
    assert imported.refusals == ()
    found = {each.name: each for each in imported.service.operations}
    assert found["listed"].output == SERVICE.operations[0].output
    assert {name for name, each in found.items() if each.bindings["rest"].get("csv")} == {"listed", "paged"}


@pytest.mark.parametrize("output", [ROW, s.List(item=s.Int()), s.Null()])
def test_only_records_are_rows(output: s.Shape) -> None:
    assert "as CSV" in PROTOCOL.can.reason(operation("x", rest={"csv": True}, output=output), TYPES, set())
