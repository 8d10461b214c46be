"""What a route says fits where it leads."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic
from entrepot.spec.declaration import RouteEntry

CODE = "E319"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Options that mean nothing for their route."""
    for route in draft.routes:
        for message, remedy in _misfits(route.entry, exact=route.exact):
            yield Diagnostic(CODE, message, draft.at_route(route), remedy)


def _misfits(route: RouteEntry, *, exact: bool) -> Iterator[tuple[str, str]]:
    hosted = route.wsgi is not None or route.asgi is not None
    if route.strip_prefix and hosted:
        yield "a hosted application always knows its prefix, so there is none to strip", "Remove `strip_prefix`."
    elif route.strip_prefix and exact:
        yield f"{route.path} is one path and has no prefix to strip", f"Write `path: {route.path.rstrip('/')}/*`."
    if hosted and exact:
        yield f"an application is hosted below a prefix, not at {route.path} alone", "End the path with `/*`."
    if route.upstream is not None and route.workers is not None:
        yield "a pass-through route has no worker processes", "Remove `workers`."
