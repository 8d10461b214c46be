"""No two operations answer at one address of one protocol."""

from __future__ import annotations

import re
from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic

CODE = "E312"

_VARIABLE = re.compile(r"\{[^{}/]*\}")


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Each operation whose address another has already taken; names of variables make no difference."""
    first: dict[tuple[str, str], str] = {}
    for unit in draft.units:
        service = unit.service
        for served in unit.served:
            for name, address in served.addresses.items():
                operation = f"{service.name}.{name} (version {service.version})"
                other = first.setdefault((served.protocol, _VARIABLE.sub("{}", address)), operation)
                if other != operation:
                    message = f"{operation} has the same address in {served.protocol} as {other}: {address}"
                    remedy = f"Give one of them another, or leave {served.protocol} out of its `expose`."
                    yield Diagnostic(CODE, message, unit.place_of(name), remedy)
