"""Upstreams that are away, slow, half-open, lying or outside their contract."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from support.misdeeds import BROKEN, ODD, OUTSIDE, PROBLEMS, RPC, SILENT, STREAMS, THING
from support.processes import MIB
from support.raw_client import head

REST = "/api/things/v1"


def both(attacked: Any, case: str) -> tuple[Any, Any]:
    """The answers over REST and over JSON-RPC."""
    return attacked.request("GET", f"{REST}/things/{case}"), attacked.rpc("things.get_thing", {"case": case})


def test_one_that_answers_in_order(attacked: Any) -> None:
    over_rest, over_rpc = both(attacked, "fine")
    assert over_rest.json() == over_rpc.json()["result"] == {"id": 1, "name": "x"}
    assert attacked.rpc("ledger.entry", {"case": "rpc-fine"}).json()["result"] == {"id": 1, "name": "x"}


def test_ones_that_are_silent_run_into_the_deadline(attacked: Any) -> None:
    with ThreadPoolExecutor(len(SILENT)) as pool:
        answers = dict(zip(SILENT, pool.map(lambda case: both(attacked, case), SILENT), strict=True))
    for case, (over_rest, over_rpc) in answers.items():
        problem, error = over_rest.json(), over_rpc.json()["error"]
        assert (case, over_rest.status, problem["upstream"]) == (case, 504, "things")
        assert (case, error["data"]["kind"], error["data"]["upstream"]) == (case, "timeout", "things")


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_http_response(attacked: Any, case: str) -> None:
    over_rest, over_rpc = both(attacked, case)
    problem, error = over_rest.json(), over_rpc.json()["error"]
    assert (over_rest.status, problem["kind"], problem["upstream"]) == (502, "upstream_failed", "things")
    assert (error["data"]["kind"], error["data"]["upstream"]) == ("upstream_failed", "things")


@pytest.mark.parametrize("case", OUTSIDE)
def test_what_is_outside_the_contract(attacked: Any, case: str) -> None:
    over_rest, over_rpc = both(attacked, case)
    problem, error = over_rest.json(), over_rpc.json()["error"]
    assert (over_rest.status, problem["kind"], problem["upstream"]) == (502, "upstream_failed", "things")
    assert (error["code"], error["data"]["upstream"], error["message"]) == (-32052, "things", problem["detail"])
    assert problem.get("errors") == error["data"].get("errors")


@pytest.mark.parametrize(
    ("case", "place"),
    [("wrong-type", "/id"), ("missing", "/name"), ("nan-in-text", "/price"), ("huge-exponent", "/id"), ("array", "")],
)
def test_the_place_is_told(attacked: Any, case: str, place: str) -> None:
    assert attacked.request("GET", f"{REST}/things/{case}").places == [place]


@pytest.mark.parametrize("case", ODD)
def test_oddities_that_do_no_harm(attacked: Any, case: str) -> None:
    answer = attacked.request("GET", f"{REST}/things/{case}")
    assert answer.json() == {"id": 1, "name": "x"}
    assert not [name for name in answer.headers if name.startswith(("x-", "set-cookie"))]


@pytest.mark.parametrize("case", PROBLEMS)
def test_errors_with_nonsense_inside(attacked: Any, case: str) -> None:
    over_rest, over_rpc = both(attacked, case)
    assert over_rest.status == (502 if case.startswith("500") else int(case[:3]))
    assert over_rest.kind == over_rpc.kind
    assert b"secret" not in over_rest.body + over_rpc.body
    assert "x" not in over_rest.headers


def test_an_internal_failure_of_an_upstream_is_none_of_ours(attacked: Any) -> None:
    problem = attacked.request("GET", f"{REST}/things/500-html").json()
    assert (problem["kind"], problem["upstream"]) == ("upstream_failed", "things")
    assert problem["detail"] == "things answered 500"


@pytest.mark.parametrize("case", STREAMS)
def test_streams_that_break_end_with_a_fault(attacked: Any, case: str) -> None:
    first, last = attacked.request("GET", f"{REST}/lines/{case}").body.splitlines()
    assert first == b'{"id":1,"name":"x"}'
    assert last.startswith(b'{"entrepot:fault":')
    assert b'"upstream":"things"' in last


def test_a_line_without_end(attacked: Any) -> None:
    answer = attacked.request("GET", f"{REST}/lines/lines-endless-line")
    assert (answer.status, answer.kind, answer.json()["upstream"]) == (502, "upstream_failed", "things")


def test_a_stream_without_end_is_held_back_by_its_reader(attacked: Any) -> None:
    with attacked.connect() as connection:
        connection.sendall(head("GET", f"{REST}/lines/lines-endless", b""))
        received = 0
        while received < 4 * MIB:
            received += len(connection.recv(65536))


@pytest.mark.parametrize("case", RPC)
def test_a_json_rpc_upstream_outside_its_contract(attacked: Any, case: str) -> None:
    error = attacked.rpc("ledger.entry", {"case": case}).json()["error"]
    assert (error["code"], error["data"]["kind"], error["data"]["upstream"]) == (-32052, "upstream_failed", "ledger")


def test_one_that_is_away(attacked: Any) -> None:
    problem = attacked.request("GET", "/api/away/v1/things/x").json()
    error = attacked.rpc("away.get_thing", {"case": "x"}).json()["error"]
    assert (problem["status"], problem["upstream"]) == (502, "away")
    assert (error["data"]["kind"], error["data"]["upstream"]) == ("upstream_failed", "away")


@pytest.mark.parametrize("case", ["short", "resets-in-a-body", "drips-a-body", "stalls-in-a-body", "endless"])
def test_a_file_that_breaks_off_is_never_taken_for_whole(attacked: Any, case: str) -> None:
    with attacked.connect() as connection:
        connection.sendall(head("GET", f"{REST}/files/{case}", b""))
        received = b""
        while len(received) < 4 * MIB and (octets := connection.recv(65536)):
            received += octets
    first, _, body = received.partition(b"\r\n\r\n")
    announced = [
        int(line.split(b":")[1]) for line in first.lower().split(b"\r\n") if line.startswith(b"content-length:")
    ]
    if first.startswith(b"HTTP/1.1 200"):
        assert not body.endswith(b"0\r\n\r\n")
        assert announced in ([], [1_000_000])
        assert len(body) != 1_000_000
    else:
        assert first.startswith((b"HTTP/1.1 502", b"HTTP/1.1 504"))


# Pass-through: the edge alone stands between


def test_one_that_is_away_or_mute_is_named_on_a_pass_through_route(attacked: Any) -> None:
    away, mute = attacked.request("GET", "/away/x"), attacked.request("POST", "/mute/x", b"{}")
    assert (away.status, away.kind, away.json()["upstream"]) == (502, "upstream_failed", "away")
    assert (mute.status, mute.kind, mute.json()["upstream"]) == (504, "timeout", "mute")
    assert len({away.json()["trace_id"], mute.json()["trace_id"]}) == 2


@pytest.mark.parametrize("case", ["hangs", "half-a-head", "drips-headers"])
def test_pass_through_to_silence_runs_into_the_timeout(attacked: Any, case: str) -> None:
    answer = attacked.request("GET", f"/through/{case}")
    assert (answer.status, answer.kind, answer.json()["upstream"]) == (504, "timeout", "things")


def test_interim_responses_without_end_run_into_the_timeout_of_the_route(attacked: Any) -> None:
    """Each lifts Envoy's timeout for the beginning of an answer: a route that has none of its own waits for ever."""
    answer = attacked.request("GET", "/timed/only-interim")
    assert (answer.status, answer.kind, answer.json()["upstream"]) == (504, "timeout", "things")


