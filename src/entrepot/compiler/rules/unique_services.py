"""No two services share a name and a version."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft, Unit
from entrepot.kit.diagnostics import Diagnostic

CODE = "E309"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Each service whose name and version another has already taken."""
    first: dict[tuple[str, str], Unit] = {}
    for unit in draft.units:
        service = unit.service
        other = first.setdefault((service.name, service.version), unit)
        if other is not unit:
            # Two of one module are told apart by where each is made, two entries by themselves.
            here, there = (unit.written, other.written) if unit.key == other.key else (unit.place, other.place)
            message = f"there are two services `{service.name}` of version {service.version}; the other: {there}"
            yield Diagnostic(CODE, message, here, "Give one of them another `name` or `version`.")
