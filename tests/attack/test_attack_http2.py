"""What HTTP/2 can say and HTTP/1.1 cannot: it is refused at the edge, and nothing behind it hears of it."""

from __future__ import annotations

from typing import Any

import pytest

from support.attacked import API
from support.http2 import request_headers, send

PLACES = [f"{API}/keys/a".encode(), b"/old/x", b"/through/x"]


def test_http2_is_spoken(attacked: Any) -> None:
    answer = send(attacked.running.port, request_headers(path=PLACES[0]))
    assert (answer.status, answer.json()) == (200, "a")


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("method", [b"FOO", b"PRI", b"get", b"G!T", b"G" * 300, b"GET\xff"])
def test_a_method_that_is_none_of_https(attacked: Any, path: bytes, method: bytes) -> None:
    assert_refused(attacked, request_headers(method, path))


@pytest.mark.parametrize("path", PLACES)
def test_the_refusal_is_told_as_any_other(attacked: Any, path: bytes) -> None:
    answers = [send(attacked.running.port, request_headers(*odd)) for odd in ((b"FOO", path), (b"GET", path + b"\xff"))]
    assert [(answer.status, answer.json()["detail"]) for answer in answers] == [
        (400, "the request's method is none of HTTP's"),
        (400, "the request's target holds octets that no address has"),
    ]


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("octets", [b"\xff\xfe", b"\xc3\xa9", b"%20\x80", b"?q=\xff"])
def test_octets_that_no_address_has(attacked: Any, path: bytes, octets: bytes) -> None:
    assert_refused(attacked, request_headers(path=path + octets))


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("octets", [b" HTTP/1.1\r\nhost: evil", b" x", b"\x00", b"\x7f", b"\t"])
def test_a_target_that_would_end_its_line(attacked: Any, path: bytes, octets: bytes) -> None:
    assert_refused(attacked, request_headers(path=path + octets))


@pytest.mark.parametrize("path", PLACES)
def test_two_hosts(attacked: Any, path: bytes) -> None:
    assert_refused(attacked, request_headers(path=path, authority=b"edge.test,evil.test"))


@pytest.mark.parametrize(
    "extra",
    [
        (b"transfer-encoding", b"chunked"), (b"connection", b"keep-alive"), (b"X-Upper", b"1"), (b"a b", b"1"),
        (b"x", b"a\r\nb: c"), (b":path", b"/other"), (b":unknown", b"1"),
    ],
)  # fmt: skip
def test_headers_that_http2_forbids(attacked: Any, extra: tuple[bytes, bytes]) -> None:
    before = len(attacked.upstream.requests)
    answer = send(attacked.running.port, [*request_headers(path=b"/through/x"), extra])
    assert answer.status == 400 or answer.ended_by
    assert len(attacked.upstream.requests) == before


def assert_refused(attacked: Any, headers: list[tuple[bytes, bytes]]) -> None:
    """A problem with a kind and a trace id, or the end of a stream that was not read any further."""
    before = len(attacked.upstream.requests)
    answer = send(attacked.running.port, headers)
    assert len(attacked.upstream.requests) == before
    if answer.ended_by:
        assert answer.status == 0
        return
    problem = answer.json()
    assert (answer.status, problem["kind"], len(problem["trace_id"])) == (400, "malformed", 32)
