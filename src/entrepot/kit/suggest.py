"""Did you mean: the known name that a person most likely wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

NOTHING: Mapping[str, str] = MappingProxyType({})


def nearest(name: str, known: Iterable[str], synonyms: Mapping[str, str] = NOTHING) -> str:
    """The known name that `name` resembles or means, or ""."""
    from difflib import get_close_matches  # only needed when something is wrong

    names = {candidate.lower(): candidate for candidate in known}
    word = name.lower().replace("-", "_")
    if synonyms.get(word) in names:
        return names[synonyms[word]]
    extended = [candidate for candidate in names if candidate.startswith(word) or word.startswith(candidate)]
    return next((names[match] for match in get_close_matches(word, names, n=1) or extended), "")


def did_you_mean(name: str, known: Iterable[str], synonyms: Mapping[str, str] = NOTHING) -> str:
    """A remedy: the nearest name, else the list of those there are, else ""."""
    names = sorted(known)
    match = nearest(name, names, synonyms)
    if match:
        return f"Did you mean `{match}`?"
    return f"There is: {', '.join(names)}." if names else ""
