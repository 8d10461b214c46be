"""Failures in HTTP's own words."""

from __future__ import annotations

import msgspec
import pytest

from entrepot.http.bodies import TooSlow
from entrepot.http.problems import kind_of, problem_response, response, retry_after
from entrepot.model.call import Context
from entrepot.model.fault import KINDS
from entrepot.model.faults import NotFound, RateLimited, Unauthenticated, UnknownOperation
from entrepot.ports.faults import members_of

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_refusal_is_a_problem_with_the_callers_trace_id():
    answer = problem_response(UnknownOperation("no"), Context(traceparent=TRACE), headers=[(b"allow", b"GET")])
    assert msgspec.json.decode(answer.body) == {
        "type": "about:blank", "status": 404, "title": "There is no such operation", "detail": "no",
        "kind": "unknown_operation", "trace_id": "0af7651916cd43dd8448eb211c80319c",
    }  # fmt: skip
    assert answer.status == 404
    assert dict(answer.headers)[b"content-type"] == b"application/problem+json"
    assert dict(answer.headers)[b"content-length"] == b"%d" % len(answer.body)
    assert dict(answer.headers)[b"allow"] == b"GET"


def test_a_refusal_has_the_status_of_its_kind():
    assert problem_response(NotFound(), Context()).status == 404


def test_a_refusal_for_which_http_has_a_word_of_its_own_has_its_status():
    assert problem_response(TooSlow(), Context()).status == 408


@pytest.mark.parametrize(
    ("fault", "header"),
    [
        (Unauthenticated(), (b"www-authenticate", b"Bearer")),
        (RateLimited(retry_after=0.2), (b"retry-after", b"1")),
        (RateLimited(retry_after=3), (b"retry-after", b"3")),
    ],
)
def test_a_kind_may_have_a_header_of_its_own(fault, header):
    assert header in response(members_of(fault), 400).headers


@pytest.mark.parametrize("delay", [float("inf"), float("nan"), -1])
def test_a_delay_that_makes_no_sense_has_no_header(delay):
    assert b"retry-after" not in dict(response(members_of(RateLimited(retry_after=delay)), 429).headers)


def test_a_status_of_one_kind_alone_means_that_kind():
    statuses = [row.status for row in KINDS.values()]
    ours = ("internal", "cancelled")  # what an upstream says so is its own failure, and a refusal
    alone = {kind: row.status for kind, row in KINDS.items() if statuses.count(row.status) == 1 and kind not in ours}
    assert {kind: kind_of(status) for kind, status in alone.items()} == {kind: kind for kind in alone}
    assert [kind_of(status) for status in (400, 404, 418, 501, 599, 200)] == [
        "rejected", "not_found", "rejected", "upstream_failed", "upstream_failed", "upstream_failed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(b"7", 7.0), (b"Thu, 01 Jan 1970 00:00:00 GMT", 0.0), (b"soon", None), (b"-1", None), (b"9" * 10, None)],
)
def test_retry_after_is_read_in_both_its_forms(value, seconds):
    assert retry_after([(b"retry-after", value)]) == seconds


def test_no_header_is_no_delay():
    assert retry_after([]) is None
