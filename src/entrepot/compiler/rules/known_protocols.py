"""Every protocol that an `expose` or a binding names exists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic
from entrepot.kit.suggest import did_you_mean

CODE = "E306"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Names in `expose` of services and operations, and in the bindings of these, that are no protocol."""
    for path, expose in _lists(draft):
        for index, name in enumerate(expose):
            if name not in draft.catalog:
                remedy = did_you_mean(name, draft.catalog)
                yield Diagnostic(CODE, f"there is no protocol `{name}`", draft.at(*path, index), remedy)
    for unit in draft.units:
        for operation in unit.service.operations:
            for name in operation.bindings:
                if name not in draft.catalog:
                    message = f"{unit.service.name}.{operation.name} is bound to `{name}`, which is no protocol"
                    place, remedy = unit.place_of(operation.name), did_you_mean(name, draft.catalog)
                    yield Diagnostic(CODE, message, place, remedy)


def _lists(draft: Draft) -> Iterator[tuple[tuple[str, ...], Sequence[str]]]:
    for key, service in draft.declaration.services.items():
        yield ("services", key, "expose"), service.expose or ()
        for name, operation in service.operations.items():
            yield ("services", key, "operations", name, "expose"), operation.expose or ()
