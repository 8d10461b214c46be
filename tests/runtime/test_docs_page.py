"""The page about a service over all its protocols."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from entrepot import Service
from entrepot.app import CATALOG
from entrepot.ir.worker import PythonSource
from entrepot.model.operation import Operation, Outgoing
from entrepot.model.shape import Field, Int, Record
from entrepot.runtime.docs_page import docs_page
from support.tables import service_table

TITLE = "<script>alert(1)</script>"
shop = Service("shop", title=TITLE, docs="All & everything.")


@shop.get("/photos/{name}")
async def photo(name: str) -> str:
    """A photo."""
    return name


@shop.get("/prices")
async def prices() -> str:
    return ""


def page(**given: Any) -> str:
    carried = {"rest": ("photo", "prices"), "jsonrpc": ("prices",)}
    service = given.pop("service", shop.describe())
    table = service_table(service, PythonSource("", "", ""), **{"carried": carried, **given})
    return docs_page(table, CATALOG).decode()


def test_it_tells_where_each_operation_is_to_be_had() -> None:
    told = page()
    assert "<th>rest</th><th>jsonrpc</th>" in told
    assert "<code>GET /api/shop/v1/photos/{name}</code>" in told
    assert "<code>POST /jsonrpc shop.prices</code>" in told
    assert "shop.photo" not in told
    assert "A photo.</div></th>" in told
    assert "All &amp; everything." in told


def test_it_tells_why_a_protocol_leaves_an_operation_out() -> None:
    told = page(refused={"jsonrpc": {"photo": "it carries a <file>"}})
    assert '<td class="hint">it carries a &lt;file&gt;</td>' in told
    assert '<td class="hint">it carries' not in page()


def test_it_leads_to_the_contracts() -> None:
    told = page()
    assert '<a href="/api/shop/v1/openapi.json">' in told
    assert '<a href="/jsonrpc">' in told
    assert 'const OPENAPI = "/api/shop/v1/openapi.json";' in told


def test_a_service_without_rest_has_one_as_well() -> None:
    told = page(carried={"jsonrpc": ("prices",)})
    assert "<code>POST /jsonrpc shop.prices</code>" in told
    assert "const OPENAPI = null;" in told


def test_it_needs_nothing_from_elsewhere_and_shows_names_as_text() -> None:
    told = page()
    assert TITLE not in told
    assert not any(word in told for word in ("http://", "https://", "innerHTML", "@import", "src="))


def test_it_tells_what_the_service_sends() -> None:
    service = shop.describe()
    done = Operation(name="on_done", summary="<Done>.", input=Record(fields=(Field(name="id", shape=Int()),)))
    sent = (
        Outgoing(operation=done, of="photo", address="{$request.query#/<url>}"),
        Outgoing(operation=replace(done, name="created")),
    )
    told = page(service=replace(service, outgoing=sent))
    assert 'on_done<div class="hint">&lt;Done&gt;.</div></th>' in told
    assert "calls back who called photo, at <code>{$request.query#/&lt;url&gt;}</code>" in told
    assert "<td>webhook</td>" in told
    assert "Entrepôt delivers none of them yet" in told
    assert "What it sends" not in page()
