"""Bodies that are no JSON, or not the type, or meant to cost: over REST and JSON-RPC alike."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from support.attacked import API

MILLION = 1_000_000
NOT_JSON = {
    "cut off": b'{"name":',
    "a comment": b'{/*x*/"name":"a"}',
    "a comma too many": b'{"name":"a",}',
    "single quotes": b"{'name':'a'}",
    "NaN": b'{"ratio":NaN}',
    "Infinity": b'{"ratio":Infinity}',
    "minus Infinity": b'{"price":-Infinity}',
    "a plus": b'{"count":+1}',
    "a leading zero": b'{"count":01}',
    "hexadecimal": b'{"count":0x1}',
    "half a surrogate pair": b'{"name":"\\ud800"}',
    "a raw NUL": b'{"name":"a\x00b"}',
    "a raw line break": b'{"name":"a\nb"}',
    "UTF-16": '{"name":"a"}'.encode("utf-16"),
    "octets that are not UTF-8 outside texts": b'{"name":\xff}',
    "brackets that never close": b"[" * 500_000,
}


@pytest.mark.parametrize("text", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_what_is_no_json(attacked: Any, text: bytes) -> None:
    over_rest = attacked.request("POST", f"{API}/things", text)
    assert (over_rest.status, over_rest.kind, over_rest.places) == (400, "malformed", ["/thing"])
    error = attacked.rpc("target.echo", b'{"thing":%b}' % text).json()["error"]
    assert (error["code"] in (-32700, -32600), error["data"]["kind"]) == (True, "malformed")


NOT_TEXT = {
    "overlong UTF-8": (b'{"count":1,"name":"\xc0\xaf"}', ["/name"]),
    "half a letter": (b'{"anything":["a",{"b/c":"\xc3"}]}', ["/anything/1/b~1c"]),
    "a surrogate in UTF-8": (b'{"name":"\xed\xa0\x80"}', ["/name"]),
    "several": (b'{"name":"a\xff","labels":{"a":"","b":"\xfe"}}', ["/name", "/labels/b"]),
    "a name": (b'{"na\xffme":1}', ["/na\ufffdme"]),
    "a text and a number without end": (b'{"count":%b,"name":"\xff"}' % (b"9" * 5000), ["/name"]),
}


@pytest.mark.parametrize(("text", "places"), NOT_TEXT.values(), ids=NOT_TEXT.keys())
def test_what_is_not_utf_8(attacked: Any, text: bytes, places: list[str]) -> None:
    over_rest = attacked.request("POST", f"{API}/things", text)
    assert (over_rest.status, over_rest.kind) == (400, "malformed")
    assert over_rest.places == [f"/thing{place}" for place in places]
    assert {issue["code"] for issue in over_rest.json()["errors"]} == {"encoding"}
    # JSON-RPC cannot read any of the message, its id included.
    error = attacked.rpc("target.echo", b'{"thing":%b}' % text).json()["error"]
    assert (error["code"], error["data"]["kind"]) == (-32700, "malformed")


def test_what_follows_the_json(attacked: Any) -> None:
    for text in (b"{} {}", b"\xef\xbb\xbf{}", b"{}\x00"):
        assert attacked.request("POST", f"{API}/things", text).kind == "malformed"
        call = b'{"jsonrpc":"2.0","id":1,"method":"target.echo","params":{"thing":{}}}'
        assert attacked.request("POST", "/jsonrpc", text.replace(b"{}", call)).json()["error"]["code"] == -32700


MALFORMED = {
    "a name twice": (b'{"name":"a","name":"b"}', "/name", "duplicate"),
    "a name twice, once escaped": (b'{"name":"a","n\\u0061me":"b"}', "/name", "duplicate"),
    "a name twice, far inside": (b'{"anything":{"a":[{"b":1,"b":2}]}}', "/anything/a/0/b", "duplicate"),
    "too deep": (b'{"anything":%b%b}' % (b"[" * 70, b"]" * 70), "", "depth"),
    "far too deep": (b'{"anything":%b%b}' % (b'{"a":' * 900 + b"1", b"}" * 900), "", "depth"),
    "deep many times over": (b'{"anything":[%b[]]}' % ((b"[" * 900 + b"]" * 900 + b",") * 500), "", "depth"),
}


@pytest.mark.parametrize(("text", "place", "code"), MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_json_that_two_could_read_differently_or_nobody_can_hold(
    attacked: Any, text: bytes, place: str, code: str
) -> None:
    over_rest = attacked.request("POST", f"{API}/things", text)
    [issue] = over_rest.json()["errors"]
    assert (over_rest.status, over_rest.kind) == (400, "malformed")
    assert (issue["pointer"], issue["code"]) == (f"/thing{place}", code)
    [issue] = attacked.rpc("target.echo", b'{"thing":%b}' % text).json()["error"]["data"]["errors"]
    assert (issue["pointer"], issue["code"]) == (f"/thing{place}" if place else "", code)


INVALID = {
    "an array": (b"[]", "", "type"),
    "null": (b"null", "", "null"),
    "text": (b'"a"', "", "type"),
    "an unknown name": (b'{"nmae":"a"}', "/nmae", "unknown"),
    "an empty name": (b'{"":1}', "/", "unknown"),
    "a name of Python's": (b'{"__class__":1}', "/__class__", "unknown"),
    "a number for text": (b'{"name":1}', "/name", "type"),
    "text for a number": (b'{"count":"1"}', "/count", "type"),
    "true for a number": (b'{"count":true}', "/count", "type"),
    "a fraction for an integer": (b'{"count":1.5}', "/count", "type"),
    "digits without end": (b'{"count":%b}' % (b"9" * 500_000), "/count", "number_form"),
    "as many as Python makes an integer of": (b'{"count":%b}' % (b"9" * 4300), "/count", "number_form"),
    "digits without end in a float": (b'{"ratio":%b}' % (b"9" * 5000), "/ratio", "number_form"),
    "digits without end far inside": (b'{"anything":[{"a":-%b}]}' % (b"9" * 5000), "/anything/0/a", "number_form"),
    "an exponent that no number has": (b'{"anything":-1e%b}' % (b"9" * 50), "/anything", "number_form"),
    "an integer that fills the memory": (b'{"count":1e999999999}', "/count", "number_form"),
    "null for a number": (b'{"count":null}', "/count", "null"),
    "a number out of range": (b'{"small":128}', "/small", "range"),
    "a float too large": (b'{"ratio":1e999}', "/ratio", "number_form"),
    "an exponent that fills the memory": (b'{"anything":1e999999999}', "/anything", "number_form"),
    "the same in a decimal": (b'{"price":"1e999999999"}', "/price", "number_form"),
    "an exponent no decimal has": (b'{"price":"1E+99999999999999999999"}', "/price", "number_form"),
    "a decimal that is not a number": (b'{"price":"NaN"}', "/price", "number_form"),
    "a decimal that signals": (b'{"price":"sNaN"}', "/price", "number_form"),
    "an infinite decimal": (b'{"price":"-Infinity"}', "/price", "number_form"),
    "a decimal with underscores": (b'{"price":"1_0"}', "/price", "number_form"),
    "a decimal in other digits": ('{"price":"١٢"}'.encode(), "/price", "number_form"),
    "a decimal without end": (b'{"price":"%b"}' % (b"9" * 900_000), "/price", "number_form"),
    "a fraction without end": (b'{"anything":0.%b}' % (b"1" * 900_000), "/anything", "number_form"),
    "nanoseconds": (b'{"at":"2024-01-01T00:00:00.123456789Z"}', "/at", "format"),
    "a leap second": (b'{"at":"2024-06-30T23:59:60Z"}', "/at", "format"),
    "an offset that is none": (b'{"at":"2024-01-01T00:00:00+99:99"}', "/at", "format"),
    "the year 0": (b'{"day":"0000-01-01"}', "/day", "format"),
    "the 30th of February": (b'{"day":"2024-02-30"}', "/day", "format"),
    "a duration past all years": (b'{"pause":"P999999999999D"}', "/pause", "format"),
    "a duration finer than microseconds": (b'{"pause":"PT0.1234567891S"}', "/pause", "format"),
    "a value not listed": (b'{"kind":"c"}', "/kind", "enum"),
    "no base64": (b'{"content":"***"}', "/content", "encoding"),
    "far inside": (b'{"tree":{"name":"a","children":[{"name":"b"},{}]}}', "/tree/children/1/name", "missing"),
    "text too long": (b'{"name":"%b"}' % (b"a" * 1001), "/name", "length"),
    "a pattern's nightmare": (b'{"code":"%b!"}' % (b"a" * 499), "/code", "pattern"),
}


@pytest.mark.parametrize(("text", "place", "code"), INVALID.values(), ids=INVALID.keys())
def test_what_is_not_of_the_type(attacked: Any, text: bytes, place: str, code: str) -> None:
    over_rest = attacked.request("POST", f"{API}/things", text)
    error = attacked.rpc("target.echo", b'{"thing":%b}' % text).json()["error"]
    told = [(issue["pointer"], issue["code"]) for issue in over_rest.json()["errors"]]
    assert (over_rest.status, over_rest.kind, told) == (422, "invalid", [(f"/thing{place}", code)])
    assert (error["code"], error["data"]["errors"]) == (-32602, over_rest.json()["errors"])


def test_everything_wrong_is_told_at_once_and_no_more_than_allowed(attacked: Any) -> None:
    text = b'{"name":1,"count":"x","small":999,"kind":"c","labels":[],"numbers":{},"tree":{"name":1},"content":"*"}'
    assert len(attacked.request("POST", f"{API}/things", text).places) == 8
    wrong = b'{"numbers":[%b"x"]}' % (b'"x",' * 200_000)
    assert len(attacked.request("POST", f"{API}/things", wrong).places) == 20


def test_what_is_exact_stays_exact(attacked: Any) -> None:
    text = (
        b'{"count":9223372036854775808123,"price":"0.10000000000000000000000000000001",'
        b'"at":"2024-01-01T00:00:00.123456Z","anything":{"a":[1e2,0.1,12345678901234567890123]},"name":"a\\u0000b"}'
    )
    answer = attacked.request("POST", f"{API}/things", text)
    exact = (b"9223372036854775808123", b"0.10000000000000000000000000000001", b".123456Z", b"12345678901234567890123")
    for kept in exact:
        assert kept in answer.body
    assert answer.json()["name"] == "a\0b"
    assert answer.json() == attacked.rpc("target.echo", b'{"thing":%b}' % text).json()["result"]


COSTLY = {
    "names": b'{"labels":{%b"x":""}}' % b"".join(b'"k%d":"",' % number for number in range(60_000)),
    "unknown names": b'{%b"x":1}' % b"".join(b'"k%d":1,' % number for number in range(80_000)),
    "numbers": b'{"numbers":[%b1]}' % (b"1," * 400_000),
    "numbers whose hashes collide": b'{"distinct":[%b1]}'
    % b"".join(b"%d," % (number * (2**61 - 1)) for number in range(1, 35_000)),
    "names whose hashes collide": b'{"by_number":{%b"1":1}}'
    % b"".join(b'"%d":1,' % (number * (2**61 - 1)) for number in range(1, 35_000)),
    "UUIDs whose hashes collide": b'{"by_id":{%b"00000000-0000-0000-0000-000000000000":1}}'
    % b"".join(b'"%b":1,' % str(uuid.UUID(int=number * (2**61 - 1))).encode() for number in range(1, 22_000)),
    "floats": b'{"anything":[%b1]}' % (b"1.5," * 200_000),
    "decimals": b'{"anything":[%b1]}' % (b"1e900," * 150_000),
    "brackets": b'{"anything":[%b[]]}' % ((b"[" * 60 + b"]" * 60 + b",") * 8000),
    "escapes": b'{"anything":["%b"]}' % (b"\\u003a" * 170_000),
    "a wide tree": b'{"tree":{"name":"a","children":[%b{"name":"b"}]}}' % (b'{"name":"b"},' * 70_000),
}


@pytest.mark.parametrize("text", COSTLY.values(), ids=COSTLY.keys())
def test_a_megabyte_that_is_meant_to_cost(attacked: Any, text: bytes) -> None:
    """Whether it is taken or refused: the answer comes, before any timeout."""
    assert len(text) < 1024 * 1024
    assert attacked.request("POST", f"{API}/things", text).status in (200, 400, 422)
    assert attacked.rpc("target.echo", b'{"thing":%b}' % text).status == 200


@pytest.mark.parametrize("union", ["eithers", "others"])
@pytest.mark.parametrize("depth", [0, 5, 60])
def test_unions_in_unions(attacked: Any, union: str, depth: int) -> None:
    """One is kept as JSON Schema, one is typed. Each arm tried at each depth anew would take for ever."""
    for leaf, status in ((b'{"right":1}', 200), (b'{"neither":1}', 422)):
        text = b'{"inner":' * depth + leaf + b"}" * depth
        assert attacked.request("POST", f"/api/things/v1/{union}/fine", text).status == status


# JSON-RPC's own envelope


ENVELOPES = {
    "nothing": (b"", -32700),
    "an empty batch": (b"[]", -32600),
    "null": (b"null", -32600),
    "a number": (b"1", -32600),
    "no version": (b'{"id":1,"method":"target.plain"}', -32600),
    "another version": (b'{"jsonrpc":"1.0","id":1,"method":"target.plain"}', -32600),
    "an unknown member": (b'{"jsonrpc":"2.0","id":1,"method":"target.plain","parms":{}}', -32600),
    "a method twice": (b'{"jsonrpc":"2.0","id":1,"method":"a","method":"target.plain"}', -32600),
    "an id twice": (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"target.plain"}', -32600),
    "an object for an id": (b'{"jsonrpc":"2.0","id":{},"method":"target.plain"}', -32600),
    "text for params": (b'{"jsonrpc":"2.0","id":1,"method":"target.plain","params":"a"}', -32600),
    "a number for a method": (b'{"jsonrpc":"2.0","id":1,"method":7}', -32600),
    "a method of Python's": (b'{"jsonrpc":"2.0","id":1,"method":"__init__"}', -32601),
    "a method half a megabyte long": (b'{"jsonrpc":"2.0","id":1,"method":"%b"}' % (b"a" * 500_000), -32601),
    "a deep id": (b'{"jsonrpc":"2.0","id":%b%b,"method":"x"}' % (b"[" * 300_000, b"]" * 300_000), -32700),
    "an id that is not UTF-8": (b'{"jsonrpc":"2.0","id":"\xff","method":"x"}', -32700),
    "too many params": (b'{"jsonrpc":"2.0","id":1,"method":"target.key","params":[%b1]}' % (b"1," * 400_000), -32602),
    "a batch too long": (b"[%b1]" % (b'{"jsonrpc":"2.0","method":"x"},' * 100), -32013),
    "a batch of half a million": (b"[%b1]" % (b"1," * 500_000), -32013),
    "a batch of many objects": (b"[%b{}]" % (b"{}," * 300_000), -32013),
    "a batch that breaks off": (b'[{"jsonrpc":"2.0","id":1,"method":"target.plain"},', -32700),
    "a batch without end": (b"[" * MILLION, -32700),
    "a deep batch": (b"[" * 400_000 + b"]" * 400_000, -32700),
}


@pytest.mark.parametrize(("text", "code"), ENVELOPES.values(), ids=ENVELOPES.keys())
def test_what_is_no_request_object(attacked: Any, text: bytes, code: int) -> None:
    answer = attacked.request("POST", "/jsonrpc", text)
    error = answer.json()["error"]
    assert code in (error["code"], answer.status)
    assert error["data"]["trace_id"]


def test_a_batch_of_a_million(attacked: Any) -> None:
    answer = attacked.request("POST", "/jsonrpc", b"[%b1]" % (b"1," * MILLION))
    assert (answer.status, answer.kind) == (413, "too_large")


def test_a_batch_of_bad_ones_among_good_ones(attacked: Any) -> None:
    good = b'{"jsonrpc":"2.0","id":%d,"method":"target.key","params":["%d"]}'
    items = [b"1", b"[]", b"{}", b'{"jsonrpc":"2.0","id":"x","method":"none"}', *(good % (n, n) for n in range(50))]
    answers = attacked.request("POST", "/jsonrpc", b"[%b]" % b",".join(items)).json()
    assert [answer["error"]["code"] for answer in answers[:4]] == [-32600, -32600, -32600, -32601]
    assert [answer["result"] for answer in answers[4:]] == [str(number) for number in range(50)]


def test_a_batch_of_documents(attacked: Any) -> None:
    answer = attacked.request("POST", "/jsonrpc", [{"jsonrpc": "2.0", "id": 1, "method": "rpc.discover"}] * 100)
    assert {each["error"]["code"] for each in answer.json()} == {-32013}
    assert len(answer.body) < 100_000


def test_a_batch_whose_replies_are_long(attacked: Any) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "target.long", "params": {"length": MILLION}}
    answer = attacked.request("POST", "/jsonrpc", [call] * 100)
    answered = [len(each["result"]) for each in answer.json() if "result" in each]
    assert answered == [MILLION] * len(answered)
    assert 2 <= len(answered) <= 2 + 16
    assert {each["error"]["code"] for each in answer.json() if "error" in each} == {-32013}


def test_an_id_comes_back_as_it_went(attacked: Any) -> None:
    for id in (b"9" * 5000, b"1e999", b"1.0", b'"\\u0000"', b"null", b"-0"):
        answer = attacked.request("POST", "/jsonrpc", b'{"jsonrpc":"2.0","id":%b,"method":"none"}' % id)
        assert answer.body.endswith(b'"id":%b}' % id)
