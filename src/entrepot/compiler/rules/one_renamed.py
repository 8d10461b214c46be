"""A `name` or `version` is given to one service, not to several of a module."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.ir.worker import PythonSource
from entrepot.kit.diagnostics import Diagnostic

CODE = "E308"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Entries that would give several services one name or version."""
    found: dict[str, list[str]] = {}
    for unit in draft.units:
        if isinstance(unit.source, PythonSource):
            found.setdefault(unit.key, []).append(unit.source.attribute)
    for key, attributes in found.items():
        entry = draft.declaration.services[key]
        given = [name for name in ("name", "version") if getattr(entry, name) is not None]
        if given and len(attributes) > 1:
            message = f"`{key}` stands for {len(attributes)} services, which cannot share one {' and '.join(given)}"
            remedy = f"Name one of them: `python: {entry.python}:{attributes[0]}`. There is: {', '.join(attributes)}."
            yield Diagnostic(CODE, message, draft.at_key("services", key, given[0]), remedy)
