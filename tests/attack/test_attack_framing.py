"""Where a request ends: whatever the edge makes of it, the worker sees the same, and never one request more."""

from __future__ import annotations

from typing import Any

import pytest

from support.attacked import API

SMUGGLED = f"GET {API}/keys/smuggled HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
POST = f"POST {API}/things HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n".encode()

AMBIGUOUS = [
    [b"Content-Length: 2", b"Transfer-Encoding: chunked"],
    [b"Transfer-Encoding: chunked", b"Content-Length: 2"],
    [b"Content-Length: 2", b"Content-Length: 3"],
    [b"Content-Length: 2, 3"],
    [b"Content-Length: +2"],
    [b"Content-Length: -2"],
    [b"Content-Length: 0x2"],
    [b"Content-Length: 2 2"],
    [b"Content-Length: 2.0"],
    [b"Content-Length:"],
    [b"Content-Length : 2"],
    [b"Content-Length\x00: 2"],
    [b"Content_Length: 2"],
    [b"Content-Length: 18446744073709551618"],
    [b"Transfer-Encoding: identity"],
    [b"Transfer-Encoding: xchunked"],
    [b"Transfer-Encoding: chunked, identity"],
    [b"Transfer-Encoding: identity, chunked"],
    [b"Transfer-Encoding: gzip, chunked"],
    [b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"],
    [b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"],
    [b"Transfer-Encoding : chunked"],
    [b"Transfer-Encoding:\x0bchunked"],
    [b"Transfer-Encoding: \x00chunked"],
    [b'Transfer-Encoding: "chunked"'],
    [b"Transfer_Encoding: chunked"],
    [b"X: y\r\n Transfer-Encoding: chunked", b"Content-Length : 2"],
    [b"X: a\x00b"],
    [b"X y: 1"],
    [b": 1"],
    [b"\xff: 1"],
    [b"X"],
]


@pytest.mark.parametrize("lines", AMBIGUOUS, ids=lambda lines: b" | ".join(lines).decode("latin-1").strip())
def test_a_body_whose_end_is_in_doubt(attacked: Any, lines: list[bytes]) -> None:
    """Refused, and the connection with it: what follows is never read as a request."""
    answers = attacked.send_all(POST + b"\r\n".join(lines) + b"\r\n\r\n0\r\n\r\n" + SMUGGLED)
    assert [answer.status for answer in answers] in ([400], [501])
    assert answers[0].headers["content-type"] == "application/problem+json"


CHUNKS = {
    "no number": b"zz\r\n{}\r\n0\r\n\r\n",
    "a negative size": b"-2\r\n{}\r\n0\r\n\r\n",
    "a prefix": b"0x2\r\n{}\r\n0\r\n\r\n",
    "a size past 64 bits": b"10000000000000002\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than said": b"1\r\n{}\r\n0\r\n\r\n",
    "a chunk shorter than said": b"3\r\n{}\r\n0\r\n\r\n",
    "bare line feeds": b"2\n{}\n0\n\n",
    "a line feed after the size": b"2\n{}\r\n0\r\n\r\n",
    "a line feed after the data": b"2\r\n{}\n0\r\n\r\n",
    "a carriage return after the size": b"2\r{}\r\n0\r\n\r\n",
    "a trailer that is no header": b"2\r\n{}\r\n0\r\nX\r\n\r\n",
    "a comma in the size": b"2,0\r\n{}\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("body", CHUNKS.values(), ids=CHUNKS.keys())
def test_chunks_that_are_none(attacked: Any, body: bytes) -> None:
    """Either refused, or the chunks end where the edge says; nothing after a refusal is answered."""
    answers = attacked.send_all(POST + b"Transfer-Encoding: chunked\r\n\r\n" + body + SMUGGLED)
    assert [answer.status for answer in answers] == [400]


ACCEPTED = {
    "a length": (b"Content-Length: 2\r\n\r\n", b"{}"),
    "a length twice the same": (b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n", b"{}"),
    "leading zeros": (b"Content-Length: 0002\r\n\r\n", b"{}"),
    "chunks": (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"),
    "chunks in capitals": (b"TRANSFER-ENCODING: CHUNKED\r\n\r\n", b"2\r\n{}\r\n0\r\n\r\n"),
    "a folded header": (b"Transfer-Encoding:\r\n chunked\r\n\r\n", b"2\r\n{}\r\n0\r\n\r\n"),
    "chunk extensions": (b"Transfer-Encoding: chunked\r\n\r\n", b'2;a="b;c"\r\n{}\r\n0;x\r\n\r\n'),
    "a long chunk extension": (b"Transfer-Encoding: chunked\r\n\r\n", b"2;" + b"a" * 10_000 + b"\r\n{}\r\n0\r\n\r\n"),
    "a padded size": (b"Transfer-Encoding: chunked\r\n\r\n", b"0002\r\n{}\r\n000\r\n\r\n"),
    "trailers": (
        b"Trailer: Content-Length\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"2\r\n{}\r\n0\r\nContent-Length: 50\r\nX-Entrepot-Principal: admin\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
}


@pytest.mark.parametrize(("lines", "body"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_the_next_request_begins_where_the_body_ends(attacked: Any, lines: bytes, body: bytes) -> None:
    """If the edge takes it at all, worker and edge agree: two requests, two answers, in order."""
    first, *others = attacked.send_all(POST + lines + body + SMUGGLED)
    if first.status == 200:
        assert [answer.json() for answer in others] == ["smuggled"]
    else:
        assert (first.status, others) == (400, [])


@pytest.mark.parametrize("target", ["things", "/jsonrpc", "/old/x", "/through/fine"])
def test_a_request_inside_a_body_is_a_body(attacked: Any, target: str) -> None:
    path = target if target.startswith("/") else f"{API}/{target}"
    whole = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n".encode()
    sized = whole + b"Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED
    in_chunks = whole + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)
    for octets in (sized, in_chunks):
        answer = attacked.send(octets.replace(b"Host: a\r\nContent", b"Host: a\r\nConnection: close\r\nContent"))
        assert b"smuggled" not in answer.body


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nHost: ,\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\n\r\n", 426), (b"GET /\r\n\r\n", 426), (b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", 426),
        (b"GET / x HTTP/1.1\r\nHost: a\r\n\r\n", 400), (b"GET / HTTP/1.1x\r\nHost: a\r\n\r\n", 400),
        (b"\r\n" * 1000 + b"x\r\n\r\n", 400), (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", None),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", 400), (b"\x00" * 100_000, 400), (b"SSH-2.0-x\r\n\r\n", 400),
    ],
)  # fmt: skip
def test_what_is_no_request(attacked: Any, octets: bytes, status: int | None) -> None:
    with attacked.connect() as connection:
        try:
            connection.sendall(octets)
            first = connection.recv(65_536)
        except ConnectionError:
            first = b""
    if status is not None:
        assert first.startswith(b"HTTP/1.1 %d" % status)
    assert b"Traceback" not in first


def test_an_upgrade_is_not_taken(attacked: Any) -> None:
    for protocol in ("websocket", "h2c", "TLS/1.3", "x"):
        lines = ("Connection: Upgrade", f"Upgrade: {protocol}", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA")
        head = "\r\n".join([f"GET {API}/keys/a HTTP/1.1", "Host: a", *lines, "", ""])
        assert attacked.send(head.encode()).status in (200, 400, 403)
