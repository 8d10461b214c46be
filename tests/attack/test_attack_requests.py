"""Everything of a request but its body: paths, queries, headers, cookies, methods, conditions."""

from __future__ import annotations

from typing import Any

import pytest

from support.attacked import API

# Paths


@pytest.mark.parametrize(
    ("segment", "key"),
    [
        ("a%2Fb", "a/b"), ("a%2fb%2f", "a/b/"), ("%2e%2e", ".."), ("..", ".."),
        ("..%2f..%2fetc%2fpasswd", "../../etc/passwd"), ("%00", "\0"), ("a%0d%0ab", "a\r\nb"), ("a;b=c", "a;b=c"),
        ("a\\b", "a\\b"), ("%F0%9F%92%A9", "💩"), ("%25%32%66", "%2f"), ("%EF%BB%BF", "\ufeff"),
        ("a" * 50_000, "a" * 50_000),
    ],
)  # fmt: skip
def test_what_a_segment_holds_is_data(attacked: Any, segment: str, key: str) -> None:
    assert attacked.request("GET", f"{API}/keys/{segment}").json() == key


@pytest.mark.parametrize("segment", ["a%", "%zz", "%ff", "%c0%af", "%ED%A0%80", "a%u0041"])
def test_a_segment_that_is_no_text(attacked: Any, segment: str) -> None:
    answer = attacked.request("GET", f"{API}/keys/{segment}")
    assert (answer.status, answer.kind) == (400, "malformed")


@pytest.mark.parametrize(
    "path",
    [
        f"{API}/../../things/v1/things/fine", f"{API}/keys/", f"{API}/keys//", f"{API}//keys/a",
        f"{API}/keys/a/", f"{API}/./keys/a", "/api/TARGET/v1/keys/a", "/api/target/v2/keys/a",
        "/api", "/api/", "/%61pi/target/v1/keys/a", "/jsonrpc/", "/JSONRPC", "/-/health", "/-/", "/-/x",
        "/%2d/health", "/.entrepot/releases/000001.json", "/" + "a/" * 25_000,
    ],
)  # fmt: skip
def test_a_path_that_leads_nowhere(attacked: Any, path: str) -> None:
    answer = attacked.request("GET", path)
    assert (answer.status, answer.kind) == (404, "unknown_operation")


@pytest.mark.parametrize(
    "path", [f"/{API}/keys/a", f"{API}%2fkeys/a", "/jsonrpc%2f", "/../etc/passwd", "/" + "/" * 30_000, "/x%00"]
)
def test_a_path_that_leads_nowhere_and_has_two_readings(attacked: Any, path: str) -> None:
    answer = attacked.request("GET", path)
    assert (answer.status, answer.kind) in [(400, "malformed"), (404, "unknown_operation")]


@pytest.mark.parametrize("mount", ["old", "through"])
@pytest.mark.parametrize(
    "rest",
    [
        "../api/x", "%2e%2e/x", "%2e%2e%2fx", "..%2fx", ".%2e/x", "..;/x", "..;a=b/x", "a/../x", "a/./x", "a//x",
        "a%2fx", "a%2Fx", "a\\x", "a%5cx", "a%5Cx", "..\\x", "%00", "x/.", "x/..", "./x",
    ],
)  # fmt: skip
def test_no_path_with_two_readings_reaches_an_application_or_upstream(attacked: Any, mount: str, rest: str) -> None:
    before = len(attacked.upstream.requests)
    answer = attacked.request("GET", f"/{mount}/{rest}")
    assert (answer.status, answer.kind) == (400, "malformed")
    assert len(attacked.upstream.requests) == before


@pytest.mark.parametrize(
    "path", ["/é", "/a b", "/a\x7f", "/a\tb", "/a#b", "*", "x", "http://", "ftp://x/y", "//[::1", "/\xff"]
)
def test_a_target_that_is_none(attacked: Any, path: str) -> None:
    answer = attacked.request("GET", path)
    assert answer.status in (400, 404)
    assert answer.kind in ("malformed", "unknown_operation")


def test_an_address_too_long(attacked: Any) -> None:
    answer = attacked.request("GET", "/" + "a" * 70_000)
    assert (answer.status, answer.kind) == (431, "too_large")


