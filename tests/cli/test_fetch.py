"""Fetching: bounded, and never led elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from entrepot.cli.fetch import FetchFailed, fetch


class Handler(BaseHTTPRequestHandler):
    """Answers by path; `/to/…` redirects, `/slow` never ends."""

    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("location", self.server.targets[self.path])
            self.end_headers()
        elif self.path == "/slow":
            self.send_response(200)
            self.end_headers()
            self.server.released.wait(30)
        elif self.path == "/missing":
            self.send_error(404)
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}" * 50)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.targets: dict[str, str] = {}
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def other() -> Iterator[Server]:
    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_document_is_fetched(server: Server) -> None:
    assert fetch(f"{server.url}/openapi.json") == b"{}" * 50


def test_a_redirect_within_the_origin_is_followed(server: Server) -> None:
    server.targets["/to/here"] = "/openapi.json"
    assert fetch(f"{server.url}/to/here") == b"{}" * 50


def test_a_redirect_to_another_origin_is_not(server: Server, other: Server) -> None:
    server.targets["/to/there"] = f"{other.url}/openapi.json"
    with pytest.raises(FetchFailed, match="redirects to another origin"):
        fetch(f"{server.url}/to/there")
    assert other.asked == []


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://[::1/x"])
def test_a_redirect_out_of_http_is_not(server: Server, target: str) -> None:
    server.targets["/to/file"] = target
    with pytest.raises(FetchFailed):
        fetch(f"{server.url}/to/file")


def test_a_circle_of_redirects_ends(server: Server) -> None:
    server.targets["/to/me"] = "/to/me"
    with pytest.raises(FetchFailed, match="302"):
        fetch(f"{server.url}/to/me")
    assert len(server.asked) < 30


def test_a_document_that_is_too_long_is_refused(server: Server) -> None:
    assert fetch(f"{server.url}/x", bytes_max=100) == b"{}" * 50
    with pytest.raises(FetchFailed, match="longer than 99 bytes"):
        fetch(f"{server.url}/x", bytes_max=99)


def test_a_server_that_never_ends_is_given_up(server: Server) -> None:
    with pytest.raises(FetchFailed, match=r"took longer|timed out"):
        fetch(f"{server.url}/slow", seconds_max=0.3)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "use http or https"),
        ("ftp://host/x", "use http or https"),
        ("http://me:secret@127.0.0.1/x", "a URL with credentials"),
    ],
)
def test_other_addresses_are_refused(url: str, reason: str) -> None:
    with pytest.raises(FetchFailed, match=reason) as refusal:
        fetch(url)
    assert "secret" not in str(refusal.value)


def test_failures_name_the_address_and_the_cause(server: Server) -> None:
    with pytest.raises(FetchFailed, match=f"{server.url}/missing answered 404"):
        fetch(f"{server.url}/missing")
    with pytest.raises(FetchFailed, match=r"cannot be fetched: .*refused"):
        fetch("http://127.0.0.1:1/x")
