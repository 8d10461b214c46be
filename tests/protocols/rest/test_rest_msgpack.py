"""MessagePack instead of JSON, wherever a body or an answer is JSON."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from entrepot.model import shape as s
from entrepot.model.call import Call, Reply
from entrepot.model.operation import Service
from support.rest_shop import UNSET, Shop, dialled, field, operation, record

write, read = msgspec.msgpack.encode, msgspec.msgpack.decode
MSGPACK = "application/msgpack"


@pytest.fixture
def shop() -> Shop:
    made = Shop()
    made.reply = Reply(made.product())
    return made


@pytest.mark.parametrize("label", [MSGPACK, "application/vnd.msgpack", "application/x-msgpack", "Application/MsgPack"])
async def test_a_body_is_read_by_its_label(shop: Shop, label: str) -> None:
    body = write({"id": 7, "name": "chair", "version": 3})
    status, headers, answer = await shop.send("POST", b"/products", body=body, content_type=label)
    assert (status, headers[b"content-type"], msgspec.json.decode(answer)["name"]) == (
        201,
        b"application/json",
        "chair",
    )
    assert shop.calls[0].input.product == shop.product()


async def test_a_body_of_fields_is_read_beside_what_stands_elsewhere(shop: Shop) -> None:
    await shop.send("POST", b"/quote", body=write({"items": ["1.50"], "code": "x"}), content_type=MSGPACK)
    assert (shop.calls[0].input.items, shop.calls[0].input.code) == ([Decimal("1.50")], "x")
    await shop.send("PATCH", b"/products/7", body=write({"note": None}), content_type=MSGPACK)
    assert (shop.calls[1].input.id, shop.calls[1].input.change.note, shop.calls[1].input.change.name) == (
        7,
        None,
        UNSET,
    )
    await shop.send("POST", b"/ping", content_type=MSGPACK)
    assert shop.calls[2].operation.name == "ping"


@pytest.mark.parametrize(
    "accept", [MSGPACK, "application/x-msgpack", "application/json;q=0.5, application/vnd.msgpack"]
)
async def test_an_answer_is_in_what_the_caller_likes_best(shop: Shop, accept: str) -> None:
    status, headers, body = await shop.send("GET", b"/products/7", accept=accept)
    told = (status, headers[b"content-type"].decode(), headers[b"content-length"], headers[b"vary"])
    assert told == (200, accept.split(", ")[-1], b"%d" % len(body), b"accept")
    assert read(body) == {"id": 7, "name": "chair", "version": 3}
    assert b"etag" not in headers  # the version is that of the JSON


@pytest.mark.parametrize("accept", ["*/*", "application/*", "application/json, application/msgpack", ""])
async def test_json_comes_first(shop: Shop, accept: str) -> None:
    _, headers, _ = await shop.send("POST", b"/products", body=b'{"id":7,"name":"a","version":1}', accept=accept)
    assert headers[b"content-type"] == b"application/json"


async def test_failures_are_problems(shop: Shop) -> None:
    body = write({"id": "x", "name": "chair", "version": 3})
    problem = await shop.problem("POST", b"/products", body=body, content_type=MSGPACK, accept=MSGPACK)
    assert (problem["status"], problem["errors"][0]["pointer"]) == (422, "/product/id")
    problem = await shop.problem("POST", b"/products", body=b"\xc1", content_type=MSGPACK)
    assert (problem["status"], problem["errors"][0]["code"]) == (400, "syntax")
    assert (await shop.problem("POST", b"/products", body=b"", content_type=MSGPACK))["errors"][0]["code"] == "missing"


async def test_what_is_no_json_is_no_messagepack_either(shop: Shop) -> None:
    assert (await shop.send("POST", b"/log-in", body=write({"user": "x"}), content_type=MSGPACK))[0] == 415
    assert (await shop.send("GET", b"/ticks/x", accept=MSGPACK))[0] == 406
    problem = await shop.problem("GET", b"/products/7", accept="text/plain")
    assert problem["detail"] == (
        "the answer can be application/json or text/html or application/msgpack, none of which Accept takes"
    )


async def test_a_part_of_an_answer_is_json() -> None:
    asked = operation("one", rest={"method": "GET", "fields": True}, output=record(field("a", s.Int())), safe=True)
    shop = Shop(service=Service(name="shop", operations=(asked,)))
    shop.reply = Reply(shop.values.codec(asked.output).of_plain({"a": 1}))
    assert (await shop.send("GET", b"/one", b"fields=a", accept=MSGPACK))[0] == 406


async def test_a_shape_that_messagepack_has_no_word_for_is_offered_in_json_alone() -> None:
    either = s.Union(arms=(s.Decimal(wire="number"), s.Text()))
    asked = operation("echo", field("value", either), rest={"method": "POST"}, output=either)
    shop = Shop(service=Service(name="shop", operations=(asked,)))

    async def echo(call: Call) -> Reply:
        return Reply(call.input.value)

    shop.reply = echo
    assert (await shop.send("POST", b"/echo", body=write("1.5"), content_type=MSGPACK))[0] == 415
    problem = await shop.problem("POST", b"/echo", body=b"1.5", accept=MSGPACK)
    assert (problem["status"], problem["detail"].endswith("the answer can be application/json")) == (406, True)


async def test_an_upstream_is_spoken_to_in_what_its_contract_has() -> None:
    rest = {
        "method": "POST", "accepts": [MSGPACK], "produces": [MSGPACK], "parameters": {"value": {"in": "body"}},
    }  # fmt: skip
    asked = operation("echo", field("value", s.Decimal(wire="number")), rest=rest, output=s.Decimal(wire="number"))
    service = Service(name="shop", operations=(asked,))
    served = Shop(service=service)

    async def echo(call: Call) -> Reply:
        return Reply(call.input.value)

    served.reply = echo
    invokes, requests = dialled(served.exchange, service=service)
    reply = await invokes["echo"](served.call("echo", value=Decimal("1.10")))
    assert (reply.fault, str(reply.output)) == (None, "1.10")
    sent = dict(requests[0].headers)
    assert (sent[b"content-type"], sent[b"accept"].split(b", ")[0], requests[0].body) == (
        MSGPACK.encode(), MSGPACK.encode(), write("1.10"),
    )  # fmt: skip