# Queries


@pytest.mark.parametrize(
    ("query", "place", "code"),
    [
        ("nothing=1", "/nothing", "unknown"), ("=", "/", "unknown"), ("a/b~c=1", "/a~1b~0c", "unknown"),
        ("word=a&word=b", "/word", "duplicate"), ("number=1e3", "/number", "type"), ("number=0x10", "/number", "type"),
        ("number=1_000", "/number", "type"), ("number=%D9%A1", "/number", "type"), ("number=+1", "/number", "type"),
        ("number=%201", "/number", "type"), ("number=NaN", "/number", "type"), ("number=", "/number", "type"),
        ("number=" + "9" * 20_000, "/number", None), ("price=NaN", "/price", "type"),
        ("price=1e999999999", "/price", "number_form"), ("price=%EF%BC%91", "/price", "type"),
        ("__class__=1", "/__class__", "unknown"),
    ],
)  # fmt: skip
def test_a_query_that_does_not_fit(attacked: Any, query: str, place: str, code: str | None) -> None:
    answer = attacked.request("GET", f"{API}/search?{query}")
    [issue] = answer.json()["errors"]
    assert (answer.status, issue["pointer"]) == (422, place)
    assert code in (None, issue["code"])


@pytest.mark.parametrize("query", ["word=%", "word=%zz", "word=%ff", "%ff=1", "word=%u0041", "word=%ED%A0%80"])
def test_a_query_that_is_no_text(attacked: Any, query: str) -> None:
    assert attacked.request("GET", f"{API}/search?{query}").kind == "malformed"


@pytest.mark.parametrize("query", ["&" * 40_000, "&".join(f"a{number}=" for number in range(2000)), "words=&" * 5000])
def test_a_flood_of_parameters(attacked: Any, query: str) -> None:
    answer = attacked.request("GET", f"{API}/search?{query}")
    assert (answer.status, answer.kind) == (413, "too_large")


def test_odd_text_in_a_query_is_text(attacked: Any) -> None:
    odd = {"a%00b": "a\0b", "a%0d%0ax:1": "a\r\nx:1", "a;b": "a;b", "%26%3d": "&=", "a+b%2Bc": "a b+c"}
    for written, meant in odd.items():
        assert attacked.request("GET", f"{API}/search?word={written}").json()[0] == meant


# Headers


@pytest.mark.parametrize(
    ("cookie", "voucher"),
    [
        ("voucher=a", "a"), ("voucher=a; voucher=b", "a"), ("x=1;voucher=a", "a"), ("voucher", ""),
        (";;;=;voucher=", ""), ("voucher=%41", "A"), ("voucher=%zz%", "%zz%"), ("Voucher=a", None),
        (" voucher = a ", None), ("", None), ("=voucher", None), ("voucher=\xff", "\xff"), ("voucher=%00", "\0"),
        ('voucher="a"', "a"), ("; ".join(f"a{n}=b" for n in range(5000)), None),
    ],
)  # fmt: skip
def test_odd_cookies(attacked: Any, cookie: str, voucher: str | None) -> None:
    assert attacked.request("GET", f"{API}/told", b"", f"Cookie: {cookie}").json() == [None, voucher]


def test_a_header_that_is_given_twice(attacked: Any) -> None:
    answer = attacked.request("GET", f"{API}/told", b"", "X-Channel: a", "X-Channel: b")
    assert (answer.status, answer.places) == (422, ["/channel"])


@pytest.mark.parametrize("value", ["a\x00b", "a\x01b", "a\x7fb", "a\x0bb"])
def test_a_header_with_a_control_character(attacked: Any, value: str) -> None:
    answer = attacked.request("GET", f"{API}/told", b"", f"X-Channel: {value}")
    assert (answer.status, answer.kind) == (400, "malformed")


def test_a_flood_of_headers(attacked: Any) -> None:
    for headers in (
        [f"x-{number}: 1" for number in range(101)],
        ["x: " + "a" * 61_440],
        [f"Cookie: a={'b' * 1000}"] * 90,
    ):
        answer = attacked.request("GET", f"{API}/told", b"", *headers)
        assert (answer.status, answer.kind) == (431, "too_large")


