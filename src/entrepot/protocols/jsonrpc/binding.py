"""How an operation is bound to JSON-RPC: what stands in `bindings["jsonrpc"]`, and the defaults.

`{"methods": {operation: name}}` on a service, `{"method": name}` on an operation that is served as another method,
`{"params": "by-position"}` on one whose upstream takes no names, `{"code": number}` on a declared fault. Every key
may be left out.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from entrepot.model.operation import Operation, Service
from entrepot.model.shape import Types
from entrepot.ports.protocol import Can

NAME = "jsonrpc"
METHODS = "methods"
"""In a service's own binding, by operation: its method at the upstream, where it is not the one we serve it as."""


class _Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Binding data of an operation."""

    method: str = ""
    params: Literal["", "by-position"] = ""


class JsonRpcCan(Can, frozen=True):
    """JSON values, one for a call and one for its answer, if the binding can be read."""

    def reason(self, operation: Operation, types: Types, carried: set[str]) -> str:
        """Why the operation cannot be carried; "" when it can."""
        try:
            _data(operation)
        except msgspec.ValidationError as error:
            return f"its binding cannot be read: {error}"
        if any(not field.name for field in operation.input.fields):
            return "it has a parameter without a name, which no OpenRPC document may have"
        return super().reason(operation, types, carried)


CAN = JsonRpcCan(batches=True)


def method_of(operation: Operation, service: Service) -> str:
    """The method that we serve the operation as: its binding's, or `{service}.{operation}`."""
    return _data(operation).method or f"{service.name}.{operation.name}"


def upstream_method_of(operation: Operation, service: Service) -> str:
    """The method as the upstream has it."""
    methods = service.bindings.get(NAME, {}).get(METHODS, {})
    return str(methods.get(operation.name) or method_of(operation, service))


def takes_positions_only(operation: Operation) -> bool:
    """Whether the upstream takes params as an array alone."""
    return _data(operation).params == "by-position"


def _data(operation: Operation) -> _Data:
    return msgspec.convert(operation.bindings.get(NAME, {}), _Data)
