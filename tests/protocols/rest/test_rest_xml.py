"""XML bodies and answers, in which a contract has them: read, written, called and told again."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from entrepot.model import shape as s
from entrepot.model.call import Call, Reply
from entrepot.model.operation import Service
from entrepot.ports.exchange import Request, Response
from entrepot.protocols.rest import PROTOCOL
from entrepot.protocols.rest.binding.check import Unbindable
from entrepot.protocols.rest.binding.data import bind
from entrepot.protocols.rest.client import RestClient
from entrepot.shapes.document import Document
from entrepot.wire.memory import memory_wire
from support.in_xml import Sayable
from support.openapi import comes_back, imported, own_document
from support.rest_shop import Shop, dialled, field, operation, record
from support.strategies import Contract, contracts, values_of

Json = dict[str, Any]
XML = "application/xml"
HEAD = b'<?xml version="1.0" encoding="UTF-8"?>'
PET: Json = {
    "type": "object",
    "xml": {"name": "pet", "namespace": "urn:pets"},
    "required": ["name", "photoUrls"],
    "properties": {
        "id": {"type": "integer", "format": "int64", "xml": {"attribute": True}},
        "name": {"type": "string"},
        "price": {"type": "string", "format": "decimal"},
        "category": {"$ref": "#/components/schemas/Category"},
        "photoUrls": {
            "type": "array", "xml": {"wrapped": True}, "items": {"type": "string", "xml": {"name": "photoUrl"}}
        },
        "tags": {"type": "array", "items": {"xml": {"name": "tag"}, "$ref": "#/components/schemas/Category"}},
    },
}  # fmt: skip
CATEGORY: Json = {
    "type": "object", "xml": {"name": "Category"},
    "properties": {"id": {"type": "integer"}, "name": {"type": ["string", "null"]}},
}  # fmt: skip
PLAIN: Json = {
    "id": 2**53 + 1, "name": "Ada & Co", "price": "1.10", "category": {"id": 1, "name": None},
    "photoUrls": ["a", ""], "tags": [{"id": 2}, {"id": 3, "name": ""}],
}  # fmt: skip
WRITTEN = (
    HEAD
    + b'<pet xmlns="urn:pets" id="9007199254740993"><name>Ada &amp; Co</name><price>1.10</price><category><id>1</id>'
    b'<name xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/></category>'
    b"<photoUrls><photoUrl>a</photoUrl><photoUrl></photoUrl></photoUrls>"
    b"<tag><id>2</id></tag><tag><id>3</id><name></name></tag></pet>"
)


def pets(*media_types: str) -> Json:
    """A document whose one operation takes and answers a pet in these."""
    content = {name: {"schema": {"$ref": "#/components/schemas/Pet"}} for name in media_types}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pets", "version": "1"},
        "paths": {
            "/pets": {
                "post": {
                    "operationId": "add",
                    "requestBody": {"required": True, "content": content},
                    "responses": {"200": {"description": "", "content": content}},
                }
            }
        },
        "components": {"schemas": {"Pet": PET, "Category": CATEGORY}},
    }


class Echo:
    """An upstream that sends back what it was sent, and remembers it."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        label = dict(request.headers)[b"content-type"]
        return Response(200, [(b"content-type", label)], request.body)


async def test_an_upstream_that_speaks_xml_alone_is_called_in_it_and_served_in_json_too() -> None:
    service, echo = imported(pets(XML)), Echo()
    invokes, _ = dialled(echo, service=service)
    shop = Shop(service=service)
    shop.reply = lambda call: invokes["add"](call)
    body = msgspec.json.encode(PLAIN)
    response = await shop.exchange(Request("POST", b"/api/made/v1/pets", b"", [(b"accept", b"application/json")], body))
    assert (response.status, msgspec.json.decode(response.body)) == (200, PLAIN)  # type: ignore[arg-type]
    [sent] = echo.requests
    assert sent.body == WRITTEN
    assert dict(sent.headers)[b"accept"] == b"application/xml, application/problem+json;q=0.9"