SPOOFED = (
    "X-Entrepot-Principal: admin", "x-entrepot-operation: x", "X-Envoy-Original-Path: /admin", "x-envoy-internal: true",
    "x-envoy-upstream-rq-timeout-ms: 1", "x-envoy-retry-on: 5xx", "x-envoy-max-retries: 99",
    "x-envoy-expected-rq-timeout-ms: 1", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Host: evil.test",
    "X-Forwarded-Proto: https", "X-Forwarded-Prefix: /evil", "X-Forwarded-Client-Cert: Subject=admin",
    "Forwarded: for=6.6.6.6", "X-Real-IP: 6.6.6.6", "x-request-id: 6.6.6.6", "X-Original-URL: /admin",
    "X-Rewrite-URL: /admin", "Proxy: http://6.6.6.6", "Keep-Alive: 6.6.6.6",
)  # fmt: skip


def test_nothing_that_claims_an_identity_arrives(attacked: Any) -> None:
    told = attacked.request("GET", f"{API}/seen", b"", *SPOOFED).json()
    assert {name for name, _ in told} == {
        "host", "x-forwarded-for", "x-forwarded-proto", "x-envoy-external-address", "x-request-id", "traceparent",
    }  # fmt: skip
    assert "6.6.6.6" not in str(told)
    hosted = attacked.request("GET", "/old/x", b"", *SPOOFED).json()
    assert not {"HTTP_PROXY", "HTTP_X_ENTREPOT_PRINCIPAL", "HTTP_X_REAL_IP", "HTTP_X_ORIGINAL_URL"} & hosted.keys()
    assert "6.6.6.6" not in str(hosted)
    attacked.request("GET", "/through/fine", b"", *SPOOFED)
    assert b"6.6.6.6" not in attacked.upstream.requests[-1]
    assert b"admin" not in attacked.upstream.requests[-1]


@pytest.mark.parametrize("named", ["x-forwarded-for", "x-request-id", "traceparent", "host", "content-length"])
def test_connection_takes_nothing_away_that_the_edge_has_put_there(attacked: Any, named: str) -> None:
    answer = attacked.request("GET", f"{API}/seen", b"", f"Connection: {named}")
    if answer.status == 200:
        names = {name for name, _ in answer.json()}
        assert {"x-forwarded-for", "x-forwarded-proto", "x-request-id", "traceparent", "host"} <= names
    else:
        assert answer.kind == "malformed"


def test_what_callers_say_of_themselves_does_not_reach_upstreams(attacked: Any) -> None:
    secrets = ("Authorization: Bearer s3cret", "Cookie: s3cret=1", "X-Api-Key: s3cret", "Accept-Language: s3cret")
    assert attacked.request("GET", "/api/things/v1/things/fine", b"", *secrets).status == 200
    assert b"s3cret" not in attacked.upstream.requests[-1]


# Methods, media types, conditions


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "QUERY"])
def test_a_method_that_is_not_taken(attacked: Any, method: str) -> None:
    answer = attacked.request(method, f"{API}/keys/a", b"{}")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize("method", ["get", "FOO", "G@T", "__class__", "GET" * 5000, "CONNECT", ""])
def test_a_method_that_is_none(attacked: Any, method: str) -> None:
    answer = attacked.request(method, f"{API}/keys/a")
    assert answer.status in (400, 404, 405, 431)
    assert answer.kind in ("malformed", "unknown_operation", "too_large")


def test_a_query_that_does_not_say_what_it_asks_with(attacked: Any) -> None:
    """RFC 10008: without a Content-Type it is refused, whoever would answer it."""
    for path in (f"{API}/keys/a", "/old/x", "/through/fine"):
        answer = attacked.request("QUERY", path)
        assert (answer.status, answer.kind) == (400, "malformed")
        assert "Content-Type" in answer.json()["detail"]


def test_a_method_that_only_the_target_knows(attacked: Any) -> None:
    """Envoy's parser takes those it knows, WebDAV's among them; an unknown one might hide where its request ends."""
    for path in ("/old/x", "/through/fine"):
        assert attacked.request("PROPFIND", path, b"<a/>", content_type="application/xml").status == 200
        assert attacked.request("FROBNICATE", path).kind == "malformed"


