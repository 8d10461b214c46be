from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.spec.units import octets, seconds


@pytest.mark.parametrize(("text", "value"), [("500ms", 0.5), ("2s", 2.0), ("1.5m", 90.0), ("1h", 3600.0), ("0s", 0.0)])
def test_durations(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize(("text", "value"), [("512B", 512), ("1kB", 1000), ("64KiB", 65536), ("2MiB", 2097152)])
def test_sizes(text: str, value: int) -> None:
    assert octets(text) == value


@pytest.mark.parametrize("text", ["", "2", "s", "2 s", "2S", "-1s", "1e3s", "2s\n", "٣s", "1.s", ".5s", "9999999s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not of the form"):
        seconds(text)


@given(st.text("0123456789.kKMGiB\n ", max_size=8))
def test_any_text_is_a_size_or_is_refused(text: str) -> None:
    with suppress(ValueError):
        assert octets(text) >= 0
