from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.kit import names, pointers
from entrepot.kit.diagnostics import Diagnostic, Place, Refused, has_errors
from entrepot.kit.ids import new_trace_id, trace_id_of


@given(st.lists(st.text()))
def test_a_pointer_gives_back_its_tokens(path: list[str]) -> None:
    assert pointers.tokens(pointers.pointer(path)) == path


def test_a_pointer_starts_with_a_slash() -> None:
    with pytest.raises(ValueError, match="starts with"):
        pointers.tokens("a/b")


@given(st.text())
def test_a_snake_name_is_an_identifier_and_its_own_snake_name(name: str) -> None:
    snake = names.snake(name)
    assert snake.isidentifier()
    assert names.snake(snake).rstrip("_") == snake.rstrip("_")


@given(st.text())
def test_a_pascal_name_is_an_identifier(name: str) -> None:
    assert names.pascal(name).isidentifier()


@pytest.mark.parametrize(
    ("name", "snake", "pascal"),
    [
        ("getHTTPBin_v2", "get_http_bin_v2", "GetHttpBinV2"),
        ("place-order", "place_order", "PlaceOrder"),
        ("class", "class_", "Class"),
        ("2fa", "n2_fa", "N2Fa"),
        ("", "value", "Value"),
    ],
)
def test_names(name: str, snake: str, pascal: str) -> None:
    assert (names.snake(name), names.pascal(name)) == (snake, pascal)


@pytest.mark.parametrize(
    ("version", "major"), [("2.1.0", "2"), ("v40", "40"), ("2024-05-01", "2024"), ("beta", "1"), (None, "1"), (3, "3")]
)
def test_the_major_version_stands_in_addresses(version: object, major: str) -> None:
    assert names.major(version) == major


@given(st.lists(st.sampled_from(["a", "A", "a_2", "b"])))
def test_unique_names_never_differ_by_case_alone(wanted: list[str]) -> None:
    taken: dict[str, int] = {}
    given_names = [names.unique(name, taken).lower() for name in wanted]
    assert len(set(given_names)) == len(given_names)


class Asked(dict[str, int]):
    """A dictionary that counts how often it was asked whether it has a name."""

    times = 0

    def __contains__(self, name: object) -> bool:
        self.times += 1
        return super().__contains__(name)


def test_what_everything_is_called_is_told_apart_without_counting_from_the_start_each_time() -> None:
    taken = Asked()
    assert [names.unique("op", taken) for _ in range(1000)][-1] == "op_1000"
    assert taken.times < 5 * 1000


def test_a_trace_id_is_found_in_its_traceparent() -> None:
    trace_id = new_trace_id()
    assert trace_id_of(f"00-{trace_id}-00f067aa0ba902b7-01") == trace_id


@pytest.mark.parametrize("header", ["", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", "00-zz-00-01", "nonsense\r\n"])
def test_a_broken_traceparent_gives_no_id(header: str) -> None:
    assert trace_id_of(header) == ""


def test_refused_lists_errors_before_warnings() -> None:
    warning = Diagnostic("E2", "odd", severity="warning")
    error = Diagnostic("E1", "wrong", Place("a.yaml", 3, 5), "mend it")
    refused = Refused([warning, error])
    assert refused.diagnostics == (error, warning)
    assert str(refused).startswith("a.yaml:3:5: error E1: wrong\n    mend it")
    assert has_errors(refused.diagnostics)
    assert not has_errors([warning])