@pytest.mark.parametrize(
    "override", ["X-HTTP-Method-Override: DELETE", "X-HTTP-Method: PUT", "X-Method-Override: POST"]
)
def test_no_header_changes_the_method(attacked: Any, override: str) -> None:
    assert attacked.request("GET", f"{API}/keys/a", b"", override).json() == "a"


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200), ("", 200), (",,,,", 200), ("application/*;q=0.1", 200), ("application/json;q=1e999", 200),
        ("text/csv", 406), ("application/json;q=0", 406), ("*/*;q=abc", 406), ("application/json;q=nan", 406),
        ("application/json;q=-1", 406), (";", 406), ("/", 406), ("a" * 50_000, 406),
        (",".join(f"a/b{number}" for number in range(5000)), 406), ("\xff", 406),
    ],
)  # fmt: skip
def test_accept_garbage(attacked: Any, accept: str, status: int) -> None:
    assert attacked.request("GET", f"{API}/keys/a", b"", f"Accept: {accept}").status == status


@pytest.mark.parametrize("tags", ["a", '"', '"a', "W/a", '"a" "b"', '"a"' * 1000, "," * 50_000, "\xff"])
@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
def test_entity_tags_that_are_none(attacked: Any, header: str, tags: str) -> None:
    answer = attacked.request("GET", f"{API}/keys/a/version", b"", f"{header}: {tags}")
    assert (answer.status, answer.kind) == (400, "malformed")
    assert len(answer.body) < 1000


@pytest.mark.parametrize("last", ["x", "1.5", "1e3", "0x3", "9" * 5000, "\xff", "-", "١"])
def test_last_event_id_garbage(attacked: Any, last: str) -> None:
    header = f"Last-Event-ID: {last}".encode().decode("latin-1")
    answer = attacked.request("GET", f"{API}/ticks", b"", header, "Accept: text/event-stream")
    assert (answer.status, answer.kind, answer.places) == (422, "invalid", ["/after"])


@pytest.mark.parametrize(
    "traceparent", ["junk", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "a" * 50_000, "\xff", "00-zz-zz-01"]
)
def test_a_traceparent_that_is_none_is_replaced(attacked: Any, traceparent: str) -> None:
    problem = attacked.request("GET", f"{API}/nothing/x", b"", f"traceparent: {traceparent}").json()
    assert len(problem["trace_id"]) == 32
    assert set(problem["trace_id"]) != {"0"}


# Answers that carry what the caller sent


@pytest.mark.parametrize("value", ["a%0d%0aX-Evil:%201", "a%0aX-Evil:%201", "a%0d", "a%00", "%0d%0a%0d%0a<html>"])
def test_no_header_of_an_answer_breaks_its_line(attacked: Any, value: str) -> None:
    answer = attacked.request("GET", f"{API}/mirrored?value={value}")
    assert (answer.status, answer.kind) == (500, "internal")
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize(
    ("key", "location"),
    [
        ("a/../../b", "a%2F..%2F..%2Fb"), ("a\r\nX-Evil: 1", "a%0D%0AX-Evil%3A%201"), ("\0", "%00"), ("..", "%2E%2E"),
        ("//evil.test", "%2F%2Fevil.test"), ("?x#y", "%3Fx%23y"), ("💩", "%F0%9F%92%A9"),
    ],
)  # fmt: skip
def test_a_location_stays_where_it_belongs(attacked: Any, key: str, location: str) -> None:
    answer = attacked.request("POST", f"{API}/keys", key)
    assert answer.headers["location"] == f"{API}/keys/{location}/version"
    assert "x-evil" not in answer.headers
    assert attacked.request("GET", answer.headers["location"]).json()["key"] == key


def test_a_fault_carries_what_it_is_given_as_data(attacked: Any) -> None:
    problem = attacked.request("POST", f"{API}/keys?spoil=true", "a\r\nX-Evil: </script>")
    assert problem.json()["data"] == {"what": "a\r\nX-Evil: </script>"}
    assert problem.headers["content-type"] == "application/problem+json"
    assert "x-evil" not in problem.headers
