"""An upstream that nothing uses is not contacted, which is rarely what its author wants."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.ir.worker import UpstreamSource
from entrepot.kit.diagnostics import Diagnostic

CODE = "W324"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Upstreams that no service and no route names."""
    used = {service.upstream for service in draft.declaration.services.values()}
    used |= {name for unit in draft.units if isinstance(unit.source, UpstreamSource) for name in unit.source.upstreams}
    used |= {route.upstream for route in draft.declaration.routes}
    for name in draft.declaration.upstreams:
        if name not in used:
            remedy = f"Name it in a service or a route, `upstream: {name}`, or remove it."
            place = draft.at_key("upstreams", name)
            yield Diagnostic(CODE, f"nothing uses the upstream `{name}`", place, remedy, "warning")
