"""Calls of a bound service, for tests of what is around its handlers."""

from __future__ import annotations

from typing import Any

from entrepot.model.call import Call, Context, Reply
from entrepot.ports.protocol import ServedService


async def call(served: ServedService, name: str, context: Context | None = None, **given: Any) -> Reply:
    """Calls an operation with an input made of these plain members."""
    operation = served.service.operation(name)
    assert operation is not None
    value = served.values.codec(operation.input).of_plain(given)
    return await served.invokes[name](Call(operation, value, context=context or Context()))


def kind_of(reply: Reply) -> str:
    """The kind of a reply's fault; "" when there is none."""
    return "" if reply.fault is None else reply.fault.kind
