"""Pairs and multipart forms: written, cut anywhere, and read again; whatever comes, nothing but a fault."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.http.forms import format_pairs, parse_pairs
from entrepot.http.multipart import read_multipart
from entrepot.kit.limits import Limits
from entrepot.model.fault import Fault
from entrepot.model.faults import Malformed, TooLarge
from support.multipart import FORM, part
from support.rest_shop import chunks

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


@given(st.lists(st.tuples(TEXT, st.none() | TEXT), max_size=6))
def test_pairs_are_read_as_they_were_written(pairs):
    expected: dict[str, list[str | None]] = {}
    for name, value in pairs:
        # A name of nothing with no value is nothing at all.
        if name or value is not None:
            expected.setdefault(name, []).append(value)
    assert parse_pairs(format_pairs(pairs)) == expected


@given(st.binary(max_size=60))
def test_any_bytes_are_pairs_or_malformed(data):
    with contextlib.suppress(Malformed):
        parse_pairs(data)


async def test_a_large_file_goes_to_disk_and_can_be_read_in_parts_and_again():
    content = bytes(range(256)) * 8192
    form = part("f", content, '; filename="big"') + b"--b--"
    pieces = chunks(*(form[i : i + 65536] for i in range(0, len(form), 65536)))
    [found] = await read_multipart(pieces, FORM.encode(), {"f": len(content)}, Limits())
    file = found.file()
    assert file.size == len(content)
    for _ in range(2):
        assert await joined(file.open()) == content
    assert await joined(file.open(70_000, 70_010)) == content[70_000:70_010]
    assert await joined(file.open(len(content) - 3)) == content[-3:]


async def joined(body: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in body])


@pytest.mark.filterwarnings("error::ResourceWarning")
async def test_a_files_temporary_file_is_closed_when_nobody_holds_it():
    form = part("f", b"x" * 2_000_000, '; filename="big"') + b"--b--"
    found = await read_multipart(chunks(form), FORM.encode(), {"f": 10**7}, Limits())
    del found
    gc.collect()


@given(st.binary(max_size=200))
async def test_any_bytes_are_a_form_or_a_fault(data):
    with contextlib.suppress(Fault):
        await read_multipart(chunks(b"--b\r\n" + data), FORM.encode(), {"f": 100}, Limits())


async def test_too_much_of_a_form_is_not_read():
    async def endless() -> AsyncIterator[bytes]:
        yield part("f", b"")[:-2]
        while True:
            yield b"x" * 1000

    with pytest.raises(TooLarge):
        await read_multipart(endless(), FORM.encode(), {"f": 10_000}, Limits())
