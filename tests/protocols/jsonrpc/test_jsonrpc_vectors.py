# ruff: noqa: E501 – a vector is easier to read on one line
"""Requests and what must come back, as data: the situations of the specification's §7 and their neighbours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from entrepot.http.bodies import read
from entrepot.ports.exchange import Request, Response
from entrepot.protocols.jsonrpc import PROTOCOL
from entrepot.wire.memory import memory_wire, octets
from support.calculator import Calculator

PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603


def result(value: Any, id: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "result": value, "id": id}


def error(code: int, id: Any = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "error": code, "id": id}


VECTORS: dict[str, tuple[str, Any]] = {
    # Calls
    "positions": ('{"jsonrpc": "2.0", "method": "calc.subtract", "params": [42, 23], "id": 1}', result(19, 1)),
    "positions, the other way": ('{"jsonrpc": "2.0", "method": "calc.subtract", "params": [23, 42], "id": 2}', result(-19, 2)),
    "names": (
        '{"jsonrpc": "2.0", "method": "calc.subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}', result(19, 3)),
    "names, the other way": (
        '{"jsonrpc": "2.0", "method": "calc.subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}', result(19, 4)),
    "members in any order": ('{"id": 5, "params": [5, 4], "method": "calc.subtract", "jsonrpc": "2.0"}', result(1, 5)),
    "space around everything": (
        ' \n{ "jsonrpc" : "2.0" ,\t"method" : "calc.subtract" , "params" : [ 5 , 4 ] , "id" : 5 } \r\n', result(1, 5)),
    "params left out": ('{"jsonrpc": "2.0", "method": "calc.get_data", "id": "9"}', result(["hello", 5], "9")),
    "params empty, by name": ('{"jsonrpc": "2.0", "method": "calc.get_data", "params": {}, "id": 1}', result(["hello", 5], 1)),
    "params empty, by position": ('{"jsonrpc": "2.0", "method": "calc.get_data", "params": [], "id": 1}', result(["hello", 5], 1)),
    "nothing to return": ('{"jsonrpc": "2.0", "method": "calc.update", "params": [1,2,3,4,5], "id": 1}', result(None, 1)),
    "a position left out": ('{"jsonrpc": "2.0", "method": "calc.note", "params": ["x"], "id": 1}', result(None, 1)),
    "null is not left out": ('{"jsonrpc": "2.0", "method": "calc.note", "params": ["x", null], "id": 1}', result(None, 1)),
    "the id is null": ('{"jsonrpc": "2.0", "method": "calc.get_data", "id": null}', result(["hello", 5], None)),
    "an id like a member's name": ('{"jsonrpc": "2.0", "method": "calc.get_data", "id": "method"}', result(["hello", 5], "method")),
    "a name with an escape": (
        '{"jsonrpc": "2.0", "method": "calc.subtract", "p\\u0061rams": [2, 1], "id": 1}', result(1, 1)),
    # Notifications
    "a notification": ('{"jsonrpc": "2.0", "method": "calc.update", "params": [1,2,3,4,5]}', None),
    "a notification of nothing known": ('{"jsonrpc": "2.0", "method": "foobar"}', None),
    "a notification that does not fit": ('{"jsonrpc": "2.0", "method": "calc.subtract", "params": ["x"]}', None),
    "a notification that fails": ('{"jsonrpc": "2.0", "method": "calc.fail", "params": ["conflict"]}', None),
    # Errors
    "no such method": ('{"jsonrpc": "2.0", "method": "foobar", "id": "1"}', error(NO_METHOD, "1")),
    "broken JSON": ('{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]', error(PARSE_ERROR)),
    "nothing": ("", error(PARSE_ERROR)),
    "a method that is no name": ('{"jsonrpc": "2.0", "method": 1, "params": "bar"}', error(INVALID_REQUEST)),
    "params of the wrong kind": ('{"jsonrpc": "2.0", "method": "calc.get_data", "params": "bar", "id": 1}', error(INVALID_REQUEST, 1)),
    "params null": ('{"jsonrpc": "2.0", "method": "calc.get_data", "params": null, "id": 1}', error(INVALID_REQUEST, 1)),
    "another version": ('{"jsonrpc": "1.0", "method": "calc.get_data", "id": 1}', error(INVALID_REQUEST, 1)),
    "a version that is a number": ('{"jsonrpc": 2.0, "method": "calc.get_data", "id": 1}', error(INVALID_REQUEST, 1)),
    "no version": ('{"method": "calc.get_data", "id": 1}', error(INVALID_REQUEST, 1)),
    "no method": ('{"jsonrpc": "2.0", "id": 1}', error(INVALID_REQUEST, 1)),
    "a misspelt member": ('{"jsonrpc": "2.0", "method": "calc.get_data", "parms": [], "id": 1}', error(INVALID_REQUEST, 1)),
    "an id that is an object": ('{"jsonrpc": "2.0", "method": "calc.get_data", "id": {}}', error(INVALID_REQUEST)),
    "an id that is an array": ('{"jsonrpc": "2.0", "method": "calc.get_data", "id": [1]}', error(INVALID_REQUEST)),
    "an id that is true": ('{"jsonrpc": "2.0", "method": "calc.get_data", "id": true}', error(INVALID_REQUEST)),
    "two ids": ('{"jsonrpc": "2.0", "method": "calc.get_data", "id": 1, "id": 2}', error(INVALID_REQUEST)),
    "two ids, one in disguise": ('{"jsonrpc": "2.0", "method": "calc.get_data", "id": 1, "\\u0069d": 2}', error(INVALID_REQUEST)),
    "two methods": ('{"jsonrpc": "2.0", "method": "calc.get_data", "method": "calc.lie", "id": 1}', error(INVALID_REQUEST, 1)),
    "params twice": (
        '{"jsonrpc": "2.0", "method": "calc.subtract", "params": [1, 2], "params": [2, 1], "id": 1}', error(INVALID_REQUEST, 1)),
    "a parameter twice": (
        '{"jsonrpc": "2.0", "method": "calc.subtract", "params": {"minuend": 1, "minuend": 2, "subtrahend": 1}, "id": 1}',
        error(INVALID_REQUEST, 1)),
    "a number": ("7", error(INVALID_REQUEST)),
    "a string": ('"subtract"', error(INVALID_REQUEST)),
    "too few positions": ('{"jsonrpc": "2.0", "method": "calc.subtract", "params": [1], "id": 1}', error(INVALID_PARAMS, 1)),
    "too many positions": ('{"jsonrpc": "2.0", "method": "calc.subtract", "params": [1, 2, 3], "id": 1}', error(INVALID_PARAMS, 1)),
    "a parameter too many": (
        '{"jsonrpc": "2.0", "method": "calc.subtract", "params": {"minuend": 1, "subtrahend": 1, "x": 1}, "id": 1}',
        error(INVALID_PARAMS, 1)),
    "a parameter of the wrong type": (
        '{"jsonrpc": "2.0", "method": "calc.subtract", "params": {"minuend": "1", "subtrahend": 1}, "id": 1}',
        error(INVALID_PARAMS, 1)),
    "an output outside its type": ('{"jsonrpc": "2.0", "method": "calc.lie", "id": 1}', error(INTERNAL, 1)),
    # Batches
    "an empty batch": ("[]", error(INVALID_REQUEST)),
    "a batch of nonsense": ("[1]", [error(INVALID_REQUEST)]),
    "a batch of more nonsense": ("[1, 2, 3]", [error(INVALID_REQUEST)] * 3),
    "a broken batch": (
        '[{"jsonrpc": "2.0", "method": "calc.sum", "params": [1,2,4], "id": "1"}, {"jsonrpc": "2.0", "method"', error(PARSE_ERROR)),
    "a batch of everything": (
        """[{"jsonrpc": "2.0", "method": "calc.total", "params": [1,2,4], "id": "1"},
            {"jsonrpc": "2.0", "method": "calc.update", "params": [7,7,7,7,7]},
            {"jsonrpc": "2.0", "method": "calc.subtract", "params": [42,23], "id": "2"},
            {"foo": "boo"},
            {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
            {"jsonrpc": "2.0", "method": "calc.get_data", "id": "9"}]""",
        [result(7, "1"), result(19, "2"), error(INVALID_REQUEST), error(NO_METHOD, "5"), result(["hello", 5], "9")]),
    "a batch of notifications": (
        '[{"jsonrpc": "2.0", "method": "calc.update", "params": [1,2,4,4,4]}, {"jsonrpc": "2.0", "method": "calc.get_data"}]', None),
    "a batch in a batch": ('[[{"jsonrpc": "2.0", "method": "calc.get_data", "id": 1}]]', [error(INVALID_REQUEST)]),
}  # fmt: skip


def normal(reply: Any) -> Any:
    """A reply whose error is only its code."""
    if isinstance(reply, list):
        return [normal(each) for each in reply]
    if isinstance(reply, dict) and "error" in reply:
        assert reply["error"]["message"]
        return reply | {"error": reply["error"]["code"]}
    return reply


@pytest.mark.parametrize(("sent", "expected"), VECTORS.values(), ids=VECTORS)
@pytest.mark.parametrize("chunking", [None, octets], ids=["whole", "octet by octet"])
async def test_a_request_gives_its_reply(sent, expected, chunking):
    exchange = memory_wire(PROTOCOL.server.serve([Calculator().served]), chunking)
    headers = [(b"content-type", b"application/json")]
    response: Response = await exchange(Request("POST", b"/jsonrpc", headers=headers, body=sent.encode()))
    body = await read(response.body, 1 << 20)
    if expected is None:
        assert (response.status, body) == (204, b"")
    else:
        assert response.status == 200
        assert normal(json.loads(body)) == expected


@pytest.mark.parametrize(
    "id", ["1.0", "1e2", "-0", "123456789012345678901234567890123456789012", "1.10", '"\\u00e4"', '"ä"', '""', "null"]
)
async def test_an_id_comes_back_letter_by_letter(id):
    exchange = PROTOCOL.server.serve([Calculator().served])
    headers = [(b"content-type", b"application/json")]
    for method in ("calc.get_data", "calc.none"):
        sent = f'{{"jsonrpc":"2.0","method":"{method}","id": {id} }}'
        response = await exchange(Request("POST", b"/jsonrpc", headers=headers, body=sent.encode()))
        assert isinstance(response.body, bytes)
        assert response.body.endswith(b',"id":' + id.encode() + b"}")
