"""What REST carries: everything, where the binding of an operation finds a place for it."""

from __future__ import annotations

from entrepot.model.operation import Operation
from entrepot.model.shape import Types
from entrepot.ports.protocol import Can
from entrepot.protocols.rest.binding.check import Unbindable
from entrepot.protocols.rest.binding.data import bind


class RestCan(Can, frozen=True):
    """The answer depends on how an operation is bound."""

    def reason(self, operation: Operation, types: Types, carried: set[str]) -> str:
        """Why the operation cannot be carried; "" when it can."""
        try:
            bind(operation, types)
        except Unbindable as unbindable:
            return str(unbindable)
        return super().reason(operation, types, carried)


CAN = RestCan(streams_in=True, streams_out=True, headers=True, warnings=True, selection=True, refuses=lambda _part: "")
