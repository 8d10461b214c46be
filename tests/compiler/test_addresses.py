"""Addresses in text: what they mean, and what is none."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.compiler.addresses import (
    parse_base_path,
    parse_endpoint,
    parse_listen,
    parse_route_path,
    parse_url,
)
from entrepot.model.upstream import Endpoint


@pytest.mark.parametrize(
    ("text", "host", "port", "encrypted", "base_path"),
    [
        ("https://bank.example/ws", "bank.example", 443, True, "/ws"),
        ("https://bank.example/ws/", "bank.example", 443, True, "/ws"),
        ("http://10.0.0.9", "10.0.0.9", 80, False, ""),
        ("http://10.0.0.9:80/", "10.0.0.9", 80, False, ""),
        ("http://[::1]:9001/a/b", "::1", 9001, False, "/a/b"),
        ("HTTP://Bank.Example", "bank.example", 80, False, ""),
    ],
)
def test_urls(text: str, host: str, port: int, encrypted: bool, base_path: str) -> None:
    url = parse_url(text)
    assert (url.endpoint, url.encrypted, url.base_path) == (Endpoint(host, port), encrypted, base_path)


@pytest.mark.parametrize(
    "text",
    [
        "", "bank.example", "ftp://bank.example", "https://", "https:///ws", "https://user@bank.example",
        "https://user:pw@bank.example", "https://bank.example?wsdl", "https://bank.example/#x", "https://bank.example?",
        "https://bank.example:0", "https://bank.example:65536", "https://bank.example:x", "https://ba nk.example",
        "https://bank.example/a b", "https://bank.example//a", "https://[::1", "https://-a.example", "https://a..b",
        "https://bank.example/a\n", "https://bank.example:443\n",
    ],
)  # fmt: skip
def test_what_is_no_url(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_url(text)


@pytest.mark.parametrize(
    ("text", "host", "port"), [("10.0.0.1:9001", "10.0.0.1", 9001), ("crm:80", "crm", 80), ("[::1]:80", "::1", 80)]
)
def test_endpoints(text: str, host: str, port: int) -> None:
    assert parse_endpoint(text) == Endpoint(host, port)


@pytest.mark.parametrize(
    "text", ["", "crm", "crm:", ":80", "crm:0", "crm:99999", "::1:80", "a@b:80", "http://a:80", "a:80\n"]
)
def test_what_is_no_endpoint(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_endpoint(text)


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [("127.0.0.1:8080", "127.0.0.1", 8080), ("localhost:80", "127.0.0.1", 80), ("[::]:443", "::", 443)],
)
def test_listening(text: str, address: str, port: int) -> None:
    assert parse_listen(text) == (address, port)


@pytest.mark.parametrize("text", ["8080", ":8080", "shop.example:80", "127.0.0.1", "*:80"])
def test_what_cannot_be_listened_on(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_listen(text)


@pytest.mark.parametrize(
    ("text", "path", "exact"),
    [
        ("/*", "/", False), ("/", "/", True), ("/a/*", "/a/", False), ("/a", "/a", True), ("/a/", "/a/", True),
        ("/~x/a.b/*", "/~x/a.b/", False),
    ],
)  # fmt: skip
def test_route_paths(text: str, path: str, exact: bool) -> None:
    assert parse_route_path(text) == (path, exact)


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "*", "/a*", "/*/a", "/**", "//", "/a//b", "/.", "/a/..", "/a b", "/a%20", "/a?b", "/a#b", "/{a}",
        "/é", "/a\n",
    ],
)  # fmt: skip
def test_what_is_no_route_path(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_route_path(text)


@given(st.text(max_size=30) | st.from_regex(r"https?://[a-z0-9.:\[\]@/?#%-]{0,20}", fullmatch=True))
def test_any_text_is_an_address_or_is_refused(text: str) -> None:
    parsers: list[Callable[[str], object]] = [
        parse_url,
        parse_endpoint,
        parse_listen,
        parse_base_path,
        parse_route_path,
    ]
    for parse in parsers:
        with suppress(ValueError):
            parse(text)
