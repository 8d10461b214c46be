"""What a browser is shown that asks for a page, what caches are told, and what callers prefer."""

from __future__ import annotations

from typing import Any

import pytest

from entrepot.model import shape as s
from entrepot.model.call import Meta, Reply
from entrepot.model.operation import Service
from entrepot.model.page import Page
from entrepot.protocols.rest import PROTOCOL
from entrepot.shapes.document import Document
from entrepot.spec import documents
from support.contracts import contract
from support.rest_shop import PRODUCT, TYPES, Shop, field, operation, optional

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
READ: dict[str, Any] = {"safe": True, "idempotent": True}
SERVICE = Service(
    name="shop",
    types=TYPES,
    operations=(
        operation("cached", rest={"method": "GET", "cache_control": "public, max-age=60"}, output=PRODUCT,
                  summary="A <b>.", **READ),
        operation("any", rest={"method": "GET"}, output=s.Anything(), **READ),
        operation("listed", optional("page", s.Int(), default=1, role="page_number"),
                  optional("size", s.Int(), default=1, role="page_size"), output=s.Page(item=PRODUCT), **READ),
        operation("place", field("product", PRODUCT), output=PRODUCT,
                  rest={"method": "POST", "path": "/place", "location": "/place/{id}"}),
        operation("change", field("product", PRODUCT), output=PRODUCT, rest={"method": "PUT", "path": "/change"}),
        operation("shown", rest={"method": "GET"}, output=s.Raw(media_type="text/plain"), **READ),
    ),
)  # fmt: skip


@pytest.fixture
def shop() -> Shop:
    made = Shop(service=SERVICE)
    made.reply = Reply(made.product(name="<script>alert(1)</script> & \"'"))
    return made


async def seen(shop: Shop, path: bytes = b"/any", query: bytes = b"", accept: str = BROWSER) -> str:
    status, headers, body = await shop.send("GET", path, query, accept=accept)
    assert (status, headers[b"content-type"]) == (200, b"text/html; charset=utf-8")
    assert headers[b"content-length"] == b"%d" % len(body)
    assert headers[b"content-security-policy"] == b"default-src 'none'; style-src 'unsafe-inline'"
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert b"etag" not in headers
    return body.decode()


async def test_a_browser_is_shown_a_page_in_which_nothing_is_markup_of_others(shop: Shop) -> None:
    page = await seen(shop, b"/cached", accept=BROWSER)
    assert "<title>A &lt;b&gt;.</title>" in page
    assert "<td>&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;&#x27;</td>" in page
    assert '<a href="/docs/shop/v1">' in page
    assert "<script" not in page


@pytest.mark.parametrize("accept", ["text/html", "text/*", "text/html, application/json;q=0.9"])
async def test_a_page_is_what_accept_likes_best(shop: Shop, accept: str) -> None:
    await seen(shop, b"/cached", accept=accept)


JAVA = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"


@pytest.mark.parametrize("accept", ["*/*", "application/json, text/html", "application/*, */*;q=0.1", JAVA])
async def test_whoever_does_not_prefer_a_page_gets_json(shop: Shop, accept: str) -> None:
    _, headers, _ = await shop.send("GET", b"/cached", accept=accept)
    assert headers[b"content-type"] == b"application/json"


@pytest.mark.parametrize("accept", [BROWSER, "application/json", "*/*"])
@pytest.mark.parametrize("own", [[], [(b"vary", b"accept")], [(b"cache-control", b"no-store")]])
async def test_each_answer_tells_once_that_there_are_others(
    shop: Shop, accept: str, own: list[tuple[bytes, bytes]]
) -> None:
    shop.reply = Reply(shop.product(), meta=Meta(own))
    for path in (b"/cached", b"/any"):
        response = await shop.exchange(shop.request("GET", path, accept=accept))
        assert [value for name, value in response.headers if name == b"vary"] == [b"accept"]


async def test_refusals_and_what_is_known_tell_it_too_and_what_has_one_form_does_not(shop: Shop) -> None:
    for told in ({"accept": "image/png"}, {"if_none_match": '"3"'}):
        status, headers, _ = await shop.send("GET", b"/cached", **told)
        assert (status in (304, 406), headers[b"vary"]) == (True, b"accept")
    assert b"vary" not in (await shop.send("PUT", b"/change", body=b'{"id":1,"name":"a","version":1}'))[1]


async def test_a_page_has_no_version_that_could_be_known(shop: Shop) -> None:
    known = {"if_none_match": '"3"'}
    assert (await shop.send("GET", b"/cached", **known))[0] == 304
    status, headers, _ = await shop.send("GET", b"/cached", accept=BROWSER, **known)
    assert (status, b"etag" in headers) == (200, False)


async def test_what_is_no_json_has_no_page(shop: Shop) -> None:
    shop.reply = Reply(b"text")
    status, _, body = await shop.send("GET", b"/shown", accept=BROWSER)
    assert (status, body) == (200, b"text")
    assert (await shop.send("GET", b"/shown", accept="text/html"))[0] == 406
    assert (await shop.send("POST", b"/place", body=b"{}", accept="text/html"))[0] == 406


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("text", "text"),
        (None, "<code>null</code>"),
        (True, "<code>true</code>"),
        (18446744073709551617, "<code>18446744073709551617</code>"),
        ([], "<code>[]</code>"),
        ({}, "<code>{}</code>"),
        ([1, "a"], "<ol><li><code>1</code></li><li>a</li></ol>"),
        ({"a": 1}, "<table><tr><th>a</th><td><code>1</code></td></tr></table>"),
        (
            [{"a": "x"}, {"b": "y"}],
            "<table><tr><th>a</th><th>b</th></tr><tr><td>x</td><td></td></tr><tr><td></td><td>y</td></tr></table>",
        ),
    ],
)
async def test_values_stand_in_tables(shop: Shop, value: Any, shown: str) -> None:
    shop.reply = Reply(value)
    assert (await seen(shop)).endswith(f"</nav>{shown}")


