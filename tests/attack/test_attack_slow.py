"""Callers that take their time, or never come to an end: the others are served meanwhile, and nothing grows."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import Any

import pytest

from support.attacked import API
from support.raw_client import head, read_answer

HELD = 80
"""Connections that stall at once: more than any worker has threads, fewer than the upstream's backlog holds."""

UNREAD = 24
"""Answers at once that nobody reads, each longer than what lies between: more than a hosted application has threads."""

HALF_A_HEAD = f"GET {API}/keys/a HTTP/1.1\r\nHost: a\r\nx: ".encode()
HALF_A_BODY = head("POST", f"{API}/things", b"x" * 1000) + b'{"name":'
HALF_A_BATCH = head("POST", "/jsonrpc", b"x" * 1000) + b'[{"jsonrpc":'
HALF_A_FILE = head("PUT", f"{API}/blobs/a", b"x" * 100_000, content_type="image/png") + b"x" * 50_000
HALF_HOSTED = head("POST", "/old/x", b"x" * 1000) + b"x"
HALF_PASSED_ON = head("POST", "/through/fine", b"x" * 1000) + b"x"


STALLING = {
    "nothing": b"",
    "half a head": HALF_A_HEAD,
    "half a body": HALF_A_BODY,
    "half a batch": HALF_A_BATCH,
    "half a file": HALF_A_FILE,
    "half of what is hosted": HALF_HOSTED,
    "half of what is passed on": HALF_PASSED_ON,
}


@pytest.mark.parametrize("begun", STALLING.values(), ids=STALLING.keys())
def test_callers_that_stall_keep_nobody_else_waiting(attacked: Any, begun: bytes) -> None:
    with ExitStack() as held:
        for _ in range(HELD):
            held.enter_context(attacked.connect()).sendall(begun)
        for path in (f"{API}/keys/a", "/old/x", "/api/things/v1/things/fine", "/through/fine"):
            assert (path, attacked.request("GET", path).status) == (path, 200)
        assert attacked.rpc("target.key", {"key": "a"}).json()["result"] == "a"


def test_callers_that_do_not_read_hold_their_stream_back(attacked: Any) -> None:
    """The worker makes no more items than somebody takes: its memory, watched by the fixture, stays as it is."""
    with ExitStack() as held:
        for path in (f"{API}/ticks", "/api/things/v1/lines/lines-endless", "/through/endless"):
            for _ in range(5):
                held.enter_context(attacked.connect()).sendall(head("GET", path, b""))
        for number in range(50):
            assert attacked.request("GET", f"{API}/keys/{number}").json() == str(number)


def test_callers_that_do_not_read_take_a_hosted_application_from_nobody(attacked: Any) -> None:
    with ExitStack() as held:
        readers = [held.enter_context(attacked.connect()) for _ in range(UNREAD)]
        for reader in readers:
            reader.sendall(head("GET", "/old/says-a-lot", b""))
        for number in range(50):
            assert attacked.request("GET", f"/old/{number}").json()["path"] == f"/{number}"
        assert len(read_answer(readers[0]).body) == 8 * 1024 * 1024, "and what was kept comes, when it is asked for"


def test_a_request_that_comes_octet_by_octet(attacked: Any) -> None:
    content = b'{"name":"slow"}'
    with attacked.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in head("POST", f"{API}/things", content) + content:
            connection.sendall(bytes([octet]))
        assert read_answer(connection, "POST").json()["name"] == "slow"


def test_requests_that_do_not_wait_for_answers_are_answered_in_order(attacked: Any) -> None:
    requests = [f"GET {API}/keys/{number} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for number in range(500)]
    last = head("GET", f"{API}/keys/last", b"")
    answers = attacked.send_all(b"".join(requests) + last)
    assert [answer.json() for answer in answers] == [*(str(number) for number in range(500)), "last"]
