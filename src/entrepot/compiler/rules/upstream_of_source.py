"""An imported service needs an upstream, and a service in Python has none."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic

CODE = "E304"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Upstreams that are missing, or given where nothing would use them."""
    only_sends = {unit.key for unit in draft.units if unit.service.outgoing and not unit.service.operations}
    for key, entry in draft.declaration.services.items():
        if entry.documents and entry.python is None and entry.upstream is None and key not in only_sends:
            message = f"the service `{key}` is imported, but nothing says where its calls go"
            remedy = "Add `upstream: NAME`, and the upstream's url under `upstreams`."
            yield Diagnostic(CODE, message, draft.at_key("services", key), remedy)
        for name in ("upstream", "replies", "extras"):
            if entry.python is not None and not entry.documents and getattr(entry, name) is not None:
                message = f"the service `{key}` runs in Python, so its `{name}` means nothing"
                place = draft.at_key("services", key, name)
                yield Diagnostic(
                    CODE, message, place, f"Remove `{name}`, or name an imported document instead of Python."
                )
