"""What the client sends, and what it makes of answers, good, foreign and broken."""

from __future__ import annotations

from decimal import Decimal
from importlib.metadata import version
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.http.bodies import read
from entrepot.kit.limits import Limits
from entrepot.model import shape as s
from entrepot.model.call import Conditions, Context, Reply
from entrepot.model.fault import DeclaredFault, Fault
from entrepot.model.faults import Timeout
from entrepot.model.file import File
from entrepot.model.operation import Service
from entrepot.ports.exchange import Request, Response
from support.rest_shop import Shop, chunks, dialled, field, operation, record

PRODUCT = b'{"id":7,"name":"chair","version":3}'
JSON = (b"content-type", b"application/json")
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def ok(body: bytes = PRODUCT, *headers: tuple[bytes, bytes], status: int = 200) -> Response:
    return Response(status, [JSON, *headers], body)


async def sent(name: str, answer: Response | None = None, **plain: Any) -> tuple[Request, dict[bytes, bytes]]:
    """The request that a call becomes."""
    invokes, requests = dialled(answer or ok())
    await invokes[name](Shop().call(name, **plain))
    return requests[0], dict(requests[0].headers)


async def test_a_call_becomes_a_request():
    request, headers = await sent("product", id=7)
    assert (request.method, request.path, request.query, request.body) == ("GET", b"/api/shop/v1/products/7", b"", b"")
    assert headers == {
        b"host": b"shop.example", b"accept": b"application/json, application/problem+json;q=0.9",
        b"accept-encoding": b"identity", b"user-agent": f"entrepot/{version('entrepot')}".encode(),
    }  # fmt: skip
    assert request.idempotent is True


async def test_every_part_of_the_input_has_its_place():
    request, headers = await sent(
        "search", tag=["a b", "c&d"], limit=5, cursor=None, language="d\u00e9", session="a;b\u00e9%"
    )
    assert request.query == b"tag=a+b&tag=c%26d&limit=5&cursor"
    assert headers[b"x-language"] == "d\u00e9".encode()
    assert headers[b"cookie"] == b"session=a%3Bb%C3%A9%25"


async def test_a_body_becomes_json_and_what_is_absent_is_left_out():
    request, headers = await sent("change", id=7, change={"note": None})
    assert (request.method, request.body, request.idempotent) == ("PATCH", b'{"note":null}', False)
    assert headers[b"content-type"] == b"application/json"
    request, _ = await sent("log_in", ok(b'"in"'), user="a b")
    assert request.body == b"user=a+b"


async def test_a_path_value_is_encoded_whole():
    for symbol, written in (("a/b", b"a%2Fb"), ("...", b"..."), ("d\u00e9 ?", b"d%C3%A9%20%3F")):
        request, _ = await sent("ticks", symbol=symbol)
        assert request.path == b"/api/shop/v1/ticks/" + written


async def test_the_context_becomes_headers():
    invokes, requests = dialled(ok())
    product = {"id": 7, "name": "x", "version": 3}
    call = Shop().call("replace", id=7, product=product)
    conditions = Conditions(if_match=("3", 'a"b'), if_none_match=("*",))
    call.context = Context(traceparent=TRACE, idempotency_key="key-1", deadline=12.5, conditions=conditions)
    await invokes["replace"](call)
    headers = dict(requests[0].headers)
    assert headers[b"traceparent"] == TRACE.encode()
    assert headers[b"idempotency-key"] == b"key-1"
    assert headers[b"if-match"] == b'"3", "a%22b"'
    assert headers[b"if-none-match"] == b"*"
    assert requests[0].deadline == 12.5


async def test_a_call_without_conditions_sends_none():
    assert not {b"if-match", b"if-none-match"} & (await sent("product", id=7))[1].keys()


@pytest.mark.parametrize(
    ("name", "plain", "pointer"),
    [
        ("ticks", {"symbol": ""}, "/symbol"),
        ("ticks", {"symbol": "."}, "/symbol"),
        ("ticks", {"symbol": ".."}, "/symbol"),
        ("ticks", {"symbol": "../admin"}, "/symbol"),
        ("ticks", {"symbol": "a/../../b"}, "/symbol"),
        ("ticks", {"symbol": "a\\.."}, "/symbol"),
        ("search", {"language": "a\nb"}, "/language"),
        ("search", {"language": " a"}, "/language"),
    ],
)
async def test_a_value_that_its_place_cannot_hold_is_refused_unsent(name, plain, pointer):
    invokes, requests = dialled(ok())
    fault = (await invokes[name](Shop().call(name, **plain))).fault
    assert (fault.kind, [issue.pointer for issue in fault.issues]) == ("invalid", [pointer])
    assert requests == []


