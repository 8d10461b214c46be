"""A route's path is `/exact/path` or `/prefix/*`."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.addresses import parse_route_path
from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic

CODE = "E316"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Paths of another form."""
    read = {route.index for route in draft.routes}
    for index, route in enumerate(draft.declaration.routes):
        if index in read:
            continue
        try:
            parse_route_path(route.path)
        except ValueError as error:
            remedy = "Write `/robots.txt` for one path, `/static/*` for all below a prefix, `/*` for everything else."
            message = f"the path `{route.path}` cannot be a route's: {error}"
            yield Diagnostic(CODE, message, draft.at("routes", index, "path"), remedy)
