"""httpbin, from its published Swagger document to answers over REST and JSON-RPC, through the real edge and egress.

Its own document tells nothing of what it takes: `echo.json` beside this file does, for the same server.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support.answer import Answer
from support.foreign import ForeignServer, aim, httpbin, import_openapi
from support.running import Running, running_project

API = "/api/httpbin/v0"
ECHO = "/api/echo/v1"


class Site(NamedTuple):
    """httpbin, imported and served again."""

    upstream: ForeignServer
    imported: subprocess.CompletedProcess[str]
    running: Running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    project = tmp_path_factory.mktemp("httpbin")
    with httpbin() as upstream:
        imported = import_openapi(project, f"{upstream.url}/spec.json", "httpbin")
        import_openapi(project, str(Path(__file__).with_name("echo.json")), "echo")
        aim(project, httpbin={"url": upstream.url, "timeout": "1s"}, echo={"url": upstream.url})
        with running_project(project) as running:
            yield Site(upstream, imported, running)


@pytest.fixture(scope="module")
def running(site: Site) -> Running:
    return site.running


def itself(site: Site, path: str) -> Answer:
    """What httpbin answers to whoever asks it directly."""
    with urllib.request.urlopen(site.upstream.url + path, timeout=30) as response:
        return Answer(
            response.status, {name.lower(): value for name, value in response.headers.items()}, response.read()
        )


def without_trace(value: Any) -> Any:
    """httpbin tells which headers came; the trace is another for each call."""
    if isinstance(value, dict):
        return {name: without_trace(member) for name, member in value.items() if name != "Traceparent"}
    return value


# The import


def test_the_import_tells_what_it_took_and_what_it_left_out(site: Site) -> None:
    assert site.imported.returncode == 1
    assert "imported 73 operations as service httpbin" in site.imported.stdout
    left_out = [line for line in site.imported.stderr.splitlines() if " is not imported: " in line]
    assert len(left_out) == 5
    assert all(re.match(r"specs/httpbin\.json:\d+:\d+: note N301: ", line) for line in left_out)
    reasons = {line.rpartition(": ")[2] for line in left_out}
    assert reasons == {"the method TRACE carries no operation"}


def test_every_imported_operation_is_served(running: Running) -> None:
    document = running.get(f"{API}/openapi.json").json()
    assert sum(len(item.keys() - {"parameters"}) for item in document["paths"].values()) == 73
    methods = [each["name"] for each in running.rpc("rpc.discover")["result"]["methods"]]
    assert "httpbin.get_uuid" in methods
    assert "httpbin.get_image_png" not in methods  # JSON-RPC carries no files


# The same over both


@pytest.mark.parametrize(
    ("operation", "path", "params"),
    [
        ("get_get", "/get", {}),
        ("get_headers", "/headers", {}),
        ("get_ip", "/ip", {}),
        ("get_json", "/json", {}),
        ("get_user_agent", "/user-agent", {}),
        ("get_cookies", "/cookies", {}),
        ("get_cache_value", "/cache/60", {"value": 60}),
        ("get_delay_delay", "/delay/0", {"delay": 0}),
        ("get_anything", "/anything", {}),
        ("get_anything_anything", "/anything/a%2Fb%20%C3%BC", {"anything": "a/b ü"}),
        ("get_response_headers", "/response-headers?freeform=x%26y", {"freeform": "x&y"}),
    ],
)
def test_values_are_the_same_over_both(running: Running, operation: str, path: str, params: dict[str, Any]) -> None:
    over_rest = running.get(API + path)
    over_rpc = running.rpc(f"httpbin.{operation}", **params)
    assert over_rest.status == 200, over_rest.body
    assert without_trace(over_rest.json()) == without_trace(over_rpc["result"])


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_methods_reach_the_upstream_as_they_are(running: Running, method: str) -> None:
    over_rest = running.request(method, f"{API}/anything")
    over_rpc = running.rpc(f"httpbin.{method.lower()}_anything")["result"]
    assert over_rest.json()["method"] == over_rpc["method"] == method
    assert without_trace(over_rest.json()) == without_trace(over_rpc)


def test_every_call_is_a_call_of_its_own(running: Running) -> None:
    given = [running.get(f"{API}/uuid").json()["uuid"] for _ in range(2)]
    given += [running.rpc("httpbin.get_uuid")["result"]["uuid"] for _ in range(2)]
    assert len({uuid.UUID(text) for text in given}) == 4


def test_a_declared_header_is_sent(running: Running) -> None:
    expected = {"authenticated": True, "token": "abc"}
    assert running.get(f"{API}/bearer", authorization="Bearer abc").json() == expected
    assert running.rpc("httpbin.get_bearer", Authorization="Bearer abc")["result"] == expected


@pytest.mark.parametrize("path", ["/html", "/xml", "/robots.txt", "/encoding/utf8", "/base64/RW50cmVww7R0"])
def test_texts_come_as_they_are(site: Site, path: str) -> None:
    answer, direct = site.running.get(API + path), itself(site, path)
    assert answer.body == direct.body
    assert answer.headers["content-type"].partition(";")[0] == direct.headers["content-type"].partition(";")[0]


@pytest.mark.parametrize("path", ["/image/png", "/image/jpeg", "/image/svg", "/image/webp", "/range/100000"])
def test_files_come_as_they_are(site: Site, path: str) -> None:
    answer, direct = site.running.get(API + path), itself(site, path)
    assert answer.body == direct.body
    assert answer.headers["content-type"] == direct.headers["content-type"]


@pytest.mark.parametrize("path", ["/bytes/5000", "/stream-bytes/5000"])
def test_octets_are_all_there(running: Running, path: str) -> None:
    answer = running.get(API + path)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert len(answer.body) == 5000


def test_the_command_line_calls_it_too(running: Running) -> None:
    command = [sys.executable, "-m", "entrepot", "call", "httpbin.get_anything_anything", '{"anything": "a/b"}']
    called = subprocess.run(
        [*command, "--project", str(running.project)], capture_output=True, text=True, check=True, timeout=30
    )
    assert json.loads(called.stdout)["url"].endswith("/anything/a/b")


# What it takes, by the other document


def test_a_form_arrives(running: Running) -> None:
    fields = {"name": "Ünal & Söhne", "count": 2**60, "tags": ["a", "b,c"]}
    expected = {"name": "Ünal & Söhne", "count": str(2**60), "tags": ["a", "b,c"]}
    body = b"name=%C3%9Cnal+%26+S%C3%B6hne&count=1152921504606846976&tags=a&tags=b%2Cc"
    over_rest = running.request("POST", f"{ECHO}/post", body, content_type="application/x-www-form-urlencoded")
    assert over_rest.json()["form"] == expected
    assert running.rpc("echo.send_form", **fields)["result"]["form"] == expected


def test_a_file_arrives(running: Running) -> None:
    body = (
        b"--x\r\ncontent-disposition: form-data; name=note\r\n\r\nkept\r\n"
        b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\ncontent-type: text/plain\r\n\r\n'
        b"one\r\ntwo\r\n--x--\r\n"
    )
    answer = running.request("POST", f"{ECHO}/anything/upload", body, content_type="multipart/form-data; boundary=x")
    assert answer.status == 200, answer.body
    assert (answer.json()["files"], answer.json()["form"]) == ({"file": "one\r\ntwo"}, {"note": "kept"})


def test_numbers_arrive_digit_by_digit(running: Running) -> None:
    payment = (
        b'{"amount":10.500000000000000000001,"number":123456789012345678901234567890,'
        b'"at":"2026-01-02T03:04:05.123456+02:00","note":null}'
    )
    over_rest = running.request("PUT", f"{ECHO}/anything/7", payment, content_type="application/json")
    call = b'{"jsonrpc":"2.0","id":1,"method":"echo.replace","params":{"id":"7","body":' + payment + b"}}"
    over_rpc = running.request("POST", "/jsonrpc", call, content_type="application/json")
    assert over_rest.json()["data"] == over_rpc.json()["result"]["data"] == payment.decode()


@pytest.mark.parametrize("change", [{}, {"note": None}, {"note": "x"}])
def test_absent_and_null_stay_apart(running: Running, change: dict[str, Any]) -> None:
    over_rest = running.request(
        "PATCH", f"{ECHO}/anything/7", json.dumps(change).encode(), content_type="application/merge-patch+json"
    )
    over_rpc = running.rpc("echo.change", id="7", body=change)["result"]
    assert json.loads(over_rest.json()["data"]) == json.loads(over_rpc["data"]) == change
    assert over_rest.json()["headers"]["Content-Type"] == "application/merge-patch+json"


def test_query_and_headers_arrive(running: Running) -> None:
    query = "q=a%20%26b&tag=x&tag=y&fields=one,two&exact=true"
    over_rest = running.get(f"{ECHO}/anything/search?{query}", x_trace_name="probe").json()
    named = {"q": "a &b", "tag": ["x", "y"], "fields": ["one", "two"], "exact": True, "x_trace_name": "probe"}
    over_rpc = running.rpc("echo.search", **named)["result"]
    assert over_rest["args"] == {"q": "a &b", "tag": ["x", "y"], "fields": "one,two", "exact": "true"}
    assert over_rest["headers"]["X-Trace-Name"] == "probe"
    assert without_trace(over_rest) == without_trace(over_rpc)


def test_a_cookie_arrives(running: Running) -> None:
    over_rest = running.get(f"{ECHO}/cookies", cookie="flavour=salted; other=none")
    over_rpc = running.rpc("echo.cookies", flavour="salted")["result"]
    assert over_rest.json() == over_rpc == {"cookies": {"flavour": "salted"}}


# Failures


@pytest.mark.parametrize(
    ("sent", "status", "kind", "names_upstream"),
    [
        (401, 401, "unauthenticated", False),
        (403, 403, "forbidden", False),
        (404, 404, "not_found", False),
        (409, 409, "conflict", False),
        (418, 400, "rejected", False),
        (429, 429, "rate_limited", False),
        (302, 502, "upstream_failed", True),
        (500, 502, "upstream_failed", True),
        (503, 503, "unavailable", True),
        (504, 504, "timeout", True),
        (599, 502, "upstream_failed", True),
    ],
)
def test_statuses_become_faults(running: Running, sent: int, status: int, kind: str, names_upstream: bool) -> None:
    answer = running.get(f"{API}/status/{sent}")
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["kind"] == kind
    assert answer.json().get("upstream") == ("httpbin" if names_upstream else None)


@pytest.mark.parametrize(
    ("path", "operation", "params", "status", "kind"),
    [
        ("/hidden-basic-auth/u/p", "get_hidden_basic_auth_user_passwd", {"user": "u", "passwd": "p"}, 404, "not_found"),
        ("/basic-auth/u/p", "get_basic_auth_user_passwd", {"user": "u", "passwd": "p"}, 401, "unauthenticated"),
        ("/stream/3", "get_stream_n", {"n": 3}, 502, "upstream_failed"),  # three documents where one is promised
        ("/gzip", "get_gzip", {}, 502, "upstream_failed"),  # nobody asked it to compress
        ("/deflate", "get_deflate", {}, 502, "upstream_failed"),
        ("/delay/9", "get_delay_delay", {"delay": 9}, 504, "timeout"),
        ("/delay/soon", "get_delay_delay", {"delay": "soon"}, 422, "invalid"),
    ],
)
def test_faults_are_the_same_over_both(
    running: Running, path: str, operation: str, params: dict[str, Any], status: int, kind: str
) -> None:
    answer = running.get(API + path)
    problem, error = answer.json(), running.rpc(f"httpbin.{operation}", **params)["error"]
    assert answer.status == status
    assert problem["kind"] == error["data"]["kind"] == kind
    assert problem.get("upstream") == error["data"].get("upstream") == ("httpbin" if status > 500 else None)


def test_an_upstream_that_is_down_is_named_and_found_again(site: Site) -> None:
    site.upstream.stop()
    try:
        over_rest = site.running.get(f"{API}/uuid")
        over_rpc = site.running.rpc("httpbin.get_uuid")["error"]
        assert over_rest.status == 502
        assert over_rest.json()["kind"] == over_rpc["data"]["kind"] == "upstream_failed"
        assert over_rest.json()["upstream"] == over_rpc["data"]["upstream"] == "httpbin"
    finally:
        site.upstream.start()
    assert site.running.get(f"{API}/uuid").status == 200
    assert "result" in site.running.rpc("httpbin.get_uuid")
