"""YAML by events: what scalars mean, where everything stands, and what is refused."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.kit.diagnostics import Refused
from entrepot.kit.pointers import pointer
from entrepot.spec.yaml import YamlLimits, parse, plain_scalar, read


def value(text: str) -> Any:
    return read(text.encode(), "f.yaml").value


def diagnostics(content: str | bytes, **limits: int) -> list[tuple[str, int, int]]:
    with pytest.raises(Refused) as refused:
        read(content.encode() if isinstance(content, str) else content, "f.yaml", YamlLimits(**limits))
    return [(each.code, each.place.line, each.place.column) for each in refused.value.diagnostics]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("NO", "NO"), ("yes", "yes"), ("on", "on"), ("y", "y"), ("true", True), ("FALSE", False), ("tRue", "tRue"),
        ("null", None), ("~", None), ("", None), ("nUll", "nUll"),
        ("010", 10), ("0o10", 8), ("0x1F", 31), ("0b1", "0b1"), ("1_000", "1_000"), ("+12", 12), ("-0", 0),
        ("1.10", Decimal("1.10")), (".5", Decimal("0.5")), ("1.", Decimal(1)), ("1e3", Decimal("1E+3")),
        ("12:30:45", "12:30:45"), ("2026-11-20", "2026-11-20"), (".", "."), ("-", "-"), ("+x", "+x"), ("0o9", "0o9"),
        ("90071992547409931", 90071992547409931),
    ],
)  # fmt: skip
def test_plain_scalars_follow_the_core_schema(text: str, meaning: object) -> None:
    found = plain_scalar(text)
    assert (found, type(found)) == (meaning, type(meaning))


def test_a_decimal_keeps_its_digits() -> None:
    assert str(value("a: 1.10")["a"]) == "1.10"


def test_quotes_make_text() -> None:
    assert value("""{a: "010", b: 'null', c: ""}""") == {"a": "010", "b": "null", "c": ""}


def test_keys_are_text_as_they_are_spelled() -> None:
    assert value("200: a\nNO: b\n1.10: c\nnull: d\n") == {"200": "a", "NO": "b", "1.10": "c", "null": "d"}


def test_an_empty_file_is_null() -> None:
    assert value("# nothing\n") is None


def test_a_byte_order_mark_is_skipped() -> None:
    assert read(b"\xef\xbb\xbfa: 1", "f").value == {"a": 1}


def test_places_of_keys_and_values() -> None:
    positions = read("a:\n  bé: [x,\n    {c/d: 1}]\n".encode(), "f.yaml").positions
    assert str(positions.key("/a/bé")) == "f.yaml:2:3"
    assert str(positions.value("/a/bé")) == "f.yaml:2:7"
    assert str(positions.value("/a/bé/1/c~1d")) == "f.yaml:3:11"
    assert str(positions.key("/a/bé/1")) == "f.yaml:3:5"


def test_the_place_of_what_is_missing_is_the_nearest_around_it() -> None:
    positions = read(b"a:\n  b: 1\n", "f").positions
    assert positions.value("/a/x/y") == positions.value("/a")
    assert positions.key("/a/x/y") == positions.key("/a")


def test_an_alias_repeats_its_anchor_and_keeps_its_own_key() -> None:
    parsed = read(b"a: &x {b: 1}\nc: *x\n", "f")
    assert parsed.value == {"a": {"b": 1}, "c": {"b": 1}}
    assert str(parsed.positions.key("/c")) == "f:2:1"
    assert str(parsed.positions.value("/c/b")) == "f:1:11"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", [("E003", 3, 1)]),
        ("a: !!str 1", [("E005", 1, 4)]),
        ("a: !secret x", [("E005", 1, 4)]),
        ("a: *b", [("E006", 1, 4)]),
        ("a: &a [*a]", [("E006", 1, 8)]),
        ("a: 1\n---\nb: 2", [("E007", 2, 1)]),
        ("<<: {a: 1}", [("E004", 1, 1)]),
        ("? [a]\n: 1", [("E004", 1, 3)]),
        ("? {a: 1}\n: 1", [("E004", 1, 3)]),
        ("a: &x 1\n? *x\n: 2", [("E004", 2, 3)]),
        ("a: .inf", [("E009", 1, 4)]),
        ("a: -.INF", [("E009", 1, 4)]),
        ("a: .NaN", [("E009", 1, 4)]),
        ("a: " + "9" * 1001, [("E009", 1, 4)]),
        ("a: 1e99999999999999999999", [("E009", 1, 4)]),
        ("a: 1e1001", [("E009", 1, 4)]),
        ("a: [1", [("E002", 2, 1)]),
        ("a: b: c", [("E002", 1, 5)]),
        ("a: \x01", [("E002", 1, 4)]),
        (b"\xff", [("E002", 1, 1)]),
    ],
)
def test_what_is_refused(text: str | bytes, expected: list[tuple[str, int, int]]) -> None:
    assert diagnostics(text) == expected


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ("a:\n  b/c: [1, .inf]\n", "/a/b~1c/1"),
        ("a: {b: 1, b: 2}", "/a/b"),
        ("a: [1, {b: *c}]", "/a/1/b"),
        ("a: {b: [1", "/a/b/1"),
    ],
)
def test_a_problem_has_a_pointer_too(text: str, pointer: str) -> None:
    with pytest.raises(Refused) as refused:
        read(text.encode(), "f")
    assert [each.place.pointer for each in refused.value.diagnostics] == [pointer]


def test_all_problems_are_told_at_once() -> None:
    text = "a: 1\na: !!int 2\nb: *c\nd: .nan\n"
    assert [code for code, _, _ in diagnostics(text)] == ["E003", "E005", "E006", "E009"]


def test_a_quoted_merge_key_is_a_key() -> None:
    assert value("'<<': 1") == {"<<": 1}


def test_depth_is_bounded() -> None:
    assert value("[" * 5 + "]" * 5) == [[[[[]]]]]
    assert diagnostics("[" * 6 + "]" * 6, depth_max=5) == [("E008", 1, 6)]
    assert diagnostics("[" * 100_000)[0][0] == "E008"


def test_size_is_bounded() -> None:
    assert diagnostics("a: 1", bytes_max=3) == [("E008", 1, 1)]


def test_aliases_count_for_all_they_repeat() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for previous, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{previous}'] * 9)}]")
    assert diagnostics("\n".join(lines))[0][0] == "E008"


@pytest.mark.parametrize("text", ["- a\n" * 9, "[1, 2, 3, 4, 5, 6, 7, 8]", "{a: 1, b: 2, c: {d: 3, e: 4, f: 5, g: 6}}"])
def test_values_are_counted_as_they_come(text: str) -> None:
    assert diagnostics(text + "}", nodes_max=7)[0][0] == "E008"  # what follows is not looked at


def test_aliases_repeat_so_many_bytes_at_most() -> None:
    text = f"a: &a {'x' * 90}\nb: &b [*a, *a, *a]\nc: [*b, *b]\n"
    assert len(value(text)["c"]) == 2
    assert diagnostics(text, bytes_max=700) == [("E008", 3, 9)]


def test_of_two_equal_keys_the_second_holds_and_has_the_place() -> None:
    parsed = parse(b"a: 1\nb: 2\na: [3]\n", "f")
    assert parsed.value == {"a": [3], "b": 2}
    assert [str(parsed.positions.value(at)) for at in ("/a", "/a/0", "/b")] == ["f:3:4", "f:3:5", "f:2:4"]


def test_the_number_of_problems_is_bounded() -> None:
    assert len(diagnostics("a: *x\n" * 1000, diagnostics_max=7)) == 7


@given(st.binary(max_size=200))
def test_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(Refused):
        read(content, "f")


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8).filter(
    lambda name: name != "<<"
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


@given(PLAIN)
def test_json_means_the_same_in_yaml(plain: Any) -> None:
    assert read(json.dumps(plain, ensure_ascii=False).encode(), "f").value == plain


@given(st.dictionaries(NAMES, PLAIN, min_size=1, max_size=4))
def test_every_value_has_a_place_of_its_own(plain: dict[str, Any]) -> None:
    positions = read(json.dumps(plain, ensure_ascii=False, indent=1).encode(), "f").positions
    keys = [positions.key(pointer([name])) for name in plain]
    assert len(set(keys)) == len(keys)
    assert [key.line for key in keys] == sorted(key.line for key in keys)
