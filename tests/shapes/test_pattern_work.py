"""Patterns are judged before a text is: those that could keep a process busy are never taken."""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from entrepot.model import shape as s
from entrepot.shapes.class_fields import NoShape
from entrepot.shapes.document import Tree
from entrepot.shapes.pattern_work import Uncountable, ways
from entrepot.shapes.patterns import prove
from entrepot.shapes.reflect import Reflector
from entrepot.shapes.schema_in import Reader

EXPONENTIAL = [
    "^(a+)+$",
    "^(a|a)*$",
    "^(a|aa)+$",
    r"^(\w+\s?)*$",
    "(x+x+)+y",
    r"^([A-Z]{1,20}\s?){1,5}$",
    "^(a|b|ab)*c$",
]
LONG = ["^a*a*$", "[a-z]+[0-9]", r"^\S+@\S+$", r"^[^@]+@[^@]+\.[^@]+$", "a.*b.*c", "^(.*,)?.*$", "(?=.*a)b"]
CHEAP = [
    "", "a", "[a-z]+", "^[a-z]*$", "^[a-z]+(-[a-z]+)*$", r"^(\w+\.)*\w+$", "^(cat|car|cart)$", "^https?://",
    "^[A-Z]{2}[A-Z0-9]{9}[0-9]$", r"^(\d{1,3}\.){3}\d{1,3}$", "^[A-Z]{1,3}[0-9A-Z]{1,20}$", "^.{1,1000}$",
    r"^[\w.%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}$", r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$",
    r"^(?=.*[A-Z])(?=.*\d).{8,}$", r"^a$(?!\n)", r"^\s*$", r"^\D+\d\S\W$",
]  # fmt: skip


@pytest.mark.parametrize("pattern", CHEAP)
def test_a_cheap_pattern_is_taken_for_texts_of_any_length(pattern: str) -> None:
    prove(pattern, None)


@pytest.mark.parametrize("pattern", LONG)
def test_a_pattern_whose_work_grows_faster_than_the_text_is_taken_for_short_texts(pattern: str) -> None:
    with pytest.raises(ValueError, match="bound the text's length"):
        prove(pattern, None)
    prove(pattern, 16)


@pytest.mark.parametrize("pattern", EXPONENTIAL)
def test_a_pattern_that_may_take_for_ever_is_never_taken(pattern: str) -> None:
    with pytest.raises(ValueError, match="endless time"):
        prove(pattern, 30)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"^(a)\1$", "refers back"),
        ("^(a?b?)*$", "repeats what may be empty"),
        ("^(?i:a)$", "changes flags"),
        ("^a{5000}$", "too long"),
        ("^" + "a?" * 40 + "a" * 40 + "$", "too entangled"),
    ],
)
def test_what_cannot_be_told_is_not_taken(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        prove(pattern, None)


def test_an_author_is_told_where() -> None:
    class Account(msgspec.Struct):
        name: Annotated[str, msgspec.Meta(pattern=EXPONENTIAL[0])]

    with pytest.raises(NoShape, match=r"Account\.name: the pattern '\^\(a\+\)\+\$' would take endless time"):
        Reflector().shape(Account)


@pytest.mark.parametrize("kind", [{}, {"x-entrepot": {"kind": "text"}, "format": "date"}])
def test_a_foreign_documents_pattern_is_left_out_and_told(kind: dict[str, str]) -> None:
    reader = Reader(Tree({}))
    read = reader.read({"type": "string", "pattern": EXPONENTIAL[0]} | kind, "/a")
    assert read.shape == s.Text(format=kind.get("format"))
    [gap] = reader.loosened
    assert (gap.pointer, gap.construct) == ("/a/pattern", "pattern")


# The law


@given(st.data())
@settings(max_examples=1000)
def test_matching_takes_no_more_steps_than_was_counted(data: st.DataObject) -> None:
    begin, end = data.draw(st.sampled_from(["^", ""])), data.draw(st.sampled_from([r"\Z", ""]))
    pattern = begin + data.draw(PATTERNS) + end
    text = data.draw(TEXTS)
    try:
        counted = ways(f"(?a){pattern}", len(text))
    except Uncountable:
        assume(False)
    assume(counted < math.inf)
    assert Matcher(pattern, text, steps_max=40 * (counted + 1) * (len(text) + 1)).found() == bool(
        re.search(pattern, text)
    )


PATTERNS = st.recursive(
    st.sampled_from(["a", "b", "[ab]", "[^a]", ".", r"\w"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("({0[0]}|{0[1]})".format),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "*?", "{0,3}", "{2}", "{1,2}"])).map("({0[0]}){0[1]}".format),
        inner.map("(?={})".format),
    ),
    max_leaves=8,
)
TEXTS = st.one_of(
    st.tuples(st.sampled_from(["a", "b", "ab"]), st.integers(0, 20), st.sampled_from(["", "!", "b"])).map(
        lambda parts: parts[0] * parts[1] + parts[2]
    ),
    st.text("ab!", max_size=30),
)
Continue = Callable[[int], bool]


class Matcher:
    """A matcher that tries one way after another, and counts the characters it looks at."""

    def __init__(self, pattern: str, text: str, steps_max: float) -> None:
        self.codes: Any = importlib.import_module("re._constants")
        self.items = list(importlib.import_module("re._parser").parse(f"(?a){pattern}"))  # type: ignore[attr-defined]
        self.text = text
        self.steps_left = steps_max

    def found(self) -> bool:
        return any(self.sequence(self.items, start, lambda _: True) for start in range(len(self.text) + 1))

    def sequence(self, items: list[Any], at: int, then: Continue) -> bool:
        if not items:
            return then(at)
        code, argument = items[0]
        return self.item(str(code), argument, at, lambda after: self.sequence(items[1:], after, then))

    def item(self, code: str, argument: Any, at: int, then: Continue) -> bool:
        match code:
            case "AT":
                return at == (0 if str(argument) == "AT_BEGINNING" else len(self.text)) and then(at)
            case "SUBPATTERN":
                return self.sequence(list(argument[3]), at, then)
            case "BRANCH":
                return any(self.sequence(list(arm), at, then) for arm in argument[1])
            case "ASSERT":
                return self.sequence(list(argument[1]), at, lambda _: True) and then(at)
            case "MAX_REPEAT" | "MIN_REPEAT":
                return self.repeat(argument, 0, at, then, lazy=code == "MIN_REPEAT")
            case _:
                return self.character(code, argument, at) and then(at + 1)

    def repeat(self, argument: Any, count: int, at: int, then: Continue, *, lazy: bool) -> bool:
        low, high, items = argument

        def more() -> bool:
            def again(after: int) -> bool:
                return (after != at or count < low) and self.repeat(argument, count + 1, after, then, lazy=lazy)

            return (high is self.codes.MAXREPEAT or count < high) and self.sequence(list(items), at, again)

        if count < low:
            return more()
        return (then(at) or more()) if lazy else (more() or then(at))

    def character(self, code: str, argument: Any, at: int) -> bool:
        self.steps_left -= 1
        assert self.steps_left > 0, "more steps than were counted"
        if at == len(self.text):
            return False
        given = self.text[at]
        match code:
            case "LITERAL":
                return ord(given) == argument
            case "NOT_LITERAL":
                return ord(given) != argument
            case "ANY":
                return given != "\n"
            case _:
                return any(self.listed(str(kind), one, given) for kind, one in argument)

    @staticmethod
    def listed(kind: str, one: Any, given: str) -> bool:
        return given.isalnum() if kind == "CATEGORY" else ord(given) == one
