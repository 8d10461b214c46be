"""What would keep a process busy for days is given up after a moment, and told with its place."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from entrepot.model import shape as s
from entrepot.model.faults import Invalid
from entrepot.shapes import patience, text
from entrepot.shapes.patience import Exhausted, bounded
from entrepot.shapes.scalars import NotOfShape
from entrepot.shapes.values import Codec, Values

CATASTROPHIC = s.Text(pattern="^(a+)+$")
ENDLESS = "a" * 60 + "!"
"""Python would look at 2^60 ways to match it."""


@pytest.fixture(autouse=True)
def _timer(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(patience, "SECONDS_MAX", 0.05)
    before = signal.getsignal(signal.SIGVTALRM)
    patience.install()
    yield
    signal.signal(signal.SIGVTALRM, before)
    monkeypatch.setattr(patience._Watch, "thread", None)


def codec(shape: s.Shape) -> Codec:
    return Values({}).codec(shape)


@pytest.mark.parametrize(
    ("shape", "document", "place"),
    [
        (CATASTROPHIC, f'"{ENDLESS}"', ""),
        (s.Nullable(shape=CATASTROPHIC), f'"{ENDLESS}"', ""),
        (s.List(item=CATASTROPHIC), f'["a","{ENDLESS}"]', "/1"),
        (s.Map(value=CATASTROPHIC), f'{{"x":"{ENDLESS}"}}', "/x"),
        (s.Union(arms=(CATASTROPHIC, s.List(item=CATASTROPHIC)), choose="kind"), f'["{ENDLESS}"]', "/0"),
        (s.Union(arms=(CATASTROPHIC, s.Uuid()), choose="trial"), f'"{ENDLESS}"', ""),
    ],
)
def test_a_text_that_takes_too_long_is_refused_with_its_place(shape: s.Shape, document: str, place: str) -> None:
    with pytest.raises(Invalid) as refused:
        codec(shape).decode(document.encode())
    [issue] = refused.value.issues
    assert (issue.pointer, issue.code) == (place, "pattern")


def test_plain_data_and_parameters_are_bounded_too() -> None:
    with pytest.raises(Invalid, match="does not fit"):
        codec(s.List(item=CATASTROPHIC)).of_plain([ENDLESS])
    with pytest.raises(NotOfShape, match="takes too long"):
        text.reader(CATASTROPHIC, {})(ENDLESS)


def test_the_next_text_has_its_own_time() -> None:
    for _ in range(3):
        with pytest.raises(Invalid):
            codec(CATASTROPHIC).decode(f'"{ENDLESS}"'.encode())
        assert codec(CATASTROPHIC).decode(b'"aaa"') == "aaa"


def test_what_is_bounded_within_something_bounded_shares_its_time() -> None:
    def forever(_: None) -> None:
        while True:
            pass

    inner = bounded(forever)
    with pytest.raises(Exhausted):
        bounded(lambda given: inner(given))(None)


def test_nothing_is_bounded_where_no_timer_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience._Watch, "thread", None)
    assert bounded(lambda given: signal.getitimer(signal.ITIMER_VIRTUAL))(None) == (0.0, 0.0)
