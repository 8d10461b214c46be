"""Many calls of one operation by one request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from entrepot.kit.limits import Limits
from entrepot.model import shape as s
from entrepot.model.call import Call, Reply
from entrepot.model.faults import Conflict
from entrepot.model.operation import Service
from entrepot.protocols.rest import PROTOCOL
from entrepot.shapes.document import Document
from entrepot.spec import documents
from support.contracts import contract
from support.rest_shop import PRODUCT, TYPES, Shop, field, operation

NDJSON = "application/x-ndjson"
BULK = {"method": "POST", "bulk": True}
SERVICE = Service(
    name="shop",
    types=TYPES,
    operations=(
        operation("place", field("shelf", s.Text()), field("product", PRODUCT), output=PRODUCT,
                  rest=BULK | {"path": "/shelves/{shelf}", "location": "/products/{id}"}),
        operation("count", field("a", s.Int()), field("b", s.Int()), rest=BULK | {"path": "/count", "body": "object",
                  "parameters": {"a": {"in": "body"}, "b": {"in": "body"}}}),
    ),
)  # fmt: skip


def lines(*ids: int) -> bytes:
    return b"\n".join(b'{"id":%d,"name":"x","version":1}' % id for id in ids)


def placing(limits: Limits | None = None) -> Shop:
    shop = Shop(service=SERVICE, limits=limits or Limits())

    async def reply(call: Call) -> Reply:
        if call.operation.name == "count":
            return Reply()
        if call.input.product.id == 2:
            return Reply(fault=Conflict("there is one"))
        return Reply(call.input.product)

    shop.reply = reply
    return shop


async def sent(shop: Shop, body: Any, path: bytes = b"/shelves/a", **headers: str) -> list[Any]:
    status, answered, content = await shop.send("POST", path, body=body, content_type=NDJSON, **headers)
    assert (status, answered[b"content-type"]) == (207, NDJSON.encode())
    return [msgspec.json.decode(line) for line in content.splitlines()]


async def test_each_line_is_a_call_and_is_answered_in_its_place() -> None:
    shop = placing()
    first, second, third, fourth = await sent(shop, lines(1, 2) + b'\n{"id":"x"}\n\n' + lines(3))
    assert first == {
        "status": 201,
        "headers": {"location": "/api/shop/v1/products/1", "etag": '"1"'},
        "body": {"id": 1, "name": "x", "version": 1},
    }
    assert (second["status"], second["headers"], second["body"]["kind"]) == (409, {}, "conflict")
    assert (third["status"], third["body"]["errors"][0]["pointer"]) == (422, "/product/id")
    assert (fourth["status"], fourth["body"]["id"]) == (201, 3)
    assert {call.input.shelf for call in shop.calls} == {"a"}


async def test_what_answers_nothing_says_so_in_each_line() -> None:
    assert await sent(placing(), b'{"a":1,"b":2}', b"/count") == [{"status": 204, "headers": {}, "body": None}]


async def test_one_call_is_made_as_ever() -> None:
    status, headers, _ = await placing().send("POST", b"/shelves/a", body=lines(1), content_type="application/json")
    assert (status, headers[b"content-type"]) == (201, b"application/json")


async def test_what_was_said_of_the_request_is_not_said_of_each_line() -> None:
    shop = placing()
    await sent(shop, lines(1), accept=NDJSON, idempotency_key="k", if_match='"1"', x_other="o")
    context = shop.calls[0].context
    assert (context.idempotency_key, context.meta.header(b"x-other")) == ("", b"o")


async def test_lines_are_bounded_in_number_and_those_before_are_answered() -> None:
    *answers, end = await sent(placing(Limits(batch_max=2)), lines(1, 3, 4))
    assert [each["status"] for each in answers] == [201, 201]
    assert end["entrepot:fault"]["kind"] == "too_large"


async def test_a_line_is_bounded() -> None:
    *answers, end = await sent(placing(Limits(stream_item_bytes_max=40)), lines(1) + b"\n" + b" " * 50)
    assert [each["status"] for each in answers] == [201]
    assert end["entrepot:fault"]["kind"] == "too_large"


async def test_calls_run_side_by_side_within_a_bound() -> None:
    shop, running = placing(Limits(batch_concurrency_max=3)), 0
    seen: list[int] = []

    async def reply(call: Call) -> Reply:
        nonlocal running
        running += 1
        seen.append(running)
        await asyncio.sleep(0)
        running -= 1
        return Reply(call.input.product)

    shop.reply = reply
    assert [each["body"]["id"] for each in await sent(shop, lines(*range(3, 10)))] == list(range(3, 10))
    assert 1 < max(seen) <= 3


async def test_what_was_begun_is_brought_to_its_end_when_the_caller_leaves() -> None:
    shop, ended = placing(), []
    going_on = asyncio.Event()

    async def reply(call: Call) -> Reply:
        if call.input.product.id > 3:
            await going_on.wait()
        ended.append(call.input.product.id)
        return Reply(call.input.product)

    shop.reply = reply
    response = await shop.exchange(shop.request("POST", b"/shelves/a", body=lines(3, 4, 5), content_type=NDJSON))
    assert isinstance(response.body, AsyncIterator)
    assert b'"id":3' in await anext(response.body)
    going_on.set()
    await response.body.aclose()  # type: ignore[attr-defined]
    assert sorted(ended) == [3, 4, 5]


def test_the_contract_has_the_lines_and_comes_back() -> None:
    document = documents.read(contract(PROTOCOL, SERVICE), "own").content
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    post = document["paths"]["/shelves/{shelf}"]["post"]
    assert list(post["requestBody"]["content"]) == ["application/json", NDJSON]
    assert list(post["responses"]["207"]["content"]) == [NDJSON]
    imported = PROTOCOL.client.read(Document(document, "own"), "shop")
    assert imported.refusals == ()
    for read, own in zip(imported.service.operations, SERVICE.operations, strict=True):
        assert (read.input, read.output, read.stream_input) == (own.input, own.output, None)
        assert (read.bindings["rest"]["bulk"], read.bindings["rest"]["accepts"]) == (True, ["application/json"])


@pytest.mark.parametrize(
    "made",
    [
        operation("shout", field("text", s.Raw()), rest=BULK, output=s.Text()),
        operation("picture", field("id", s.Int()), rest=BULK, output=s.File()),
        operation("read", rest={"method": "GET", "bulk": True}, output=s.Text(), safe=True),
    ],
)
def test_only_json_is_called_in_bulk(made: Any) -> None:
    assert "many lines" in PROTOCOL.can.reason(made, {}, set())
