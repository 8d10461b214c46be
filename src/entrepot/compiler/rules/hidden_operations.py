"""A route below a service's own prefix takes addresses away from it."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic

CODE = "W314"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Routes that begin with the prefix at which a protocol serves operations."""
    prefixes = {
        mount.path: f"{unit.service.name} over {served.protocol}"
        for unit in draft.units
        for served in unit.served
        for mount in served.mounts
        if not mount.exact
    }
    for route in draft.routes if prefixes else ():
        for prefix in _above(route.path):
            if prefix in prefixes:
                message = (
                    f"the route {route.entry.path} hides part of {prefixes[prefix]}, which is served below {prefix}"
                )
                remedy = "Move the route, unless it is meant to come first."
                yield Diagnostic(CODE, message, draft.at_route(route), remedy, "warning")


def _above(path: str) -> Iterator[str]:
    """Every prefix that a path lies below."""
    end = path.find("/")
    while 0 <= end < len(path) - 1:
        yield path[: end + 1]
        end = path.find("/", end + 1)
