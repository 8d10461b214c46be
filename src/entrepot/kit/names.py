"""One way to turn a foreign name into ours, used by every importer and every protocol."""

from __future__ import annotations

import keyword
import re

PATH_VARIABLE = re.compile(r"\{([^{}/]+)\}")
"""A variable in the template of a path, which stands for text inside one segment."""

_MAJOR = re.compile(r"v?([0-9]{1,9})")
_WORD = re.compile(r"(?:[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z])[0-9]*|[0-9]+")


def words(name: str) -> list[str]:
    """The words of a name in any style: `getHTTPBin_v2` gives get, http, bin, v2."""
    return [match.lower() for match in _WORD.findall(name)]


def snake(name: str) -> str:
    """A Python identifier in snake_case; never empty, a keyword or a leading digit."""
    joined = "_".join(words(name)) or "value"
    if joined[0].isdigit() or keyword.iskeyword(joined):
        return f"{joined}_" if keyword.iskeyword(joined) else f"n{joined}"
    return joined


def pascal(name: str) -> str:
    """A class name in PascalCase; never empty or with a leading digit."""
    joined = "".join(word.capitalize() for word in words(name)) or "Value"
    return f"N{joined}" if joined[0].isdigit() else joined


def major(version: object) -> str:
    """The first number of a foreign version, which stands in addresses: `v2.1.0` gives 2; "1" when it has none."""
    found = _MAJOR.match(str(version))
    return found[1] if found else "1"


def unique(name: str, taken: dict[str, int]) -> str:
    """`name`, or `name_2`, `name_3` … so that no two differ by case only; adds it to `taken`.

    `taken` holds names in lower case, each with the last number that was put behind it: a document may call
    everything the same.
    """
    candidate, count = name, taken.get(name.lower(), 1)
    while candidate.lower() in taken:
        count += 1
        candidate = f"{name}_{count}"
    taken[name.lower()] = count
    taken.setdefault(candidate.lower(), 1)
    return candidate
