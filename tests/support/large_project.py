"""A project of many routes and upstreams, as large as a test wants it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

ROUTES_OF_AN_UPSTREAM = 10


def upstream_of(number: int, routes: int) -> str:
    """The upstream that a route leads to."""
    return f"u{number % max(1, routes // ROUTES_OF_AN_UPSTREAM)}"


def declaration(routes: int, port: int = 9, more: Iterable[str] = ()) -> str:
    """So many routes, `/s0/*` and so on, to a tenth as many upstreams; `more` are further lines of routes."""
    upstreams = dict.fromkeys(upstream_of(number, routes) for number in range(routes))
    lines = ["entrepot: 1", "name: large", "upstreams:"]
    lines += [f'  {name}: {{url: "http://127.0.0.1:{port}"}}' for name in upstreams]
    lines += [
        "routes:",
        *(f'  - {{path: "/s{each}/*", upstream: {upstream_of(each, routes)}}}' for each in range(routes)),
    ]
    return "\n".join([*lines, *more, ""])


def write_large(directory: Path, routes: int, port: int = 9, more: Iterable[str] = ()) -> Path:
    """The project on disk."""
    directory.mkdir(exist_ok=True)
    (directory / "entrepot.yaml").write_text(declaration(routes, port, more))
    return directory