@pytest.mark.parametrize("label", [b"application/xml", b"text/xml", b"text/xml; charset=utf-8"])
async def test_bodies_are_read_and_answers_written_by_their_labels(label: bytes) -> None:
    shop = Shop(service=imported(pets(XML, "application/json")))

    async def echo(call: Call) -> Reply:
        return Reply(call.input.body)

    shop.reply = echo
    headers = [(b"content-type", label), (b"accept", label.split(b";")[0])]
    response = await shop.exchange(Request("POST", b"/api/made/v1/pets", b"", headers, WRITTEN))
    assert (response.status, response.body) == (200, WRITTEN)
    assert dict(response.headers)[b"content-type"] == label.split(b";")[0]


def test_the_contract_has_it_and_comes_back() -> None:
    own = comes_back(pets(XML, "application/json"))
    assert list(own["paths"]["/pets"]["post"]["requestBody"]["content"]) == ["application/json", XML]
    schemas = own["components"]["schemas"]
    assert (schemas["Pet"]["xml"], schemas["Pet"]["properties"]["id"]["xml"]) == (PET["xml"], {"attribute": True})
    assert schemas["Pet"]["properties"]["photoUrls"] == PET["properties"]["photoUrls"]
    assert schemas["Pet"]["properties"]["tags"]["items"] == PET["properties"]["tags"]["items"]
    assert schemas["Category"]["xml"] == {"name": "Category"}


@pytest.mark.parametrize(
    ("body", "status", "pointers"),
    [
        (b"<pet", 400, ["/body"]),
        (b"<!DOCTYPE pet><pet/>", 400, ["/body"]),
        (b'<pet xmlns="urn:pets"><name>x</name><photoUrls/><id>1</id></pet>', 200, []),
        (b'<pet xmlns="urn:pets" id="x"><name>x</name><photoUrls/></pet>', 422, ["/body/id"]),
        (b'<pet xmlns="urn:pets"><photoUrls><x/></photoUrls></pet>', 422, ["/body/photoUrls"]),
        (b"<dog/>", 422, ["/body"]),
        (b"", 422, ["/body"]),
    ],
)
async def test_what_is_wrong_is_a_problem_with_its_place(body: bytes, status: int, pointers: list[str]) -> None:
    shop = Shop(service=imported(pets(XML)))
    shop.reply = Reply(shop.values.codec(s.Ref(name="Pet")).of_plain({"name": "x", "photoUrls": []}))
    headers = [(b"content-type", XML.encode()), (b"accept", XML.encode())]
    response = await shop.exchange(Request("POST", b"/api/made/v1/pets", b"", headers, body))
    assert response.status == status
    if status != 200:
        assert dict(response.headers)[b"content-type"] == b"application/problem+json"
        problem = msgspec.json.decode(response.body)  # type: ignore[arg-type]
        assert [each["pointer"] for each in problem["errors"]] == pointers


async def test_a_body_in_another_encoding_is_not_taken() -> None:
    shop = Shop(service=imported(pets(XML, "application/json")))
    headers = [(b"content-type", b"text/xml; charset=iso-8859-1")]
    response = await shop.exchange(Request("POST", b"/api/made/v1/pets", b"", headers, WRITTEN))
    assert response.status == 415
    assert dict(response.headers)[b"accept"] == b"application/json, application/xml, application/msgpack"


async def test_an_answer_of_an_upstream_outside_its_contract_is_its_failure() -> None:
    answer = Response(200, [(b"content-type", b"text/xml")], b'<pet xmlns="urn:pets"><name>x</name></pet>')
    service = imported(pets(XML))
    invokes, _ = dialled(answer, service=service)
    values = Shop(service=service).values
    call = Call(service.operations[0], values.codec(service.operations[0].input).of_plain({"body": PLAIN}))
    reply = await invokes["add"](call)
    assert reply.fault is not None
    assert (reply.fault.kind, [each.pointer for each in reply.fault.issues]) == ("upstream_failed", ["/photoUrls"])


MADE = operation(
    "make",
    field("name", s.Text()), field("prices", s.List(item=s.Decimal())),
    rest={"method": "POST", "path": "/things", "body": "object", "xml": True,
          "parameters": {"name": {"in": "body"}, "prices": {"in": "body"}}},
    output=record(field("name", s.Text()), field("version", s.Int(), role="version")),
)  # fmt: skip


