"""Policies and the like around an Invoke, composed once."""

from __future__ import annotations

from collections.abc import Sequence

from entrepot.model.call import Invoke, Middleware
from entrepot.model.operation import Operation


def stacked(operation: Operation, invoke: Invoke, middleware: Sequence[Middleware]) -> Invoke:
    """The Invoke inside all middleware; the first one is the outermost."""
    for wrap in reversed(middleware):
        invoke = wrap(operation, invoke)
    return invoke
