"""Which pages there are around the one that is answered."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from entrepot.model import shape as s
from entrepot.model.call import Call, Reply
from entrepot.model.operation import Service
from entrepot.model.page import Page
from entrepot.protocols.rest import PROTOCOL
from entrepot.shapes.document import Document
from entrepot.spec import documents
from support.contracts import contract
from support.rest_shop import Shop, field, operation, optional

SIZE = optional("size", s.Int(minimum=1), default=3, role="page_size")
PAGED: dict[str, Any] = {"output": s.Page(item=s.Int()), "safe": True, "idempotent": True}
SERVICE = Service(
    name="shop",
    operations=(
        operation("numbered", optional("page", s.Int(minimum=1), default=1, role="page_number"), SIZE, **PAGED),
        operation("unsized", optional("page", s.Nullable(shape=s.Int()), default=None, role="page_number"), **PAGED),
        operation("offset", optional("offset", s.Int(minimum=0), default=0, role="offset"), SIZE, **PAGED),
        operation("cursor", optional("after", s.Int(), default=0, role="cursor"), SIZE, **PAGED),
        operation("asked", field("after", s.Text(), role="cursor"), **PAGED),
        operation("all", **PAGED),
    ),
)
TEN = range(10)


async def links(path: bytes, query: bytes, reply: Any) -> dict[str, str]:
    """By relation: the query of the page that it leads to."""
    shop = Shop(service=SERVICE)
    shop.reply = reply
    _, headers, _ = await shop.send("GET", path, query)
    found = re.findall(r'<([^>]*)>; rel="(\w+)"', headers.get(b"link", b"").decode())
    base = f"/api/shop/v1{path.decode()}"
    assert all(target.partition("?")[0] == base for target, _ in found)
    return {relation: target.partition("?")[2] for target, relation in found}


async def numbered(call: Call) -> Reply:
    return Reply(Page.of(TEN, number=call.input.page, size=call.input.size))


async def offset(call: Call) -> Reply:
    return Reply(Page.of(TEN, offset=call.input.offset, size=call.input.size))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (b"", {"next": "page=2", "last": "page=4"}),
        (b"size=10", {}),
        (b"page=4", {"first": "page=1", "prev": "page=3"}),
        (b"page=9", {"first": "page=1", "prev": "page=4"}),
        (b"page=2&size=5", {"first": "size=5&page=1", "prev": "size=5&page=1"}),
        (b"size=4&page=2", {"first": "size=4&page=1", "prev": "size=4&page=1", "next": "size=4&page=3",
                            "last": "size=4&page=3"}),
    ],
)  # fmt: skip
async def test_pages_of_a_number_lead_to_the_others(query: bytes, found: dict[str, str]) -> None:
    assert await links(b"/numbered", query, numbered) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (b"", {"next": "offset=3", "last": "offset=9"}),
        (b"offset=9", {"first": "offset=0", "prev": "offset=6"}),
        (b"offset=90", {"first": "offset=0", "prev": "offset=9"}),
        (b"offset=2", {"first": "offset=0", "prev": "offset=0", "next": "offset=5", "last": "offset=8"}),
    ],
)
async def test_pages_from_an_offset_lead_to_the_others(query: bytes, found: dict[str, str]) -> None:
    assert await links(b"/offset", query, offset) == found


@pytest.mark.parametrize("path", [b"/numbered", b"/offset"])
async def test_whoever_follows_the_next_page_sees_everything_once(path: bytes) -> None:
    seen: list[int] = []

    async def noting(call: Call) -> Reply:
        reply = await (numbered if path == b"/numbered" else offset)(call)
        seen.extend(reply.output.items)
        return reply

    query: str | None = "size=4"
    while query is not None:
        query = (await links(path, query.encode(), noting)).get("next")
    assert seen == list(TEN)


async def test_without_a_total_the_next_page_is_what_the_handler_says() -> None:
    assert await links(b"/numbered", b"page=2", Reply(Page(items=[1], next="3"))) == {
        "first": "page=1", "prev": "page=1", "next": "page=3",
    }  # fmt: skip
    assert await links(b"/unsized", b"", Reply(Page(items=[1], total=9))) == {}
    assert await links(b"/offset", b"offset=6", Reply(Page(items=[]))) == {"first": "offset=0", "prev": "offset=3"}


async def test_a_cursor_leads_on_and_back_to_the_start() -> None:
    assert await links(b"/cursor", b"", Reply(Page(items=[1], next="7"))) == {"next": "after=7"}
    assert await links(b"/cursor", b"after=0", Reply(Page(items=[1]))) == {}
    assert await links(b"/cursor", b"after=7", Reply(Page(items=[1], next="9"))) == {"first": "", "next": "after=9"}
    assert await links(b"/asked", b"after=a", Reply(Page(items=[1], next="b"))) == {"next": "after=b"}


SORTED = Service(
    name="shop",
    operations=(
        operation(
            "all",
            optional(
                "sort", s.List(item=s.Enum(values=(s.EnumValue("at"), s.EnumValue("-at")))), default=[], role="sort"
            ),
            rest={"method": "GET", "parameters": {"sort": {"style": "comma"}}},
            output=s.Null(),
            safe=True,
            idempotent=True,
        ),
    ),
)


async def test_what_to_sort_by_is_one_parameter_and_only_what_is_declared() -> None:
    shop = Shop(service=SORTED)
    await shop.send("GET", b"/all", b"sort=-at,at")
    assert shop.calls[0].input.sort == ["-at", "at"]
    problem = await shop.problem("GET", b"/all", b"sort=at,-to")
    assert [(each["pointer"], each["code"]) for each in problem["errors"]] == [("/sort/1", "enum")]
    document = documents.read(contract(PROTOCOL, SORTED), "own").content
    [written] = document["paths"]["/all"]["get"]["parameters"]
    assert (written["explode"], written["schema"]["items"]["enum"]) == (False, ["at", "-at"])
    [read] = PROTOCOL.client.read(Document(document, "own"), "shop").service.operations
    assert read.input == SORTED.operations[0].input


@pytest.mark.parametrize("path", [b"/numbered", b"/all"])
async def test_the_total_is_told_in_a_header_too(path: bytes) -> None:
    shop = Shop(service=SERVICE)
    shop.reply = Reply(Page(items=[1], total=1))
    assert (await shop.send("GET", path))[1][b"x-total-count"] == b"1"
    shop.reply = Reply(Page(items=[1]))
    assert b"x-total-count" not in (await shop.send("GET", path))[1]


def test_the_contract_says_which_headers_there_are_and_comes_back() -> None:
    document = documents.read(contract(PROTOCOL, SERVICE), "own").content
    headers = {path: list(item["get"]["responses"]["200"]["headers"]) for path, item in document["paths"].items()}
    assert headers.pop("/all") == ["X-Total-Count"]
    assert all(names == ["X-Total-Count", "Link"] for names in headers.values())
    read = PROTOCOL.client.read(Document(document, "own"), "shop").service
    assert [each.input for each in read.operations] == [each.input for each in SERVICE.operations]


async def test_links_that_no_answer_could_hold_are_left_out_with_a_warning() -> None:
    """A query grows as it is repeated: of `(` three octets are made, and there are up to four links."""
    shop = Shop(service=SERVICE)
    shop.reply = Reply(Page(items=[1], next="on", total=2))
    status, headers, _ = await shop.send("GET", b"/asked", b"after=" + b"(" * 30_000)
    assert (status, headers[b"x-total-count"], b"link" in headers) == (200, b"2", True)
    prefer = {"prefer": "handling=lenient"}
    status, headers, _ = await shop.send("GET", b"/asked", b"after=a&more=" + b"(" * 30_000, **prefer)
    assert (status, headers[b"x-total-count"], b"link" in headers) == (200, b"2", False)
    [warning] = msgspec.json.decode(headers[b"entrepot-warnings"])
    assert (warning["pointer"], warning["kind"]) == ("", "too_large")