# Answers


async def answered(answer: Any, name: str = "product", limits: Limits = Limits(), **plain: Any) -> Any:
    invokes, _ = dialled(answer, limits=limits)
    return await invokes[name](Shop().call(name, **(plain or {"id": 7})))


async def test_an_answer_becomes_a_reply_with_what_its_headers_tell():
    location = (b"location", b"/x/7")
    reply = await answered(ok(PRODUCT, (b"etag", b'W/"3"'), location, (b"server", b"x"), status=203))
    assert reply.output.name == "chair"
    assert reply.meta.headers == [(b"etag", b'W/"3"'), location]


async def test_an_answer_of_nothing_is_nothing_whatever_the_body():
    for body in (b"", b"{}", chunks(b"x" * 100)):
        reply = await answered(Response(200, [], body), "remove", id=7)
        assert (reply.output, reply.fault) == (None, None)


async def test_warnings_come_back():
    written = b'[{"pointer":"/note","kind":"timeout","detail":"late"},{"pointer":1,"kind":"timeout"},{"pointer":""}]'
    reply = await answered(ok(PRODUCT, (b"entrepot-warnings", written)))
    [warning] = reply.warnings
    assert (warning.pointer, warning.fault.kind, warning.fault.detail) == ("/note", "timeout", "late")


@pytest.mark.parametrize("written", [b"{", b"{}", b"[1]", b"\xff", b"[" * 9999])
async def test_warnings_of_another_form_are_none(written):
    assert (await answered(ok(PRODUCT, (b"entrepot-warnings", written)))).warnings == ()


@pytest.mark.parametrize(
    ("answer", "pointers", "detail"),
    [
        (ok(b'{"id":"x","version":3}'), ["/id", "/name"], "outside its contract"),
        (ok(b"{"), [""], "outside its contract"),
        (ok(b""), [""], "outside its contract"),
        (ok(b'"\xff"'), [""], "outside its contract"),
        (Response(204, [], b""), [""], "outside its contract"),
        (Response(200, [(b"content-type", b"text/html")], b"<html>"), [], "answered with text/html"),
        (ok(chunks(b"x" * 60, b"x" * 60)), [], "more than is read"),  # type: ignore[arg-type]
        (ok(b"", (b"location", b"/elsewhere"), status=301), [], "redirects are not followed"),
        (ok(b"", status=304), [], "redirects are not followed"),
        (ok(b"", status=199), [], "answered 199"),
        (ok(b"", status=600), [], "answered 600"),
    ],
)
async def test_an_answer_outside_the_contract_is_the_upstreams_failure(answer, pointers, detail):
    reply = await answered(answer, limits=Limits(reply_bytes_max=100))
    assert reply.output is None
    assert (reply.fault.kind, reply.fault.upstream) == ("upstream_failed", "shop.example")
    assert [issue.pointer for issue in reply.fault.issues] == pointers
    assert detail in reply.fault.detail


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "rejected"), (401, "unauthenticated"), (403, "forbidden"), (404, "not_found"), (405, "upstream_failed"),
        (402, "rejected"), (407, "upstream_failed"), (414, "too_large"), (421, "upstream_failed"), (423, "conflict"),
        (428, "precondition_failed"), (431, "too_large"), (505, "upstream_failed"), (100, "upstream_failed"),
        (406, "unsupported"), (408, "timeout"), (409, "conflict"), (410, "not_found"), (412, "precondition_failed"),
        (413, "too_large"), (415, "unsupported"), (418, "rejected"), (422, "invalid"), (429, "rate_limited"),
        (499, "rejected"), (500, "upstream_failed"),
        (501, "upstream_failed"), (502, "upstream_failed"), (503, "unavailable"),
        (504, "timeout"), (520, "upstream_failed"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("body", [b"<h1>no</h1>", b"", b"[]", b'{"kind":"other"}'])
async def test_a_foreign_failure_is_known_by_its_status(status, kind, body):
    fault = (await answered(Response(status, [(b"content-type", b"text/html")], body))).fault
    assert (fault.kind, fault.detail) == (kind, f"shop.example answered {status}")
    assert fault.upstream == ("" if fault.row.blame == "caller" else "shop.example")


@pytest.mark.parametrize("name", ["detail", "message", "title"])
async def test_the_words_of_an_upstream_that_refuses_are_passed_on_and_of_one_that_fails_are_not(name):
    body = msgspec.json.encode({name: "the words", "upstream": "other"})
    assert (await answered(Response(409, [], body))).fault.detail == "the words"
    fault = (await answered(Response(500, [], body))).fault
    assert (fault.detail, fault.upstream) == ("shop.example answered 500", "shop.example")


async def test_a_service_of_ours_that_fails_inside_is_told_as_it_is():
    problem = b'{"type":"about:blank","title":"The service failed","status":500,"kind":"internal"}'
    fault = (await answered(Response(500, [], problem))).fault
    assert (fault.kind, fault.upstream) == ("internal", "shop.example")


async def test_a_problem_is_known_by_its_symbol_before_its_status():
    problem = {
        "kind": "conflict", "detail": "sold", "name": "OutOfStock", "data": {"left": 2}, "upstream": "bank",
        "errors": [{"pointer": "/id", "code": "range", "message": "m"}, "junk", {}], "retry_after": 3,
    }  # fmt: skip
    fault = (await answered(Response(500, [], msgspec.json.encode(problem)))).fault
    assert (fault.kind, fault.name, fault.data.left, fault.detail) == ("conflict", "OutOfStock", 2, "sold")
    assert (fault.retry_after, fault.upstream, len(fault.issues)) == (3.0, "bank", 2)


@pytest.mark.parametrize(
    "problem",
    [
        {"kind": "conflict", "name": "OutOfStock", "data": {"left": "x"}},
        {"kind": "conflict", "name": "OutOfStock"},
    ],
)
async def test_a_declared_fault_outside_its_contract_is_the_upstreams_failure(problem):
    fault = (await answered(Response(409, [], msgspec.json.encode(problem)))).fault
    assert (fault.kind, fault.upstream) == ("upstream_failed", "shop.example")
    assert fault.issues != ()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(b"7", 7.0), (b"Wed, 21 Oct 2015 07:28:00 GMT", 0.0), (b"-1", None), (b"soon", None), (b"9" * 40, None)],
)
async def test_retry_after_is_seconds_or_a_date(value, seconds):
    assert (await answered(Response(503, [(b"retry-after", value)]))).fault.retry_after == seconds


