"""ECMA-262 regular expressions, as JSON Schema writes them, made into Python's."""

from __future__ import annotations

import functools
import math
import re

from entrepot.shapes import pattern_work

WAYS_MAX = 512
"""In how many ways a pattern may take a text (`pattern_work.ways`)."""

_TOKEN = re.compile(r"\\.|\[\^?|\]|\$|\(\?<(?![=!])|.", re.DOTALL)
_CLASS_NEVER, _CLASS_ALWAYS = re.compile(r"\[\]"), re.compile(r"\[\^\]")


@functools.lru_cache(maxsize=1024)
def python_pattern(ecma: str) -> str:
    r"""The same expression in Python's grammar.

    In Python `$` also matches before a final newline and `\d` takes any digit of Unicode; in
    ECMA-262 neither does. Raises ValueError when Python cannot express it (`\p{…}`, say).
    """
    translated = "(?a)" + "".join(_translate(ecma))
    try:
        re.compile(translated)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"the pattern {ecma!r} cannot be used: {error}") from None
    return translated


def prove(ecma: str, length_max: int | None) -> None:
    """Make sure that matching any text of at most this many characters is cheap.

    Raises ValueError when it is not, or cannot be told to be, and as `python_pattern` does.
    """
    try:
        ways = pattern_work.ways(python_pattern(ecma), length_max)
    except pattern_work.Uncountable as error:
        raise ValueError(f"the pattern {ecma!r} cannot be used: {error}") from None
    if ways == math.inf and pattern_work.ways(python_pattern(ecma), 1) == math.inf:
        raise ValueError(
            f"the pattern {ecma!r} would take endless time for some texts:"
            " it repeats what can be matched in several ways"
        )
    if ways > WAYS_MAX:
        raise ValueError(
            f"the pattern {ecma!r} would take long for a long text: begin it with ^, let each repetition end where the"
            " next one begins, or bound the text's length"
        )


def _translate(ecma: str) -> list[str]:
    ecma = _CLASS_NEVER.sub("(?!)", _CLASS_ALWAYS.sub(r"[\\s\\S]", ecma))
    out: list[str] = []
    in_class = False
    for token in _TOKEN.findall(ecma):
        if in_class:
            in_class = token != "]"
            out.append(r"\[" if token.startswith("[") else token)
        elif token.startswith("["):
            in_class = True
            out.append(token)
        elif token == "$":
            out.append(r"\Z")
        elif token == "(?<":
            out.append("(?P<")
        else:
            out.append(token)
    return out


@functools.lru_cache(maxsize=1024)
def compiled(ecma: str) -> re.Pattern[str]:
    """The expression ready for `search`. Raises ValueError as `python_pattern` does."""
    return re.compile(python_pattern(ecma))
