from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from entrepot.control.backoff import DELAY_FIRST, DELAY_MAX, SHORT_LIFE, Restarts

lives = st.lists(st.floats(min_value=0, max_value=100), max_size=40)


def after(lifetimes: list[float]) -> Restarts:
    restarts = Restarts()
    for lived in lifetimes:
        restarts = restarts.after(lived)
    return restarts


def test_a_process_that_lived_long_is_started_at_once() -> None:
    assert after([SHORT_LIFE]).delay == 0


def test_one_that_keeps_failing_waits_twice_as_long_each_time() -> None:
    delays = [after([0.0] * failures).delay for failures in range(1, 9)]
    assert delays == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_a_long_life_forgives_everything() -> None:
    assert after([0.0] * 9 + [SHORT_LIFE]) == Restarts()


@given(lives)
def test_the_delay_is_bounded(lifetimes: list[float]) -> None:
    delay = after(lifetimes).delay
    assert delay == 0 or DELAY_FIRST <= delay <= DELAY_MAX


@given(st.integers(min_value=1, max_value=100_000))
def test_the_delay_never_shrinks_while_it_fails(failures: int) -> None:
    delays = [Restarts(count).delay for count in range(failures, failures + 5)]
    assert all(earlier <= later for earlier, later in pairwise(delays))