async def test_an_operation_of_ours_may_offer_it() -> None:
    shop = Shop(service=Service(name="shop", operations=(MADE,)))
    shop.reply = Reply(shop.values.codec(MADE.output).of_plain({"name": "a\0", "version": 1}))
    body = b"<input><name>x</name><prices>1.10</prices><prices>2</prices></input>"
    status, headers, answer = await shop.send("POST", b"/things", body=body, content_type="text/xml")
    assert (status, headers[b"content-type"], headers[b"etag"]) == (200, b"application/json", b'"1"')
    assert shop.calls[0].input.prices == [Decimal("1.10"), Decimal(2)]
    problem = await shop.problem("POST", b"/things", body=body, content_type="text/xml", accept=XML)
    assert (problem["status"], "U+0000" in problem["detail"]) == (406, True)
    shop.reply = Reply(shop.values.codec(MADE.output).of_plain({"name": "a", "version": 1}))
    status, headers, answer = await shop.send("POST", b"/things", body=body, content_type="text/xml", accept=XML)
    assert (status, b"etag" in headers) == (200, False)
    assert answer == HEAD + b"<output><name>a</name><version>1</version></output>"
    document = own_document(shop.service)
    assert list(document["paths"]["/things"]["post"]["responses"]["200"]["content"]) == ["application/json", XML]
    read = PROTOCOL.client.read(Document(document, "own"), "shop")
    assert (read.refusals, bind(read.service.operations[0], {}).accepts) == ((), ("application/json", XML))


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (operation("a", rest={"xml": True}, output=s.Anything()), "has no form in application/xml: of a value of any"),
        (operation("a", field("b", s.Map(value=s.Int())), rest={"xml": True}), "the names of a map's members"),
        (operation("a", rest={"xml": True}, output=s.File()), "neither its body nor its answer"),
        (operation("a", rest={"xml": True}, output=s.Int(), stream_output=True), "neither its body nor its answer"),
    ],
)
def test_what_xml_cannot_hold_is_refused_when_it_is_bound(made: Any, reason: str) -> None:
    with pytest.raises(Unbindable, match=reason):
        bind(made, {})


@pytest.mark.parametrize(
    "rest",
    [
        {"produces": [XML], "fields": True},
        {"produces": [XML], "csv": True},
        {"produces": ["application/json", XML], "accepts": [XML], "bulk": True},
    ],
)
def test_parts_tables_and_lines_are_of_what_is_usually_json(rest: Json) -> None:
    rows = s.List(item=record(field("a", s.Int())))
    with pytest.raises(Unbindable, match="only what is usually JSON"):
        bind(operation("a", field("b", rows), rest={"method": "POST"} | rest, output=rows), {})


async def test_what_is_answered_in_xml_alone_is_no_page() -> None:
    made = operation("a", rest={"method": "GET", "produces": [XML]}, output=record(field("a", s.Int())), safe=True)
    shop = Shop(service=Service(name="shop", operations=(made,)))
    shop.reply = Reply(shop.values.codec(made.output).of_plain({"a": 1}))
    assert (await shop.send("GET", b"/a", accept="text/html"))[0] == 406
    browser = await shop.send("GET", b"/a", accept="text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
    assert browser[2] == HEAD + b"<output><a>1</a></output>"


@given(st.data(), contracts(awkward=False))
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_calling_in_xml_is_calling(data: st.DataObject, contract: Contract) -> None:
    sayable = Sayable(contract)
    rest = {"method": "POST", "accepts": [XML], "produces": [XML], "parameters": {"it": {"in": "body"}}}
    made = operation("echo", field("it", sayable.shape), rest=rest, output=sayable.shape)
    service = Service(name="shop", operations=(made,), types=sayable.types)
    try:
        bind(made, sayable.types)
    except Unbindable:
        reject()
    served = Shop(service=service)

    async def echo(call: Call) -> Reply:
        return Reply(call.input.it)

    served.reply = echo
    invokes = RestClient().dial(service, served.values, memory_wire(served.exchange), "shop.example", "/api/shop/v1")
    plain = data.draw(values_of(sayable.shape, sayable.types))
    call = served.call("echo", it=plain)
    reply = asyncio.run(invokes["echo"](call))
    if reply.fault is not None and "cannot be written" in reply.fault.detail:
        reject()
    assert (reply.fault, reply.output) == (None, call.input.it)
