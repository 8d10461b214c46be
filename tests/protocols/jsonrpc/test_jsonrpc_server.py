"""JSON-RPC over HTTP: what surrounds the messages."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.kit.limits import Limits
from entrepot.model.call import Call, Meta, Reply
from entrepot.model.fault import Fault
from entrepot.ports.exchange import Exchange, Request, Response
from entrepot.ports.protocol import Mount, ServedService
from entrepot.protocols.jsonrpc import PROTOCOL
from entrepot.shapes.values import Values
from support.calculator import OVERDRAWN, Calculator
from support.contracts import contract

JSON = (b"content-type", b"application/json")


def served(calculator: Calculator | None = None, **limits: int) -> Exchange:
    one = (calculator or Calculator()).served
    bounds = Limits(**limits)
    bounded = msgspec.structs.replace(one, values=Values(one.service.types, limits=bounds))
    return PROTOCOL.server.serve([bounded], bounds)


async def post(exchange: Exchange, body: Any, *headers: tuple[bytes, bytes]) -> Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await exchange(Request("POST", b"/jsonrpc", headers=[JSON, *headers], body=data))


def decoded(response: Response) -> Any:
    assert isinstance(response.body, bytes)
    return json.loads(response.body)


def length_of(response: Response) -> tuple[bytes, bytes]:
    assert isinstance(response.body, bytes)
    return (b"content-length", b"%d" % len(response.body))


def request(method: str, params: Any = None, id: Any = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": f"calc.{method}", "params": params or [], "id": id}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_other_methods_are_not_allowed(method):
    response = await served()(Request(method, b"/jsonrpc", headers=[JSON]))
    assert response.status == 405
    assert (b"allow", b"GET, HEAD, POST") in response.headers
    assert decoded(response)["id"] is None


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        b"",
        b"text/plain",
        b"application/x-www-form-urlencoded",
        b"application/json-rpc",
        b"application/json; charset=latin-1",
    ],
)
async def test_other_media_types_are_not_supported(content_type):
    headers = [] if content_type is None else [(b"content-type", content_type)]
    response = await served()(Request("POST", b"/jsonrpc", headers=headers, body=b"{}"))
    assert response.status == 415
    assert decoded(response)["error"]["code"] == -32015


@pytest.mark.parametrize(
    "content_type", [b"application/json", b"Application/JSON ; charset=utf-8", b'application/json;charset="UTF-8"']
)
async def test_json_may_be_named_in_several_ways(content_type):
    body = json.dumps(request("get_data")).encode()
    response = await served()(Request("POST", b"/jsonrpc", headers=[(b"content-type", content_type)], body=body))
    assert (response.status, response.headers) == (200, [length_of(response), JSON])


@pytest.mark.parametrize(
    "body", [b"\xff", b'{"jsonrpc":"2.0","method":"calc.note","params":["\xc3"],"id":1}', b'"\xed\xa0\x80"']
)
async def test_what_is_not_utf_8_is_not_json(body):
    reply = decoded(await post(served(), body))
    assert (reply["error"]["code"], reply["id"]) == (-32700, None)
    assert "UTF-8" in reply["error"]["message"]


async def test_a_body_that_is_too_long_is_refused():
    response = await post(served(body_bytes_max=100), b" " * 101)
    assert (response.status, decoded(response)["error"]["code"]) == (413, -32013)


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 100_000, b'{"jsonrpc":"2.0","method":"x","id":1,"params":' + b"[" * 50_000]
)
async def test_depth_is_refused(body):
    assert decoded(await post(served(), body))["error"]["code"] in (-32700, -32600)


async def test_depth_inside_params_is_refused_with_its_place():
    deep = b"[" * 70 + b"]" * 70
    body = b'{"jsonrpc":"2.0","method":"calc.note","params":{"text":' + deep + b'},"id":1}'
    error = decoded(await post(served(), body))["error"]
    assert (error["code"], error["data"]["kind"]) == (-32600, "malformed")
    assert error["data"]["errors"][0]["code"] == "depth"


async def test_every_issue_of_the_params_is_listed_under_its_parameter():
    reply = decoded(await post(served(), request("subtract", {"minuend": "x", "subtrahend": 1.5, "n/o": 1})))
    pointers = {issue["pointer"] for issue in reply["error"]["data"]["errors"]}
    assert pointers == {"/minuend", "/subtrahend", "/n~1o"}
    by_position = decoded(await post(served(), request("subtract", ["x", None])))
    assert {issue["pointer"] for issue in by_position["error"]["data"]["errors"]} == {"/minuend", "/subtrahend"}


async def test_the_number_of_issues_is_bounded():
    reply = decoded(await post(served(issues_max=3), request("subtract", {f"x{n}": n for n in range(1000)})))
    assert len(reply["error"]["data"]["errors"]) == 3


async def test_the_context_is_taken_from_the_headers():
    calculator = Calculator()
    trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = [(b"traceparent", trace), (b"idempotency-key", b'"k1"'), (b"x-own", b"1")]
    await post(served(calculator), request("get_data"), *headers)
    [context] = [call.context for call in calculator.calls]
    assert (context.trace_id, context.idempotency_key) == ("0af7651916cd43dd8448eb211c80319c", "k1")
    assert context.meta.header(b"x-own") == b"1"


async def test_an_error_tells_the_trace_it_belongs_to():
    trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    reply = decoded(await post(served(), request("nothing"), (b"traceparent", trace)))
    assert reply["error"]["data"]["trace_id"] == "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize("body", [b"", b"[", b"[]", b"{}", b" " * 2000, b"[" + b"1," * 5 + b"1]"])
async def test_a_refusal_tells_the_trace_it_belongs_to(body):
    trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    reply = decoded(await post(served(body_bytes_max=1000, batch_max=2), body, (b"traceparent", trace)))
    assert reply["error"]["data"]["trace_id"] == "0af7651916cd43dd8448eb211c80319c"


async def test_an_output_outside_its_type_is_logged_and_not_told(caplog):
    error = decoded(await post(served(), request("lie")))["error"]
    assert (error["code"], error["message"]) == (-32603, "The service failed")
    [line] = [each for each in caplog.records if each.name == "entrepot.faults"]
    assert (line.trace_id, line.operation) == (error["data"]["trace_id"], "calc.lie")
    assert line.exc_info is not None


async def test_a_reply_has_no_headers_of_its_own():
    calculator = Calculator()

    async def invoke(call: Call) -> Reply:
        return Reply(["x"], meta=Meta([(b"x-own", b"1"), (b"content-type", b"text/html"), (b"content-length", b"0")]))

    only = calculator.service.only({"get_data"})
    service = ServedService(service=only, values=calculator.values, invokes={"get_data": invoke})
    response = await post(PROTOCOL.server.serve([service]), request("get_data"))
    assert response.headers == [length_of(response), JSON]


async def test_two_services_share_the_address():
    exchange = PROTOCOL.server.serve([Calculator().served, Calculator("other").served])
    for name in ("calc", "other"):
        reply = decoded(await post(exchange, {"jsonrpc": "2.0", "method": f"{name}.get_data", "id": 1}))
        assert reply["result"] == ["hello", 5]
    assert {PROTOCOL.server.mounts(Calculator(name).service)[0] for name in ("a", "b")} == {
        Mount("/jsonrpc", exact=True)
    }


async def test_two_operations_cannot_be_one_method():
    with pytest.raises(ValueError, match=r"two operations are the JSON-RPC method 'calc.subtract'"):
        PROTOCOL.server.serve([Calculator().served, Calculator().served])


async def test_an_operation_that_is_left_out_is_not_there():
    calculator = Calculator()
    exchange = PROTOCOL.server.serve(
        [msgspec.structs.replace(calculator.served, service=calculator.service.only({"total"}))]
    )
    assert decoded(await post(exchange, request("get_data")))["error"]["code"] == -32601
    assert decoded(await post(exchange, request("total", [1, 2, 3])))["result"] == 6


async def test_the_document_is_told_to_who_asks():
    calculator = Calculator()
    reply = decoded(await post(served(calculator), {"jsonrpc": "2.0", "method": "rpc.discover", "id": 7}))
    assert reply["id"] == 7
    assert reply["result"] == json.loads(contract(PROTOCOL, calculator.service))


async def test_the_document_is_there_to_read():
    calculator = Calculator()
    exchange = served(calculator)
    response = await exchange(Request("GET", b"/jsonrpc"))
    assert (response.status, response.body) == (200, contract(PROTOCOL, calculator.service))
    response = await exchange(Request("HEAD", b"/jsonrpc"))
    assert (response.status, response.body) == (200, b"")


# Batches


async def test_a_batch_runs_side_by_side_within_its_bound():
    calculator = Calculator()
    batch = [request("wait", [20 - n], n) for n in range(20)]
    replies = decoded(await post(served(calculator, batch_concurrency_max=4), batch))
    assert [reply["id"] for reply in replies] == list(range(20))
    assert [reply["result"] for reply in replies] == [20 - n for n in range(20)]
    assert calculator.most_in_progress == 4


async def test_a_fault_that_cannot_be_written_fails_its_own_call_alone():
    calculator = Calculator()
    data = calculator.values.codec(OVERDRAWN.data).type(missing=object())

    async def withdraw(call: Call) -> Reply:
        return Reply(fault=Fault.of("conflict", "not enough", name="Overdrawn", data=data))

    broken = msgspec.structs.replace(calculator.served, invokes={**calculator.served.invokes, "withdraw": withdraw})
    batch = [request("withdraw", {"amount": "1"}), request("subtract", [3, 1], id=2)]
    first, second = decoded(await post(PROTOCOL.server.serve([broken]), batch))
    assert (first["error"]["code"], first["error"]["data"]["kind"]) == (-32603, "internal")
    assert second["result"] == 2


async def test_an_output_that_cannot_be_written_fails_its_own_call_alone():
    endless: list[Any] = []
    endless.append(endless)
    calculator = Calculator()

    async def get_data(call: Call) -> Reply:
        return Reply(endless)

    broken = msgspec.structs.replace(calculator.served, invokes={**calculator.served.invokes, "get_data": get_data})
    batch = [request("get_data"), request("subtract", [3, 1], id=2)]
    first, second = decoded(await post(PROTOCOL.server.serve([broken]), batch))
    assert (first["error"]["code"], second["result"]) == (-32603, 2)


async def test_the_document_is_no_part_of_a_batch():
    discover = {"jsonrpc": "2.0", "method": "rpc.discover"}
    first, second = decoded(await post(served(), [{**discover, "id": 1}, discover, request("total", [1, 2, 3], 2)]))
    assert (first["error"]["code"], first["error"]["data"]["kind"]) == (-32013, "too_large")
    assert "alone" in first["error"]["message"]
    assert second["result"] == 6


async def test_what_has_not_begun_is_left_when_the_replies_are_too_long_together():
    calculator = Calculator()
    size = len(json.dumps({"jsonrpc": "2.0", "result": ["hello", 5], "id": 1}, separators=(",", ":")))
    exchange = served(calculator, batch_concurrency_max=1, reply_bytes_max=3 * size)
    batch = [request("get_data", id=number) for number in range(7)]
    batch[5] = {"jsonrpc": "2.0", "method": "calc.get_data"}
    replies = decoded(await post(exchange, [*batch, {"id": 7}]))
    assert [reply["id"] for reply in replies] == [0, 1, 2, 3, 4, 6, 7]
    assert [reply.get("result") for reply in replies[:4]] == [["hello", 5]] * 4
    assert [reply["error"]["code"] for reply in replies[4:]] == [-32013, -32013, -32600]
    assert len(calculator.calls) == 4


async def test_calls_that_have_begun_are_answered_however_long_the_replies_are():
    calculator = Calculator()
    exchange = served(calculator, batch_concurrency_max=3, reply_bytes_max=1)
    replies = decoded(await post(exchange, [request("wait", [n + 1], n) for n in range(9)]))
    assert [reply.get("result") for reply in replies] == [1, 2, 3, *[None] * 6]


@pytest.mark.parametrize("most", [3, 30])
async def test_a_request_that_is_none_is_told_as_many_issues_as_the_limits_say(most):
    reply = decoded(await post(served(issues_max=most), {f"x{n}": n for n in range(1000)}))
    assert len(reply["error"]["data"]["errors"]) == most


async def test_one_key_does_not_name_the_calls_of_a_batch():
    calculator = Calculator()
    await post(served(calculator), [request("get_data"), request("get_data")], (b"idempotency-key", b"k1"))
    assert [call.context.idempotency_key for call in calculator.calls] == ["", ""]
    assert all(call.context.meta.header(b"idempotency-key") is None for call in calculator.calls)
    assert calculator.calls[0].context is not calculator.calls[1].context


async def test_a_batch_may_be_as_long_as_the_limit_and_no_longer():
    exchange = served(batch_max=3)
    assert len(decoded(await post(exchange, [request("get_data")] * 3))) == 3
    reply = decoded(await post(exchange, [request("get_data")] * 4))
    assert (reply["error"]["code"], reply["id"]) == (-32013, None)
    assert "3 requests" in reply["error"]["message"]


async def test_a_batch_of_a_million_is_refused_before_any_of_it_is_read():
    calculator = Calculator()
    exchange = served(calculator, body_bytes_max=1 << 30)
    item = json.dumps(request("get_data")).encode()
    body = b"[" + b",".join([item] * 1_000_000) + b"]"
    tracemalloc.start()
    try:
        response = await post(exchange, body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert decoded(response)["error"]["code"] == -32013
    assert calculator.calls == []
    assert peak < 1 << 20


async def test_a_million_in_chunks_is_cut_off_at_the_body_limit():
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b"["
        for _ in range(1_000_000):
            sent += 1
            yield b'{"jsonrpc":"2.0","method":"calc.get_data"},'

    response = await served(body_bytes_max=1 << 16)(Request("POST", b"/jsonrpc", headers=[JSON], body=body()))
    assert response.status == 413
    assert sent < 2000


# Nothing but JSON-RPC comes out

ALMOST = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["2.0", "calc.subtract", "rpc.discover"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["jsonrpc", "method", "params", "id", "minuend", "x"]), inner, max_size=5)
        | st.fixed_dictionaries(
            {
                "jsonrpc": st.just("2.0"),
                "method": st.sampled_from(["calc.subtract", "calc.note", "calc.fail"]),
                "params": inner,
            },
            optional={"id": inner},
        )
    ),
    max_leaves=12,
)


def check_reply(reply: Any) -> None:
    assert reply.keys() in ({"jsonrpc", "result", "id"}, {"jsonrpc", "error", "id"})
    assert reply["jsonrpc"] == "2.0"
    assert not isinstance(reply["id"], list | dict | bool)
    if "error" in reply:
        assert isinstance(reply["error"]["code"], int)
        assert isinstance(reply["error"]["message"], str)


async def check_answer(body: bytes) -> None:
    response = await post(served(), body)
    if response.status == 204:
        assert response.body == b""
        return
    assert response.status == 200
    reply = decoded(response)
    for each in reply if isinstance(reply, list) else [reply]:
        check_reply(each)


@given(body=st.binary(max_size=100) | st.text(max_size=100).map(str.encode))
async def test_any_octets_are_answered_in_json_rpc(body):
    await check_answer(body)


@given(message=ALMOST)
async def test_any_json_is_answered_in_json_rpc(message):
    await check_answer(msgspec.json.encode(message))


@given(message=ALMOST, data=st.data())
async def test_any_damaged_json_is_answered_in_json_rpc(message, data):
    body = bytearray(msgspec.json.encode(message))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    await check_answer(bytes(body))
