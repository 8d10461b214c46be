"""Code of ours that fails: handlers and hosted applications that raise, and answers that are not what they claim."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.attacked import API
from support.raw_client import head

RAISED = (
    "exit", "interrupt", "cancelled", "generator", "panic", "memory", "stop", "stop-async", "assertion", "group",
    "recursion",
)  # fmt: skip


def test_a_handler_that_raises_is_found_by_its_trace_id(attacked: Any) -> None:
    over_rest = attacked.request("GET", f"{API}/crash?said=s3cret")
    over_rpc = attacked.rpc("target.crash", {"said": "s3cret"})
    assert (over_rest.status, over_rest.kind, over_rpc.kind) == (500, "internal", "internal")
    for answer, told in ((over_rest, over_rest.json()), (over_rpc, over_rpc.json()["error"]["data"])):
        assert b"db.internal" not in answer.body
        assert b"s3cret" not in answer.body
        line = attacked.logged(told["trace_id"])
        assert line["operation"] == "target.crash"
        assert "the database at db.internal refused" in line["traceback"]


def test_the_callers_own_trace_id_finds_it_too(attacked: Any) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    attacked.request("GET", f"{API}/crash", b"", f"traceparent: 00-{trace_id}-b7ad6b7169203331-01")
    assert "RuntimeError" in attacked.logged(trace_id)["message"]


@pytest.mark.parametrize("what", RAISED)
def test_whatever_a_handler_raises_is_an_internal_fault(attacked: Any, what: str) -> None:
    answer = attacked.request("GET", f"{API}/raised/{what}")
    assert (answer.status, answer.kind) == (500, "internal")
    assert b'internal"' not in answer.body.replace(b'"kind":"internal"', b"")
    assert "Traceback" in attacked.logged(answer.json()["trace_id"])["traceback"]


@pytest.mark.parametrize("what", [what for what in RAISED if what not in ("group", "recursion")])
def test_whatever_a_plain_function_raises_in_its_thread_is_an_internal_fault(attacked: Any, what: str) -> None:
    answer = attacked.request("GET", f"{API}/raised-in-a-thread/{what}")
    assert (answer.status, answer.kind) == (500, "internal")
    assert b"db.internal" not in answer.body


def test_a_stream_whose_handler_raises_ends_with_an_internal_fault(attacked: Any) -> None:
    first, last = attacked.request("GET", f"{API}/crashes", b"", "Accept: application/x-ndjson").body.splitlines()
    fault = json.loads(last)["entrepot:fault"]
    assert (json.loads(first), fault["kind"]) == ({"number": 1}, "internal")
    assert b"db.internal" not in last
    assert "the cursor at db.internal broke" in attacked.logged(fault["trace_id"])["traceback"]


@pytest.mark.parametrize("what", ["interrupt", "cancelled", "generator", "panic"])
def test_whatever_a_stream_raises_is_told_at_its_end(attacked: Any, what: str) -> None:
    answer = attacked.request("GET", f"{API}/raised-in-a-stream/{what}", b"", "Accept: application/x-ndjson")
    first, last = answer.body.splitlines()
    fault = json.loads(last)["entrepot:fault"]
    assert (json.loads(first), fault["kind"]) == ({"number": 1}, "internal")
    assert "Traceback" in attacked.logged(fault["trace_id"])["traceback"]


@pytest.mark.parametrize("what", ["exit", "interrupt", "cancelled", "generator", "panic"])
def test_whatever_one_of_a_batch_raises_is_its_own_answer_alone(attacked: Any, what: str) -> None:
    calls = [("target.raised", {"what": what}), ("target.key", {"key": "a"})]
    batch = [{"jsonrpc": "2.0", "id": id, "method": name, "params": given} for id, (name, given) in enumerate(calls)]
    failed, answered = attacked.request("POST", "/jsonrpc", batch).json()
    assert (failed["error"]["data"]["kind"], answered["result"]) == ("internal", "a")


@pytest.mark.parametrize("what", ["text", "nothing", "inside", "an-object"])
def test_an_output_of_another_type_is_not_shown(attacked: Any, what: str) -> None:
    answer = attacked.request("GET", f"{API}/wrong/{what}")
    assert (answer.status, answer.kind) == (500, "internal")
    assert b"db.internal" not in answer.body
    assert attacked.logged(answer.json()["trace_id"])["operation"] == "target.wrong"


# Hosted applications


@pytest.mark.parametrize("path", ["raises", "exits", "is-interrupted"])
def test_a_hosted_application_that_raises_shows_nothing_of_itself(attacked: Any, path: str) -> None:
    answer = attacked.request("GET", f"/old/{path}")
    assert (answer.status, answer.kind) == (500, "internal")
    assert b"db.internal" not in answer.body
    assert "Traceback" in attacked.logged(answer.json()["trace_id"])["traceback"]


def test_a_hosted_application_that_gives_no_answer(attacked: Any) -> None:
    assert attacked.request("GET", "/old/says-nothing").status == 500


@pytest.mark.parametrize("path", ["raises-amid-the-answer", "says-too-little"])
def test_a_hosted_answer_that_breaks_off_is_never_taken_for_whole(attacked: Any, path: str) -> None:
    answer = attacked.request("GET", f"/old/{path}")
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "1000", b"begun")


def test_a_hosted_answer_longer_than_it_says_is_no_second_answer(attacked: Any) -> None:
    octets = head("GET", "/old/says-too-much", b"").replace(b"Connection: close\r\n", b"")
    first, second = attacked.send_all(octets + head("GET", f"{API}/keys/a", b""))
    assert (first.body, second.json()) == (b"begun", "a")


def test_a_hosted_header_that_holds_a_line_break_is_not_sent(attacked: Any) -> None:
    answer = attacked.request("GET", "/old/breaks-its-headers")
    assert (answer.status, answer.kind) == (503, "unavailable")
    assert "x-other" not in answer.headers
