"""Server-sent events and lines of JSON: written, cut anywhere, and read again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.http.lines import TRAILER, LineDecoder, write_lines
from entrepot.http.sse import EventDecoder, event
from entrepot.model.fault import Fault
from entrepot.model.faults import Malformed, TooLarge


def cut(data: bytes, places: list[int]) -> Iterator[bytes]:
    """The data in chunks that end at these places."""
    marks = sorted({place % (len(data) + 1) for place in places})
    for start, stop in zip([0, *marks], [*marks, len(data)], strict=True):
        yield data[start:stop]


CUTS = st.lists(st.integers(0, 10_000), max_size=6)
JSON_DATA = st.binary(max_size=20).map(lambda data: data.translate(None, b"\r\n"))


@given(st.lists(JSON_DATA, max_size=5), CUTS, st.sampled_from([b"\n", b"\r\n"]))
def test_lines_are_found_in_any_chunks(written, places, end):
    data = end.join([*written, b""])
    decoder = LineDecoder(1000)
    found = [line.rstrip(b"\r") for chunk in cut(data, places) for line in decoder.feed(chunk)]
    assert found == [line.rstrip(b"\r") for line in written]
    assert decoder.end() == b""


@given(
    st.lists(st.tuples(JSON_DATA, st.sampled_from(["", "error", "price"])), max_size=4),
    CUTS,
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
)
def test_events_are_found_in_any_chunks_and_with_any_line_ends(written, places, end):
    data = b"\xef\xbb\xbf" + b":hello\n\nretry: 10\n" + b"".join(event(data, "7", name) for data, name in written)
    decoder = EventDecoder(1000)
    found = [one for chunk in cut(data.replace(b"\n", end), places) for one in decoder.feed(chunk)]
    assert found == [(name, data) for data, name in written]


def test_events_are_read_as_the_standard_says():
    decoder = EventDecoder(1000)
    data = b"data\n\ndata:a\ndata: b\ndata:  c\nunknown: x\nid: 1\n\nevent: only a name\n\ndata: cut off"
    assert list(decoder.feed(data)) == [("", b""), ("", b"a\nb\n c")]


@pytest.mark.parametrize("data", [b"data: " + b"x" * 50, b"data: xxxxx\n" * 20, b"x" * 200])
def test_an_event_beyond_the_limit_is_refused_before_it_is_held(data):
    with pytest.raises(TooLarge):
        list(EventDecoder(40).feed(data))


def test_a_line_beyond_the_limit_is_refused_in_the_smallest_chunks_too():
    decoder = LineDecoder(10)
    assert [line for _ in range(10) for line in decoder.feed(b"x")] == []
    with pytest.raises(TooLarge):
        list(decoder.feed(b"x"))


def test_an_event_name_that_is_not_text_is_malformed():
    with pytest.raises(Malformed):
        list(EventDecoder(100).feed(b"event: \xff\n\n"))


@given(st.lists(st.binary(max_size=30), max_size=8))
def test_any_bytes_are_events_or_a_fault(pieces):
    decoder = EventDecoder(60)
    try:
        for piece in pieces:
            list(decoder.feed(piece))
    except Fault:
        pass


async def test_an_item_that_looks_like_the_trailer_is_not_one():
    item = {"entrepot:fault": 1}

    async def items() -> AsyncIterator[Any]:
        yield item

    written = [line async for line in write_lines(items(), msgspec.json.encode, lambda error: b"{}")]
    assert written == [b" " + TRAILER + b"1}\n"]
    assert msgspec.json.decode(written[0]) == item