async def test_what_is_deep_inside_is_shown_as_it_is_written(shop: Shop) -> None:
    value: Any = "<"
    for _ in range(300):
        value = [value]
    shop.reply = Reply(value)
    assert "<code>[[[" in await seen(shop)


async def test_a_page_links_to_the_pages_around_it_and_nowhere_else(shop: Shop) -> None:
    shop.reply = Reply(Page(items=[shop.product()], total=3))
    page = await seen(shop, b"/listed", b"page=2")
    assert '<a href="/api/shop/v1/listed?page=1">prev</a><a href="/api/shop/v1/listed?page=3">next</a>' in page
    shop.reply = Reply(1, meta=Meta([(b"link", b'<javascript:x>; rel="a", <//y.example/>; rel="b", </c>; rel="c"')]))
    page = await seen(shop)
    assert page.count("<a ") == 2
    assert '<a href="/c">c</a>' in page


# Caches


async def test_caches_are_told_what_is_declared(shop: Shop) -> None:
    _, headers, _ = await shop.send("GET", b"/cached")
    assert (headers[b"cache-control"], headers[b"vary"]) == (b"public, max-age=60", b"accept")
    status, headers, _ = await shop.send("GET", b"/cached", if_none_match='"3"')
    assert (status, headers[b"cache-control"]) == (304, b"public, max-age=60")
    assert b"cache-control" not in (await shop.send("GET", b"/any"))[1]


async def test_a_handler_has_the_last_word_on_caching(shop: Shop) -> None:
    shop.reply = Reply(shop.product(), meta=Meta([(b"cache-control", b"no-store")]))
    assert (await shop.send("GET", b"/cached"))[1][b"cache-control"] == b"no-store"


def test_what_caches_are_told_is_in_the_contract_and_comes_back() -> None:
    document = documents.read(contract(PROTOCOL, SERVICE), "own").content
    assert "Cache-Control" in document["paths"]["/cached"]["get"]["responses"]["200"]["headers"]
    [read] = [
        each
        for each in PROTOCOL.client.read(Document(document, "own"), "shop").service.operations
        if each.name == "cached"
    ]
    assert read.bindings["rest"]["cache_control"] == "public, max-age=60"


def test_a_change_is_not_cached() -> None:
    made = operation("place", rest={"cache_control": "max-age=1"})
    assert "no cache may answer" in PROTOCOL.can.reason(made, {}, set())


# Preferences

BODY = b'{"id":1,"name":"x","version":1}'


async def sent(shop: Shop, method: str, path: bytes, *preferences: str) -> tuple[int, dict[bytes, bytes], bytes]:
    request = shop.request(method, path, body=BODY)
    request.headers += [(b"prefer", each.encode()) for each in preferences]
    response = await shop.exchange(request)
    assert isinstance(response.body, bytes)
    return response.status, dict(response.headers), response.body


async def test_whoever_prefers_little_gets_no_body(shop: Shop) -> None:
    assert await sent(shop, "PUT", b"/change", "return=minimal") == (
        204, {b"etag": b'"3"', b"preference-applied": b"return=minimal"}, b"",
    )  # fmt: skip
    status, headers, body = await sent(shop, "POST", b"/place", "return=minimal")
    assert (status, headers[b"location"], headers[b"content-length"], body) == (201, b"/api/shop/v1/place/7", b"0", b"")


@pytest.mark.parametrize(
    ("preferences", "applied"),
    [
        (["return=representation"], b"return=representation"),
        (['foo;bar="a=b", RETURN="representation" ; x=y', "return=minimal"], b"return=representation"),
        (["handling=strict,return=representation"], b"handling=strict, return=representation"),
        (["handling=lenient"], b"handling=lenient"),
        (["wait=5, respond-async, handling=other"], None),
        (["return=everything"], None),
        ([""], None),
    ],
)
async def test_what_is_followed_is_told(shop: Shop, preferences: list[str], applied: bytes | None) -> None:
    status, headers, body = await sent(shop, "PUT", b"/change", *preferences)
    assert (status, headers.get(b"preference-applied"), bool(body)) == (200, applied, True)


async def test_what_changes_nothing_is_answered_whole(shop: Shop) -> None:
    status, headers, body = await sent(shop, "GET", b"/cached", "return=minimal")
    assert (status, b"preference-applied" in headers, bool(body)) == (200, False, True)


async def test_whoever_prefers_it_has_unknown_parameters_read_over_and_nothing_else(shop: Shop) -> None:
    query = b"page=2&no=1"
    shop.reply = Reply(Page(items=[]))
    assert [each["pointer"] for each in (await shop.problem("GET", b"/listed", query))["errors"]] == ["/no"]
    status, headers, _ = await shop.send("GET", b"/listed", query, prefer="handling=lenient")
    assert (status, headers[b"preference-applied"], shop.calls[0].input.page) == (200, b"handling=lenient", 2)
    problem = await shop.problem("GET", b"/listed", b"page=x&no=1", prefer="handling=lenient")
    assert [each["pointer"] for each in problem["errors"]] == ["/page"]
