"""What a link must say to be followed, in whatever contract it stands."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from entrepot.model.operation import Link, Operation, Service
from entrepot.model.shape import Record


def unfollowable(target: Operation, given: Collection[str]) -> str:
    """Why an operation cannot be called with these parameters alone; "" when it can."""
    fields = {field.name: field for field in target.input.fields}
    unknown = [name for name in given if name not in fields]
    if unknown:
        return f"{target.name} has no parameter {', '.join(unknown)}"
    demanded = [name for name, field in fields.items() if field.required and field.default is msgspec.UNSET]
    missing = [name for name in demanded if name not in given]
    return f"it does not say what {target.name} gets for {', '.join(missing)}" if missing else ""


def broken(link: Link, service: Service) -> str:
    """Why a link of a contract of ours leads nowhere in the service as it was read; "" when it can be followed."""
    target, start = service.operation(link.operation), service.types.get(link.type)
    if target is None:
        return f"its operation {link.operation} is not imported"
    if start is None:
        return f"its type {link.type} is not imported"
    if isinstance(start, Record) and not all(start.field(member) for member in link.arguments.values()):
        return f"{link.type} has no member {', '.join(link.arguments.values())}"
    return unfollowable(target, link.arguments)
