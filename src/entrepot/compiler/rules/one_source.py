"""A service has one source: a Python module, or one imported document."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic
from entrepot.ports.protocol import document_kinds

CODE = "E302"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Entries with no source, or with several."""
    for key, entry in draft.declaration.services.items():
        given = [*(["python"] if entry.python is not None else []), *entry.documents]
        place = draft.at_key("services", key)
        if not given:
            kinds = ", ".join(f"`{kind}: FILE`" for kind in document_kinds(draft.catalog))
            remedy = f"Give it `python: MODULE` or an imported document: {kinds}."
            yield Diagnostic(CODE, f"the service `{key}` has no source", place, remedy)
        elif len(given) > 1:
            message = f"the service `{key}` has {len(given)} sources: {', '.join(given)}"
            yield Diagnostic(CODE, message, place, "Keep one, and declare another service for each other.")
