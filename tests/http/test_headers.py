from __future__ import annotations

import pytest

from entrepot.http.headers import all_of, content_length
from entrepot.model.headers import header

HEADERS = [(b"accept", b"a/b"), (b"x", b"1"), (b"accept", b"c/d")]


def test_a_repeated_header_is_one_list() -> None:
    assert all_of(HEADERS, b"accept") == b"a/b, c/d"
    assert all_of(HEADERS, b"host") is None
    assert header(HEADERS, b"accept") == b"a/b"


@pytest.mark.parametrize(
    ("value", "length"),
    [(b"0", 0), (b"007", 7), (b"9" * 18, 10**18 - 1), (b"9" * 19, None), (b"", None), (b"-1", None), (b"\xb2", None)],
)
def test_a_length_is_a_number_of_at_most_18_digits(value: bytes, length: int | None) -> None:
    assert content_length(value) == length
