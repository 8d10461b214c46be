"""Parameters in queries, cookies and forms: lists that may be null, names nobody knows, what cannot be read."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest

from entrepot import Form
from entrepot import Service as Authored
from entrepot.model import shape as s
from entrepot.model.operation import Service
from entrepot.ports.exchange import Response
from entrepot.protocols.rest.binding.data import bind_service
from entrepot.protocols.rest.openapi import writer
from support.rest_shop import Shop, dialled, field, operation, optional

NUMBERS = s.Nullable(shape=s.List(item=s.Int()))
TEXTS = s.Nullable(shape=s.List(item=s.Text()))
FORM = {"method": "POST", "path": "/form", "parameters": {"ids": {"in": "form"}, "note": {"in": "form", "name": "n"}}}
SERVICE = Service(
    name="shop",
    operations=(
        operation("usual", optional("ids", NUMBERS, default=None), rest={"method": "GET", "path": "/usual"}),
        operation("texts", optional("ids", TEXTS, default=None), rest={"method": "GET", "path": "/texts"}),
        operation("required", field("ids", NUMBERS), rest={"method": "GET", "path": "/required"}),
        operation("optional", optional("ids", NUMBERS), rest={"method": "GET", "path": "/optional"}),
        operation("other", optional("ids", NUMBERS, default=[1]), rest={"method": "GET", "path": "/other"}),
        operation(
            "joined",
            field("ids", NUMBERS),
            rest={"method": "GET", "path": "/joined", "parameters": {"ids": {"style": "comma"}}},
        ),
        operation(
            "header",
            optional("ids", NUMBERS, default=None),
            rest={"method": "GET", "path": "/header", "parameters": {"ids": {"in": "header"}}},
        ),
        operation(
            "cookie",
            optional("session", s.Text()),
            rest={"method": "GET", "path": "/cookie", "parameters": {"session": {"in": "cookie"}}},
        ),
        operation("form", field("ids", NUMBERS), optional("note", s.Text()), rest=FORM),
        operation(
            "renamed",
            field("text", s.Text()),
            rest={"method": "GET", "path": "/renamed", "parameters": {"text": {"name": "q/t"}}},
        ),
    ),
)
WRITTEN: dict[str, list[tuple[bytes, Any]]] = {
    "usual": [(b"ids=1&ids=2", [1, 2]), (b"ids=1", [1]), (b"ids", []), (b"", None)],
    "texts": [(b"ids=a&ids=", ["a", ""]), (b"ids=", [""]), (b"ids", []), (b"", None)],
    "required": [(b"ids=1&ids=2", [1, 2]), (b"ids", None)],
    "optional": [(b"ids=1&ids=2", [1, 2]), (b"ids", None), (b"", msgspec.UNSET)],
    "other": [(b"ids=1&ids=2", [1, 2]), (b"ids", None)],
    "joined": [(b"ids=1,2", [1, 2]), (b"ids=", []), (b"ids", None)],
}
"""By operation: a query, and what it says."""
QUERIES = [(name, query, value) for name, pairs in WRITTEN.items() for query, value in pairs]


@pytest.fixture
def shop() -> Shop:
    return Shop(service=SERVICE)


@pytest.mark.parametrize(("name", "query", "value"), QUERIES)
async def test_a_list_that_may_be_null_is_repeated_in_a_query(shop, name, query, value):
    status, _, body = await shop.send("GET", f"/{name}".encode(), query)
    assert status == 204, body
    assert shop.calls[0].input.ids == value


@pytest.mark.parametrize(("name", "query", "value"), QUERIES)
async def test_a_client_writes_it_as_the_server_reads_it(name, query, value):
    invokes, requests = dialled(Response(204), service=SERVICE)
    reply = await invokes[name](Shop(service=SERVICE).call(name, **({} if value is msgspec.UNSET else {"ids": value})))
    assert (reply.fault, requests[0].query) == (None, query)


async def test_the_default_stands_for_a_list_that_is_left_out(shop):
    await shop.send("GET", b"/other")
    assert shop.calls[0].input.ids == [1]


async def test_a_list_without_a_default_is_required_even_where_it_may_be_null(shop):
    problem = await shop.problem("GET", b"/required")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [("/ids", "missing")]


async def test_a_client_refuses_a_list_without_items_where_it_would_mean_null():
    invokes, requests = dialled(Response(204), service=SERVICE)
    reply = await invokes["required"](Shop(service=SERVICE).call("required", ids=[]))
    assert (reply.fault.kind, reply.fault.issues[0].pointer, requests) == ("invalid", "/ids", [])


@pytest.mark.parametrize(("given", "value"), [({"ids": "1, 2"}, [1, 2]), ({"ids": ""}, []), ({}, None)])
async def test_in_a_header_it_stands_with_commas(shop, given, value):
    assert (await shop.send("GET", b"/header", **given))[0] == 204
    assert shop.calls[0].input.ids == value


@pytest.mark.parametrize(("body", "value"), [(b"ids=1&ids=2", [1, 2]), (b"ids", []), (b"note=", None), (b"", None)])
async def test_in_a_form_it_is_repeated(shop, body, value):
    body = body.replace(b"note", b"n")
    status, _, content = await shop.send("POST", b"/form", body=body, content_type="application/x-www-form-urlencoded")
    assert status == 204, content
    assert shop.calls[0].input.ids == value


async def test_the_document_says_that_it_is_repeated():
    document = msgspec.json.decode(writer.write(bind_service(SERVICE)))
    [parameter] = document["paths"]["/usual"]["get"]["parameters"]
    assert "content" not in parameter
    assert parameter["schema"]["type"] == ["array", "null"]
    assert parameter.get("explode", True)


async def test_of_cookies_with_one_name_the_first_is_meant(shop):
    """A browser sends that of the longest path first, and its user cannot make it send fewer."""
    await shop.send("GET", b"/cookie", cookie="session=near; theme=x; session=far")
    assert shop.calls[0].input.session == "near"


async def test_a_cookie_is_the_same_as_a_parameter_and_beside_the_call(shop):
    await shop.send("GET", b"/cookie", cookie='session="a%20b"')
    call = shop.calls[0]
    assert call.input.session == call.context.meta.cookie("session") == "a b"


@pytest.mark.parametrize(
    ("query", "issues"),
    [
        (b"q/t=%ff", [("/text", "encoding")]),
        (b"q%2Ft=\xff", [("/text", "encoding")]),
        (b"q/t=%zz", [("/text", "syntax")]),
        (b"x=%ff&q/t=a&y=%", [("/x", "encoding"), ("/y", "syntax")]),
        (b"%ff=1", [("/�", "encoding")]),
    ],
)
async def test_a_parameter_that_cannot_be_read_is_named(shop, query, issues):
    problem = await shop.problem("GET", b"/renamed", query)
    assert (problem["status"], problem["kind"]) == (400, "malformed")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == issues


async def test_a_field_of_a_form_that_cannot_be_read_is_named(shop):
    problem = await shop.problem(
        "POST", b"/form", body=b"ids=1&n=%ff", content_type="application/x-www-form-urlencoded"
    )
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [("/note", "encoding")]


async def test_a_name_that_no_parameter_has_is_refused_wherever_it_stands():
    authored = Authored("shop")

    @authored.post("/log-in")
    async def log_in(user: Annotated[str, Form()]) -> None: ...

    @authored.operation()
    async def quote(user: str) -> None: ...

    shop = Shop(service=authored.describe())
    form = {"content_type": "application/x-www-form-urlencoded"}
    for problem in (
        await shop.problem("POST", b"/log-in", body=b"user=a&usr=b", **form),
        await shop.problem("POST", b"/log-in", b"usr=b", body=b"user=a", **form),
        await shop.problem("POST", b"/quote", body=b'{"user":"a","usr":"b"}'),
    ):
        assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [("/usr", "unknown")]
    assert shop.calls == []
