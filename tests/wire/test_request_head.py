"""What is written as the head of a request, and what is refused."""

from __future__ import annotations

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.model.faults import Invalid
from entrepot.ports.exchange import Request
from entrepot.wire import request_head


def encoded(request: Request, length: int | None = 0) -> bytes:
    return request_head.encode(request, b"fallback", length)


def test_a_head_is_written_as_it_was_given():
    request = Request("GET", b"/a%2Fb", b"q=1&q=2", [(b"host", b"crm.egress"), (b"accept", b"*/*"), (b"x-empty", b"")])
    assert encoded(request) == b"GET /a%2Fb?q=1&q=2 HTTP/1.1\r\nhost: crm.egress\r\naccept: */*\r\nx-empty: \r\n\r\n"


def test_a_missing_host_is_filled_in():
    assert b"\r\nhost: fallback\r\n" in encoded(Request("GET", b"/"))


@pytest.mark.parametrize(
    ("method", "length", "framing"),
    [
        ("GET", 0, b""),
        ("POST", 0, b"content-length: 0\r\n"),
        ("GET", 3, b"content-length: 3\r\n"),
        ("PATCH", None, b"transfer-encoding: chunked\r\n"),
    ],
)
def test_the_body_is_framed(method, length, framing):
    head = encoded(Request(method, b"/", headers=[(b"host", b"h")]), length)
    assert head == method.encode() + b" / HTTP/1.1\r\nhost: h\r\n" + framing + b"\r\n"


@pytest.mark.parametrize(
    "name",
    [b"connection", b"transfer-encoding", b"content-length", b"upgrade", b"te", b"trailer", b"keep-alive", b"expect"],
)
def test_framing_is_not_the_callers_business(name):
    head = encoded(Request("POST", b"/", headers=[(b"host", b"h"), (name, b"close")]), 5)
    assert head == b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\n"


@pytest.mark.parametrize("value", [b"a\r\nx-admin: 1", b"a\nb", b"a\rb", b"a\0b", b"a\x7f"])
def test_a_value_cannot_end_its_line(value):
    with pytest.raises(Invalid, match="the header x-name holds"):
        encoded(Request("GET", b"/", headers=[(b"x-name", value)]))


def test_a_refused_value_is_not_repeated_in_the_message():
    with pytest.raises(Invalid) as caught:
        encoded(Request("GET", b"/", headers=[(b"authorization", b"secret\r\n")]))
    assert "secret" not in caught.value.detail


@pytest.mark.parametrize("name", [b"", b"a b", b"a:b", b"a\r\nb", b"a\0", b"\xe4"])
def test_a_name_is_a_token(name):
    with pytest.raises(Invalid, match="not a token"):
        encoded(Request("GET", b"/", headers=[(name, b"v")]))


@pytest.mark.parametrize("target", [b"/a b", b"/a\r\nx: y", b"", b"a", b"/\xc3\xa4", b"/a#b", b"/\0"])
def test_a_target_is_percent_encoded(target):
    with pytest.raises(Invalid, match="percent-encoded"):
        encoded(Request("GET", target))


@pytest.mark.parametrize("query", [b"a b", b"a\r\nx: y", b"a#b", b"\xff"])
def test_a_query_is_percent_encoded(query):
    with pytest.raises(Invalid, match="percent-encoded"):
        encoded(Request("GET", b"/", query))


@pytest.mark.parametrize("method", ["", "G ET", "GET /x HTTP/1.1\r\nx: y\r\n\r\nGET", "GÄT"])
def test_a_method_is_a_token(method):
    with pytest.raises(Invalid, match="method"):
        encoded(Request(method, b"/"))


@pytest.mark.parametrize("value", [b"-1", b"1.0", b"", b"0x10", b"9" * 19, b"1, 1"])
def test_an_announced_length_is_a_number(value):
    with pytest.raises(Invalid, match="content-length"):
        request_head.declared_length(Request("POST", b"/", headers=[(b"content-length", value)]))


class Seen:
    """What a strict parser makes of a head."""

    def __init__(self) -> None:
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.messages = 0

    def on_message_begin(self) -> None:
        self.messages += 1

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))


octets = st.binary(max_size=12)


@given(path=octets, query=octets, headers=st.lists(st.tuples(octets, octets), max_size=4))
def test_a_head_says_what_it_was_given_or_is_refused(path, query, headers):
    request = Request("GET", b"/" + path, query, [(b"host", b"h"), *headers])
    try:
        head = encoded(request)
    except Invalid:
        return
    seen = Seen()
    httptools.HttpRequestParser(seen).feed_data(head)
    assert seen.messages == 1
    assert seen.url == b"/" + path + (b"?" + query if query else b"")
    given_headers = [
        (name, value.strip(b" \t")) for name, value in request.headers if name not in (b"te", b"content-length")
    ]
    assert [(name, value.strip(b" \t")) for name, value in seen.headers] == given_headers
