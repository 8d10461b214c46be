"""What would keep a process busy for days is given up after a moment, and told with its place."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from entrepot.kit.limits import Limits
from entrepot.model import shape as s
from entrepot.model.faults import Invalid
from entrepot.shapes import patience, text
from entrepot.shapes.patience import Exhausted
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


def test_many_texts_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes a hundredth of the time; the first that is too many is told."""
    monkeypatch.setattr(patience, "SECONDS_MAX", 0.2)
    slow = s.Text(pattern="^(a|b)*(c|d)*$")
    items = ["a" * 20_000] * 3000
    with pytest.raises(Invalid) as refused:
        Values({}, limits=Limits(body_bytes_max=2**30)).codec(s.List(item=slow)).of_plain([*items, 7])
    assert refused.value.issues[0].code == "pattern"
    assert 0 < int(refused.value.issues[0].pointer[1:]) < 3000


def test_a_long_value_whose_patterns_cost_little_is_read() -> None:
    text = b"[%b1]" % (b'"abc",' * 200_000)
    with pytest.raises(Invalid) as refused:
        codec(s.List(item=s.Text(pattern="^[a-z]*$"))).decode(text)
    assert [(issue.pointer, issue.code) for issue in refused.value.issues] == [("/200000", "type")]


def forever(_: None) -> None:
    while True:
        pass


def test_what_runs_within_something_bounded_shares_its_time() -> None:
    with pytest.raises(Exhausted):
        patience.run(lambda given: patience.run(forever, given, 1000), None, 0.05)
    with pytest.raises(Exhausted):
        patience.run(forever, None, 0)


def test_nothing_is_bounded_where_no_timer_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience._Watch, "thread", None)
    assert patience.run(lambda given: signal.getitimer(signal.ITIMER_VIRTUAL), None, 0) == (0.0, 0.0)
