"""No request could be meant for two operations of one protocol."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic
from entrepot.ports.protocol import Address

CODE = "E312"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Each operation whose address another has already taken."""
    first: dict[tuple[str, str], tuple[str, Address]] = {}
    for unit in draft.units:
        service = unit.service
        for served in unit.served:
            for name, address in served.addresses.items():
                operation = f"{service.name}.{name} (version {service.version})"
                other, taken = first.setdefault((served.protocol, address.key), (operation, address))
                if other != operation:
                    both = f"{taken.text} and {address.text}" if taken.text != address.text else address.text
                    message = f"no request could tell {operation} from {other} in {served.protocol}: {both}"
                    remedy = f"Give one of them another address, or leave {served.protocol} out of its `expose`."
                    yield Diagnostic(CODE, message, unit.place_of(name), remedy)
