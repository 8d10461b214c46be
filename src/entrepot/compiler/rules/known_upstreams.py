"""Every upstream that is named is declared."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic
from entrepot.kit.suggest import did_you_mean

CODE = "E305"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Names under `services` and `routes` that are not under `upstreams`."""
    known = draft.declaration.upstreams
    if not draft.knows_all("upstreams"):
        return
    for name, around in _named(draft):
        if name not in known:
            remedy = did_you_mean(name, known) or f"Declare it: `upstreams: {{{name}: {{url: …}}}}`."
            yield Diagnostic(CODE, f"there is no upstream `{name}`", draft.at(*around, "upstream"), remedy)


def _named(draft: Draft) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Each name, and the path of the entry that it is in."""
    for key, service in draft.declaration.services.items():
        if service.upstream is not None:
            yield service.upstream, ("services", key)
    for index, route in enumerate(draft.declaration.routes):
        if route.upstream is not None:
            yield route.upstream, ("routes", index)
