"""Everything of a running project changes, and no request fails."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from support.checked_load import checked_gets
from support.served import BUSY, CODE, Served

SEED = 20260


@pytest.mark.parametrize("count", [20, pytest.param(3000, marks=(pytest.mark.full, pytest.mark.timeout(7200)))])
def test_routes_that_are_added_one_by_one_fail_no_request(served: Served, count: int) -> None:
    chosen = random.Random(SEED)
    routes = [*BUSY]
    workers = served.pids("worker")
    with served.under_load():
        for number in range(count):
            name = chosen.choice("ab")
            routes.insert(chosen.randrange(len(routes) + 1), f"/r{number} {name}")
            answer = served.changed(routes)
            assert answer["state"] == "live", answer
            assert served.got(f"/r{number}/x") == f"{name} /r{number}/x"
    assert served.pids("worker") == workers


def test_an_upstream_that_others_used_goes_without_a_failed_request(served: Served) -> None:
    with served.under_load(), checked_gets(served.running.port, "/other/x", b"b /other/x") as other:
        refused = served.changed(BUSY, b="removed")
        assert refused["state"] == "refused"
        assert "E305" in {each["code"] for each in refused["diagnostics"]}
        other.until_more(20)
    assert other.failures == []
    with served.under_load():
        assert served.changed(["/busy a", "/other a"], b="removed")["state"] == "live"
        assert served.got("/other/x") == "a /other/x"
        assert served.changed(BUSY)["state"] == "live"
        assert served.got("/other/x") == "b /other/x"


@pytest.mark.parametrize("times", [8, pytest.param(100, marks=(pytest.mark.full, pytest.mark.timeout(1800)))])
def test_timeouts_retries_and_limits_of_live_routes_change_without_a_failed_request(served: Served, times: int) -> None:
    chosen = random.Random(SEED)
    with served.under_load():
        for _ in range(times):
            seconds, attempts = chosen.randrange(5, 60), chosen.randrange(1, 9)
            settings = f", timeout: {seconds}s, retry: {{attempts: {attempts}}}"
            settings += f", balance: {chosen.choice(['round_robin', 'least_request'])}"
            settings += f", requests_max: {chosen.randrange(500, 900)}, ejection: {chosen.choice(['true', 'false'])}"
            answer = served.changed([f"/busy a , timeout: {seconds}s", "/other b"], a=settings)
            assert answer["state"] in ("live", "unchanged"), answer


def test_going_back_and_forth_fails_no_request(served: Served) -> None:
    with served.under_load():
        assert served.changed([*BUSY, "/more b"])["number"] == 2
        for number in range(3, 9):
            back = served.asked("/rollback")
            assert (back["state"], back["number"]) == ("live", number)
            assert (served.got("/more/x") == "b /more/x") == (number % 2 == 0)


def test_an_apply_says_when_it_was_live_everywhere_and_what_took_how_long(served: Served) -> None:
    edge_alone = served.changed([*BUSY, "/more b"])
    assert list(edge_alone["parts"]) == ["compile", "validate", "deliver", "settle"]
    assert sum(edge_alone["parts"].values()) <= edge_alone["seconds"]
    workers_too = served.recoded(CODE.replace("one", "two"))
    assert list(workers_too["parts"]) == ["compile", "validate", "start", "deliver", "settle"]
    moments = [datetime.fromisoformat(answer["live_at"]) for answer in (edge_alone, workers_too)]
    assert moments[0] < moments[1] < datetime.now(UTC)