async def test_a_failure_whose_body_is_endless_is_still_told():
    fault = (await answered(Response(404, [], chunks(*[b"x" * 60] * 5)), limits=Limits(reply_bytes_max=100))).fault
    assert fault.kind == "not_found"


async def test_what_the_transport_raises_is_the_replys_fault():
    async def fails(request: Request) -> Response:
        raise Timeout("too late", upstream="shop")

    reply = await answered(fails)
    assert (reply.fault.kind, reply.fault.upstream) == ("timeout", "shop")


async def test_the_answers_body_is_closed_when_it_is_not_read_to_its_end():
    closed: list[int] = []

    async def body() -> Any:
        try:
            while True:
                yield b"x" * 60
        finally:
            closed.append(1)

    for status in (200, 204, 404):
        await answered(Response(status, [JSON], body()), limits=Limits(reply_bytes_max=100))
    assert closed == [1, 1, 1]


# Foreign faults, as an imported contract declares them

FOREIGN = Service(
    name="shop",
    operations=(
        operation(
            "ping",
            faults=(
                DeclaredFault(
                    name="NotFound", kind="not_found", data=record(field("reason", s.Text())),
                    bindings={"rest": {"status": 404, "whole": True}},
                ),
                DeclaredFault(
                    name="OtherFailure", kind="rejected", data=record(field("code", s.Int())),
                    bindings={"rest": {"status": 0, "whole": True}},
                ),
            ),
        ),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("status", "body", "kind", "name"),
    [
        (404, b'{"reason":"gone","message":"m"}', "not_found", "NotFound"),
        (409, b'{"code":5}', "conflict", "OtherFailure"),
        (404, b'{"code":5}', "not_found", ""),
        (404, b"<html>", "not_found", ""),
        (503, b"", "unavailable", ""),
    ],
)
async def test_a_foreign_body_is_a_declared_fault_where_it_fits_the_contract(status, body, kind, name):
    shop = Shop(service=FOREIGN)
    invokes, _ = dialled(Response(status, [JSON], body), service=FOREIGN)
    fault = (await invokes["ping"](shop.call("ping"))).fault
    assert (fault.kind, fault.name) == (kind, name)
    shop.fails(fault)
    again, _ = dialled(shop.exchange, service=FOREIGN)
    twice = (await again["ping"](shop.call("ping"))).fault
    assert (twice.kind, twice.name) == (fault.kind, fault.name)
    assert msgspec.to_builtins(twice.data) == msgspec.to_builtins(fault.data)


# Whatever comes


@given(
    st.integers(100, 600),
    st.sampled_from([b"application/json", b"text/event-stream", b"application/x-ndjson", b"", b";;=", b"\xff"]),
    st.binary(max_size=40) | st.sampled_from([b"{}", b"[]", b"null", b'{"kind":"conflict","name":[],"errors":{}}']),
    st.sampled_from(["product", "remove", "search", "quote", "ticks", "picture", "shout"]),
)
async def test_whatever_an_upstream_answers_is_a_reply(status, content_type, body, name):
    plain = {"quote": {"items": [], "code": ""}, "ticks": {"symbol": "x"}, "search": {}}.get(name, {"id": 1})
    shop = Shop()
    call = shop.call("ping") if name == "shout" else shop.call(name, **plain)
    if name == "shout":
        call.operation = shop.service.operation(name)
        call.input = shop.values.codec(call.operation.input).type(text=b"x")
    invokes, _ = dialled(Response(status, [(b"content-type", content_type)], body))
    reply = await invokes[name](call)
    assert reply.fault is None or reply.output is None
    output = reply.output.open() if isinstance(reply.output, File) else reply.output
    if hasattr(output, "__aiter__"):
        try:
            async for _ in output:
                pass
        except Fault:
            pass


METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", ""]
PATHS = [
    b"/products/7",
    b"/products",
    b"/ticks/x",
    b"/pictures/1",
    b"/pictures",
    b"/log-in",
    b"/quote",
    b"/openapi.json",
]
HEADERS = [
    b"accept", b"if-match", b"if-none-match", b"content-type", b"cookie", b"traceparent", b"content-length",
    b"last-event-id", b"x-language", b"idempotency-key",
]  # fmt: skip
HEADER_VALUES = [
    b"application/json", b"multipart/form-data; boundary=b", b"application/x-www-form-urlencoded", b"image/png",
    b"*", b'"3"', b"10",
]  # fmt: skip
OCTETS = st.binary(max_size=20)


@given(
    st.sampled_from(METHODS),
    st.sampled_from(PATHS) | OCTETS,
    st.sampled_from([b"tag=1&limit=x", b"cursor&cursor"]) | OCTETS,
    st.lists(st.tuples(st.sampled_from(HEADERS), st.sampled_from(HEADER_VALUES) | OCTETS), max_size=5),
    st.sampled_from([PRODUCT, b"--b\r\n", b"a=%", b"[" * 200]) | OCTETS,
)
async def test_whatever_a_caller_sends_is_answered(method, path, query, headers, body):
    shop = Shop()
    product = shop.product()

    async def reply(call: Any) -> Any:
        outputs = {"search": None, "quote": Decimal(1), "ping": None, "remove": None}
        if call.operation.name in ("product", "place", "change", "replace"):
            return Reply(product)
        if call.operation.stream_output or call.operation.name in ("picture", "search"):
            return Reply(fault=Timeout("no"))
        if call.operation.name == "store_picture":
            await call.input.picture.read(1000)
        return Reply(outputs.get(call.operation.name, ""))

    shop.reply = reply
    response = await shop.exchange(Request(method, b"/api/shop/v1" + path, query, headers, body))
    content = await read(response.body, 10**7)
    assert response.status in (200, 201, 204, 304, 400, 404, 405, 406, 412, 413, 415, 422, 504)
    if response.status >= 400:
        assert method == "HEAD" or msgspec.json.decode(content)["status"] == response.status


async def test_a_foreign_stream_that_ends_with_an_error_says_so():
    events = b'data: {"at":1,"price":"1.50"}\n\nevent: error\ndata: {"message":"the secret"}\n\n'
    invokes, _ = dialled(Response(200, [(b"content-type", b"text/event-stream")], events))
    reply = await invokes["ticks"](Shop().call("ticks", symbol="a"))
    assert (await anext(reply.output)).at == 1
    with pytest.raises(Fault) as raised:
        await anext(reply.output)
    fault = raised.value
    assert (fault.kind, fault.upstream) == ("upstream_failed", "shop.example")
    assert fault.detail == "shop.example ended the stream with an error"


@pytest.mark.parametrize("where", ["header", "cookie", "query"])
async def test_a_null_among_the_values_of_an_enum_is_said_and_not_left_out(where):
    choice = s.Enum(values=(s.EnumValue("a"), s.EnumValue(None)))
    said = {"method": "GET", "path": "/x", "parameters": {"choice": {"in": where}}}
    shop = Shop(service=Service(name="shop", operations=(operation("x", field("choice", choice), rest=said),)))
    invokes, _ = dialled(shop.exchange, service=shop.service)
    for value in ("a", None):
        assert (await invokes["x"](shop.call("x", choice=value))).fault is None
        assert shop.calls[-1].input.choice == value