BEGUN = {"short", "resets-in-a-body", "breaks-off-in-a-chunk", "huge-announced", "bad-chunk", "huge-chunk"}
"""Their answer has begun before anybody can know."""
PASSED_ON = {"status-999": 999, "unasked-upgrade": 101}
"""Odd, and for the caller to judge."""


@pytest.mark.parametrize("case", sorted(BROKEN.keys() - BEGUN - PASSED_ON.keys()))
def test_pass_through_of_what_is_no_http_response(attacked: Any, case: str) -> None:
    answer = attacked.request("GET", f"/through/{case}")
    problem = answer.json()
    assert (answer.status, problem["kind"], problem["upstream"]) == (502, "upstream_failed", "things")
    assert len(problem["trace_id"]) == 32


@pytest.mark.parametrize("path", [*(f"/through/{case}" for case in sorted(BEGUN)), "/timed/stalls-in-a-body"])
def test_a_pass_through_that_breaks_off_is_never_taken_for_whole(attacked: Any, path: str) -> None:
    first, body = received(attacked, path)
    assert first.startswith(b"HTTP/1.1 200")
    announced = re.search(rb"content-length: (\d+)", first)
    if announced:
        assert len(body) < int(announced[1])
    else:
        assert b"transfer-encoding: chunked" in first
        assert not body.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize(("case", "status"), PASSED_ON.items())
def test_an_odd_status_passes_through_and_ends(attacked: Any, case: str, status: int) -> None:
    first, body = received(attacked, f"/through/{case}")
    assert first.startswith(b"HTTP/1.1 %d" % status)
    assert body in (b"", THING)


@pytest.mark.parametrize("case", PROBLEMS)
def test_an_upstreams_own_error_passes_through_unchanged(attacked: Any, case: str) -> None:
    own: Any = PROBLEMS[case]
    answer = attacked.request("GET", f"/through/{case}")
    assert (answer.status, answer.body) == (int(case[:3]), own.partition(b"\r\n\r\n")[2])


def received(attacked: Any, path: str) -> tuple[bytes, bytes]:
    """The head of the answer and all that follows, as it came."""
    with attacked.connect() as connection:
        connection.sendall(head("GET", path, b""))
        octets = b"".join(iter(lambda: connection.recv(65536), b""))
    first, _, body = octets.partition(b"\r\n\r\n")
    return first.lower().replace(b"http/1.1", b"HTTP/1.1"), body
