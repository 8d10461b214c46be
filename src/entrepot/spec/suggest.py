"""Did you mean: the known name that a person most likely wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

SYNONYMS = {
    "algorithm": "balance",
    "app": "asgi",
    "backend": "upstream",
    "bind": "listen",
    "concurrency": "workers",
    "healthcheck": "health",
    "healthchecks": "health",
    "load_balancing": "balance",
    "module": "python",
    "nodes": "endpoints",
    "outlier_detection": "ejection",
    "passive": "ejection",
    "paths": "path",
    "port": "listen",
    "prefix": "path",
    "processes": "workers",
    "protocols": "expose",
    "proxy_pass": "upstream",
    "read_timeout": "timeout",
    "response_timeout": "timeout",
    "retries": "retry",
    "servers": "endpoints",
    "service": "upstream",
    "strip_path": "strip_prefix",
    "target": "upstream",
    "targets": "endpoints",
    "uri": "path",
}
"""Words that other gateways use, with ours."""


def nearest(name: str, known: Iterable[str], synonyms: Mapping[str, str] = SYNONYMS) -> str:
    """The known name that `name` resembles or means, or ""."""
    from difflib import get_close_matches  # only needed when something is wrong

    names = {candidate.lower(): candidate for candidate in known}
    word = name.lower().replace("-", "_")
    if synonyms.get(word) in names:
        return names[synonyms[word]]
    extended = [candidate for candidate in names if candidate.startswith(word) or word.startswith(candidate)]
    return next((names[match] for match in get_close_matches(word, names, n=1) or extended), "")


def did_you_mean(name: str, known: Iterable[str], synonyms: Mapping[str, str] = SYNONYMS) -> str:
    """A remedy: the nearest name, else the list of those there are, else ""."""
    names = sorted(known)
    match = nearest(name, names, synonyms)
    if match:
        return f"Did you mean `{match}`?"
    return f"There is: {', '.join(names)}." if names else ""
