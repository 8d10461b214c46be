"""Every protocol that an `expose` names exists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic
from entrepot.kit.suggest import did_you_mean

CODE = "E306"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Names in `expose` of services and operations that are no protocol."""
    for path, expose in _lists(draft):
        for index, name in enumerate(expose):
            if name not in draft.catalog:
                remedy = did_you_mean(name, draft.catalog)
                yield Diagnostic(CODE, f"there is no protocol `{name}`", draft.at(*path, index), remedy)


def _lists(draft: Draft) -> Iterator[tuple[tuple[str, ...], Sequence[str]]]:
    for key, service in draft.declaration.services.items():
        yield ("services", key, "expose"), service.expose or ()
        for name, operation in service.operations.items():
            yield ("services", key, "operations", name, "expose"), operation.expose or ()
