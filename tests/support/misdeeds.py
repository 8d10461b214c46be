"""What upstreams do that they should not: the cases of `bad_upstream`, by name.

Answers to REST calls, and from `rpc-` on to JSON-RPC calls; `lines-` are streams.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from support.bad_upstream import Caller, Case

THING = b'{"id":1,"name":"x"}'
LINES = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\nconnection: close\r\n\r\n"
LINES_IN_CHUNKS = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
ANNOUNCED = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n"


def answer(
    body: bytes, status: str = "200 OK", media_type: str = "application/json", *lines: str, length: int | None = None
) -> bytes:
    """A response that says of itself what it is told to."""
    announced = len(body) if length is None else length
    first = [f"HTTP/1.1 {status}", f"content-type: {media_type}", f"content-length: {announced}", "connection: close"]
    return "\r\n".join([*first, *lines, "", ""]).encode("latin-1") + body


def stalling(octets: bytes) -> Callable[[Caller], Awaitable[None]]:
    """Sends this and no more."""

    async def case(caller: Caller) -> None:
        await caller.send(octets)
        await caller.gone()

    return case


def breaking(octets: bytes) -> Callable[[Caller], Awaitable[None]]:
    """Sends this and resets the connection."""

    async def case(caller: Caller) -> None:
        await caller.send(octets)
        await asyncio.sleep(0.05)
        caller.reset()

    return case


def endless(first: bytes, again: bytes, pause: float = 0) -> Callable[[Caller], Awaitable[None]]:
    """Goes on and on."""

    async def case(caller: Caller) -> None:
        await caller.send(first)
        while True:
            await caller.send(again)
            await asyncio.sleep(pause)

    return case


def result(value: bytes) -> Callable[[Caller], Awaitable[None]]:
    """A JSON-RPC response to the request that came."""

    async def case(caller: Caller) -> None:
        await caller.send(answer(b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (caller.id, value)))

    return case


async def reset(caller: Caller) -> None:
    caller.reset()


SILENT: dict[str, Case] = {
    "hangs": stalling(b""),
    "half-a-head": stalling(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"),
    "drips-headers": endless(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n", 0.05),
    "drips-a-body": endless(ANNOUNCED, b" ", 0.05),
    "stalls-in-a-body": stalling(ANNOUNCED + b'{"id":'),
    "only-interim": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),
}
"""They never come to an end: a timeout."""

BROKEN: dict[str, Case] = {
    "resets": reset,
    "closes": b"",
    "short": answer(THING, length=100),
    "resets-in-a-body": breaking(answer(THING, length=100)),
    "breaks-off-in-a-chunk": CHUNKED + b'5\r\n{"id"',
    "huge-announced": answer(b"", length=10**15),
    "garbage": b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
    "http-0-9": THING,
    "http-2": b"PRI * HTTP/2.0\r\n\r\n",
    "status-0": answer(THING, "0 X"),
    "status-999": answer(THING, "999 X"),
    "status-text": answer(THING, "abc"),
    "unasked-upgrade": b"HTTP/1.1 101 X\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    "length-and-chunks": CHUNKED[:-2] + b"content-length: 5\r\n\r\n0\r\n\r\n",
    "two-lengths": answer(THING, "200 OK", "application/json", "content-length: 6"),
    "negative-length": answer(THING, length=-5),
    "bad-chunk": CHUNKED + b"zz\r\n",
    "huge-chunk": CHUNKED + b"FFFFFFFFFFFFFFFFF\r\n",
    "nul-in-a-header": answer(THING, "200 OK", "application/json", "x: a\x00b"),
    "many-headers": answer(THING, "200 OK", "application/json", *(f"x{number}: y" for number in range(300))),
    "endless-headers": endless(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 1000),
    "endless-header": endless(b"HTTP/1.1 200 OK\r\nx: ", b"y" * 10_000),
}
"""No HTTP response."""

OUTSIDE: dict[str, Case] = {
    "wrong-type": answer(b'{"id":"x","name":"y"}'),
    "missing": answer(b'{"id":1}'),
    "too-long-a-text": answer(b'{"id":1,"name":"%b"}' % (b"x" * 200)),
    "null": answer(b"null"),
    "array": answer(b"[]"),
    "empty": answer(b""),
    "no-content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "not-modified": b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "redirect": answer(b"", "302 Found", "text/html", "location: http://127.0.0.1:1/"),
    "html": answer(b"<html>oops</html>", "200 OK", "text/html"),
    "html-as-json": answer(b"<html>"),
    "xml": answer(b"<a/>", "200 OK", "application/xml"),
    "compressed": answer(b"\x1f\x8b\x08", "200 OK", "application/json", "content-encoding: gzip"),
    "not-utf-8": answer(b'{"id":1,"name":"\xff"}'),
    "nan": answer(b'{"id":NaN,"name":"x"}'),
    "nan-in-text": answer(b'{"id":1,"name":"x","price":"NaN"}'),
    "huge-exponent": answer(b'{"id":1e999999999,"name":"x"}'),
    "endless-digits": answer(b'{"id":%b,"name":"x"}' % (b"9" * 100_000)),
    "deep": answer(b"[" * 100_000 + b"]" * 100_000),
    "deep-in-its-type": answer(b'{"id":1,"name":"x","parts":[' * 5000 + b"]}" * 5000),
    "huge": answer(b"[" + b"1," * 2_000_000 + b"1]"),
    "endless": endless(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n[", b"1," * 30_000),
    "endless-chunks": endless(CHUNKED, b"ea60\r\n" + b"1," * 30_000 + b"\r\n"),
}
"""HTTP responses that the contract does not know."""

ODD: dict[str, Case] = {
    "fine": answer(THING),
    "more-than-announced": answer(THING + b"x" * 50, length=len(THING)),
    "two-answers": answer(THING) * 2,
    "unlabelled": answer(THING, "200 OK", ""),
    "a-secret-more": answer(b'{"id":1,"name":"x","secret":1}'),
    "claims-to-be-ours": answer(
        THING, "200 OK", "application/json",
        "set-cookie: session=1", "x-entrepot-egress: UF", "x-entrepot-operation: x",
        "x-envoy-immediate-health-check-fail: 1",
    ),
}  # fmt: skip
"""Oddities that do no harm: the thing is understood."""

PROBLEMS: dict[str, Case] = {
    "404": answer(b"{}", "404 Not Found"),
    "404-not-utf-8": answer(b'{"kind":"not_found","detail":"\xff"}', "404 X"),
    "409-nonsense": answer(
        b'{"kind":"conflict","name":7,"errors":[1,{"pointer":5}],"retry_after":1e400,"data":{"a":1}}', "409 X"
    ),
    "409-deep": answer(b'{"kind":"conflict","data":%b%b}' % (b"[" * 100_000, b"]" * 100_000), "409 X"),
    "429-for-ever": answer(b"", "429 X", "text/plain", "retry-after: 99999999999999999999"),
    "500-html": answer(b"<html>a secret</html>", "500 X", "text/html"),
    "500-huge": answer(b'{"detail":"%b"}' % (b"x" * 3_000_000), "500 X"),
    "503-line-break": answer(b'{"kind":"unavailable","detail":"a\\r\\nx: y","retry_after":0.5}', "503 X"),
    "503-bad-date": answer(b"", "503 X", "text/plain", "retry-after: Mon, 99 Foo 2024"),
}  # fmt: skip
"""Error responses, most of them with something wrong inside; the name begins with the status."""

STREAMS: dict[str, Case] = {
    "lines-not-json": LINES + THING + b"\nx\n",
    "lines-of-another-type": LINES + THING + b'\n{"id":"x"}\n',
    "lines-not-utf-8": LINES + THING + b'\n{"id":1,"name":"\xff"}\n',
    "lines-too-deep": LINES + THING + b"\n" + b"[" * 50_000 + b"\n",
    "lines-resetting": breaking(LINES_IN_CHUNKS + b"14\r\n" + THING + b"\n\r\n"),
    "lines-fault-nonsense": LINES + THING + b'\n{"entrepot:fault":' + b"[" * 50_000 + b"}\n",
}
"""Streams whose first item is good, and that then break."""

ENDLESS_LINE: Case = endless(LINES, b"x" * 60_000)
ENDLESS_LINES: Case = endless(LINES, (THING + b"\n") * 1000)

RPC: dict[str, Case] = {
    "rpc-missing": result(b"{}"),
    "rpc-null": result(b"null"),
    "rpc-deep": result(b"[" * 100_000 + b"]" * 100_000),
    "rpc-huge-exponent": result(b'{"id":1e999999999,"name":"x"}'),
    "rpc-another-id": answer(b'{"jsonrpc":"2.0","id":999999,"result":{"id":1,"name":"x"}}'),
    "rpc-huge-id": answer(b'{"jsonrpc":"2.0","id":%b,"result":{}}' % (b"1" * 500_000)),
    "rpc-no-error-object": answer(b'{"jsonrpc":"2.0","id":null,"error":5}'),
    "rpc-huge-code": answer(b'{"jsonrpc":"2.0","id":null,"error":{"code":1e400,"message":5}}'),
    "rpc-batch": answer(b'[{"jsonrpc":"2.0","id":1,"result":1}]'),
    "rpc-result-and-error": result(b'1,"error":{"code":1,"message":"x"}'),
    "rpc-html": answer(b"<html>", "500 X", "text/html"),
    "rpc-not-utf-8": answer(b'{"jsonrpc":"2.0","id":1,"result":"\xff"}'),
    "rpc-huge": answer(b'{"jsonrpc":"2.0","id":1,"result":"%b"}' % (b"x" * 3_000_000)),
}
"""Answers of a JSON-RPC upstream outside its contract."""

MISDEEDS: dict[str, Case] = {
    **SILENT, **BROKEN, **OUTSIDE, **ODD, **PROBLEMS, **STREAMS, **RPC,
    "lines-endless-line": ENDLESS_LINE, "lines-endless": ENDLESS_LINES, "rpc-fine": result(THING),
}  # fmt: skip
