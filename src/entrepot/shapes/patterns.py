"""ECMA-262 regular expressions, as JSON Schema writes them, made into Python's."""

from __future__ import annotations

import functools
import re

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
