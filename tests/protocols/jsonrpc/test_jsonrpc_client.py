"""The client against upstreams that answer well, strangely, or outside their contract."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from importlib.metadata import version
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.kit.limits import Limits
from entrepot.model.call import Context, Reply
from entrepot.model.faults import Timeout
from entrepot.ports.exchange import Body, Request, Response
from entrepot.protocols.jsonrpc import PROTOCOL
from entrepot.shapes.values import Values
from support.calculator import Calculator

Answer = Callable[[Any], Body | str]


class Upstream:
    """Answers each request with what `answer` makes of its id."""

    def __init__(self, answer: Answer, status: int = 200) -> None:
        self.requests: list[Request] = []
        self._answer = answer
        self._status = status

    async def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        assert isinstance(request.body, bytes)
        body = self._answer(json.loads(request.body)["id"])
        return Response(self._status, [(b"x-own", b"1")], body.encode() if isinstance(body, str) else body)


async def subtract(answer: Answer, status: int = 200, **limits: int) -> Reply:
    calculator = Calculator()
    values = Values(calculator.service.types, limits=Limits(**limits))
    invokes = PROTOCOL.client.dial(calculator.service, values, Upstream(answer, status), "bank", "/rpc")
    return await invokes["subtract"](calculator.call("subtract", minuend=5, subtrahend=3))


def result(text: str) -> Answer:
    return lambda id: f'{{"jsonrpc":"2.0","result":{text},"id":{id}}}'


async def test_a_request_is_what_the_specification_asks_for():
    calculator, upstream = Calculator(), Upstream(result("2"))
    invokes = PROTOCOL.client.dial(calculator.service, calculator.values, upstream, "bank.egress", "/v1/rpc")
    call = calculator.call("subtract", minuend=5, subtrahend=3)
    call.context = Context(deadline=7.0, traceparent="00-a-b-01", idempotency_key="k")
    assert (await invokes["subtract"](call)).output == 2
    [request] = upstream.requests
    assert (request.method, request.path, request.deadline, request.idempotent) == ("POST", b"/v1/rpc", 7.0, True)
    assert dict(request.headers) == {
        b"host": b"bank.egress", b"content-type": b"application/json", b"accept": b"application/json",
        b"accept-encoding": b"identity", b"user-agent": f"entrepot/{version('entrepot')}".encode(),
        b"traceparent": b"00-a-b-01", b"idempotency-key": b"k",
    }  # fmt: skip
    assert isinstance(request.body, bytes)
    assert json.loads(request.body) == {
        "jsonrpc": "2.0", "method": "calc.subtract", "params": {"minuend": 5, "subtrahend": 3}, "id": 1,
    }  # fmt: skip


async def test_an_unsafe_call_is_not_to_be_repeated_and_ids_are_never_used_twice():
    calculator, upstream = Calculator(), Upstream(result("null"))
    invokes = PROTOCOL.client.dial(calculator.service, calculator.values, upstream, "bank")
    for _ in range(3):
        assert (await invokes["note"](calculator.call("note", text="x"))).fault is None
        await invokes["get_data"](calculator.call("get_data"))
    assert not any(request.idempotent for request in upstream.requests)
    assert upstream.requests[0].path == b"/"
    assert len({json.loads(request.body)["id"] for request in upstream.requests}) == 6  # type: ignore[arg-type]


async def test_an_absent_parameter_before_a_present_one_has_no_position():
    calculator, upstream = Calculator(), Upstream(result("null"))
    operation = calculator.operation("note")
    fields = tuple(msgspec.structs.replace(each, required=False) for each in operation.input.fields)
    operation = msgspec.structs.replace(
        operation,
        input=msgspec.structs.replace(operation.input, fields=fields),
        bindings={"jsonrpc": {"params": "by-position"}},
    )
    calculator.service = msgspec.structs.replace(calculator.service, operations=(operation,))
    invokes = PROTOCOL.client.dial(calculator.service, calculator.values, upstream, "bank")
    assert (await invokes["note"](calculator.call("note", text="x"))).fault is None
    assert (await invokes["note"](calculator.call("note"))).fault is None
    reply = await invokes["note"](calculator.call("note", by="me"))
    assert reply.fault is not None
    assert (reply.fault.kind, reply.fault.issues[0].pointer) == ("invalid", "/text")
    assert [json.loads(request.body)["params"] for request in upstream.requests] == [["x"], []]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "answer",
    [
        result("2"),
        lambda id: f' {{ "id" : {id}.0 , "result" : 2 , "jsonrpc" : "2.0" , "more" : [] }} ',
        lambda id: f'{{"jsonrpc":"2.0","result":2,"error":null,"id":{id}}}',
    ],
)  # fmt: skip
async def test_a_good_answer_may_be_written_in_several_ways(answer):
    reply = await subtract(answer)
    assert (reply.output, reply.fault) == (2, None)
    assert reply.meta is None, "what an upstream says to us in headers is not for whoever called"


BAD_ANSWERS: dict[str, Answer] = {
    "nothing": lambda id: "",
    "no JSON": lambda id: "<html>",
    "not UTF-8": lambda id: b'{"jsonrpc":"2.0","result":2,"id":%d,"x":"\xff"}' % id,
    "no object": lambda id: "[]",
    "no version": lambda id: f'{{"result":2,"id":{id}}}',
    "an old version": lambda id: f'{{"version":"1.1","result":2,"id":{id}}}',
    "another id": lambda id: f'{{"jsonrpc":"2.0","result":2,"id":{id + 1}}}',
    "the id as text": lambda id: f'{{"jsonrpc":"2.0","result":2,"id":"{id}"}}',
    "a null id": lambda id: '{"jsonrpc":"2.0","result":2,"id":null}',
    "no id": lambda id: '{"jsonrpc":"2.0","result":2}',
    "an error of another": lambda id: f'{{"jsonrpc":"2.0","error":{{"code":-32004,"message":"x"}},"id":{id + 1}}}',
    "result and error": lambda id: f'{{"jsonrpc":"2.0","result":2,"error":{{"code":1,"message":""}},"id":{id}}}',
    "neither": lambda id: f'{{"jsonrpc":"2.0","id":{id}}}',
    "an error without a code": lambda id: f'{{"jsonrpc":"2.0","error":{{"message":""}},"id":{id}}}',
    "an error that is text": lambda id: f'{{"jsonrpc":"2.0","error":"no","id":{id}}}',
    "a batch": lambda id: f'[{{"jsonrpc":"2.0","result":2,"id":{id}}}]',
    "depth": lambda id: '{"jsonrpc":"2.0","result":' + "[" * 100_000,
    "a result of the wrong type": result('"2"'),
    "a result in the wrong form": result("2.5"),
    "no result at all": result("null"),
}


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
async def test_an_answer_outside_the_contract_is_the_upstreams_failure(answer):
    reply = await subtract(answer)
    assert reply.fault is not None
    assert (reply.fault.kind, reply.fault.upstream) == ("upstream_failed", "bank")
    assert reply.fault.detail


async def test_a_result_that_does_not_fit_is_told_with_its_places():
    calculator = Calculator()
    output = calculator.values.codec(calculator.operation("get_data").output)
    assert output
    reply = await subtract(result('{"a":1}'))
    assert reply.fault is not None
    assert [issue.code for issue in reply.fault.issues] == ["type"]


@pytest.mark.parametrize("body", ["<html>", "", '{"error":"no"}'])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, "upstream_failed"), (400, "upstream_failed"), (401, "unauthenticated"), (403, "forbidden"),
        (404, "upstream_failed"), (405, "upstream_failed"), (407, "upstream_failed"), (408, "timeout"),
        (409, "upstream_failed"), (413, "too_large"), (422, "upstream_failed"), (429, "rate_limited"),
        (500, "upstream_failed"), (502, "upstream_failed"), (503, "unavailable"), (504, "timeout"),
        (520, "upstream_failed"),
    ],
)  # fmt: skip
async def test_without_an_answer_http_tells_what_is_true_of_any_call(status, kind, body):
    fault = (await subtract(lambda id: body, status)).fault
    assert fault is not None
    assert (fault.kind, str(status) in fault.detail) == (kind, True)
    assert fault.upstream == ("" if fault.row.blame == "caller" else "bank")


@pytest.mark.parametrize(("status", "kind"), [(429, "rate_limited"), (503, "unavailable")])
async def test_when_to_come_back_is_passed_on(status, kind):
    async def exchange(request: Request) -> Response:
        return Response(status, [(b"retry-after", b"7")], b"busy")

    calculator = Calculator()
    invokes = PROTOCOL.client.dial(calculator.service, calculator.values, exchange, "bank")
    fault = (await invokes["subtract"](calculator.call("subtract", minuend=3, subtrahend=1))).fault
    assert fault is not None
    assert (fault.kind, fault.retry_after) == (kind, 7.0)


async def test_an_answer_counts_whatever_its_status():
    """Some servers send errors with 4xx and 5xx; the specification knows no status."""
    answer = '{{"jsonrpc":"2.0","error":{{"code":-32004,"message":"none"}},"id":{}}}'
    reply = await subtract(lambda id: answer.format(id), 500)
    assert reply.fault is not None
    assert (reply.fault.kind, reply.fault.detail) == ("not_found", "none")


async def test_an_error_may_have_lost_its_id():
    reply = await subtract(lambda id: '{"jsonrpc":"2.0","error":{"code":-32602,"message":"?"},"id":null}')
    assert reply.fault is not None
    assert reply.fault.kind == "invalid"


async def test_an_answer_that_is_too_long_is_given_up():
    closed = False

    async def endless() -> AsyncIterator[bytes]:
        nonlocal closed
        try:
            while True:
                yield b" " * 1000
        finally:
            closed = True

    reply = await subtract(lambda id: endless(), reply_bytes_max=10_000)
    assert reply.fault is not None
    assert (reply.fault.kind, closed) == ("upstream_failed", True)


async def test_a_wire_without_an_answer_is_a_fault_of_the_reply():
    calculator = Calculator()

    async def dead(request: Request) -> Response:
        raise Timeout("too late", upstream="bank")

    invokes = PROTOCOL.client.dial(calculator.service, calculator.values, dead, "bank")
    reply = await invokes["get_data"](calculator.call("get_data"))
    assert reply.fault is not None
    assert (reply.fault.kind, reply.fault.upstream) == ("timeout", "bank")


@given(body=st.binary(max_size=60), whole=st.booleans())
async def test_any_answer_gives_a_reply(body, whole):
    reply = await subtract(lambda id: b'{"jsonrpc":"2.0","id":%d,%b}' % (id, body) if whole else body)
    assert (reply.fault is None) == (reply.output is not None)
    assert reply.fault is None or reply.fault.upstream == "bank" or reply.fault.row.blame == "caller"
