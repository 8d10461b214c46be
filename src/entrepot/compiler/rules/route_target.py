"""A route leads to one thing: an upstream, a WSGI or an ASGI application."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic

CODE = "E317"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Routes that lead nowhere, or to several things."""
    for index, route in enumerate(draft.declaration.routes):
        if [route.upstream, route.wsgi, route.asgi].count(None) != 2:
            given = [name for name in ("upstream", "wsgi", "asgi") if getattr(route, name) is not None]
            where = f"leads to {' and '.join(given)}" if given else "leads nowhere"
            remedy = "Give it one of `upstream: NAME`, `wsgi: module:attribute` and `asgi: module:attribute`."
            yield Diagnostic(CODE, f"the route {route.path} {where}", draft.at("routes", index), remedy)
