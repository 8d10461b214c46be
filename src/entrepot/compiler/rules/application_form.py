"""A hosted application is named `module:attribute`."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic
from entrepot.spec.references import parse_reference

CODE = "E318"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Names of another form."""
    for index, route in enumerate(draft.declaration.routes):
        for kind, name in (("wsgi", route.wsgi), ("asgi", route.asgi)):
            reference = parse_reference(name) if name is not None else None
            if name is not None and (reference is None or not reference.attribute):
                message = f"`{name}` does not name an application"
                remedy = "Write its module's import name, a colon and its variable: `oldapp:app`."
                yield Diagnostic(CODE, message, draft.at("routes", index, kind), remedy)
