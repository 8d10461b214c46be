"""The page about a service over all its protocols."""

from __future__ import annotations

import json
import subprocess
from typing import Any
from urllib.parse import unquote

import pytest
from msgspec.structs import replace

from entrepot import Service
from entrepot.app import CATALOG
from entrepot.ir.worker import PythonSource
from entrepot.model.operation import Operation, Outgoing
from entrepot.model.shape import Field, Int, Record
from entrepot.runtime.docs_page import docs_page
from support.needs import require
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


_NODE = """
class Made {
  constructor(name) { this.name = name; this.children = []; }
  append(...more) { this.children.push(...more); }
  replaceWith() {}
}
globalThis.document = { createElement: name => new Made(name), querySelector: () => new Made("p") };
const title = each => each.href ? `${each.name} ${each.href}` : each.name;
const told = each => typeof each === "string" ? each : { [title(each)]: each.children.map(told) };
SCRIPT
console.log(JSON.stringify(EXPRESSION));
"""


def ran(expression: str) -> Any:
    """What an expression gives where the page's script has run."""
    script = page(carried={"jsonrpc": ("prices",)}).partition("<script>")[2].partition("</script>")[0]
    program = _NODE.replace("SCRIPT", script).replace("EXPRESSION", expression)
    done = subprocess.run([require("node"), "-e", program], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


def rendered(*descriptions: str) -> Any:
    """What the page's script makes of descriptions: elements by name, with what is in them."""
    return ran(f"{json.dumps(descriptions)}.map(text => told(markdown(text)).div)")


def test_a_parameter_with_members_is_sent_member_by_member() -> None:
    parameter = {"name": "year", "in": "query", "style": "deepObject"}
    given = {"parameter": parameter, "input": {"value": '{"min": 1850, "of": ["a b", "c"]}'}}
    sent = ran(f"(spec = {{}}, address('/books', [{json.dumps(given)}], {{}}))")
    assert unquote(sent) == "/books?year[min]=1850&year[of][0]=a b&year[of][1]=c"


def test_descriptions_are_read_as_markdown() -> None:
    description = "# Prices\n\nOf `all` **goods**, *now*:\n\n- one\n- two\n\n```sh\ncurl <x>\n```\nSee [why](https://x.example/a)."
    assert rendered(description) == [
        [
            {"h4": ["Prices"]},
            {"p": ["Of ", {"code": ["all"]}, " ", {"strong": ["goods"]}, ", ", {"em": ["now"]}, ":"]},
            {"ul": [{"li": ["one"]}, {"li": ["two"]}]},
            {"pre": ["curl <x>\n"]},
            {"p": ["\nSee ", {"a https://x.example/a": ["why"]}, "."]},
        ]
    ]


@pytest.mark.parametrize("hostile", ["<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "*<b>"])
def test_a_description_cannot_bring_markup_or_a_script(hostile: str) -> None:
    assert rendered(hostile) == [[{"p": [hostile]}]]


def test_nothing_is_fetched_for_an_icon() -> None:
    assert '<link rel="icon" href="data:,">' in page()
