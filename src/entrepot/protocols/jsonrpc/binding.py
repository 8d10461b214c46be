"""How an operation is bound to JSON-RPC: what stands in `bindings["jsonrpc"]`, and the defaults.

`{"method": name}` on an operation, `{"params": "by-position"}` when an upstream takes no names,
`{"code": number}` on a declared fault. Every key may be left out.
"""

from __future__ import annotations

from entrepot.model.operation import Operation, Service
from entrepot.ports.protocol import Can

NAME = "jsonrpc"
CAN = Can()
"""JSON values, one for a call and one for its answer."""


def method_of(operation: Operation, service: Service) -> str:
    """The method's name: its binding's, or `{service}.{operation}`."""
    bound = operation.bindings.get(NAME, {}).get("method")
    return str(bound) if bound else f"{service.name}.{operation.name}"


def takes_positions_only(operation: Operation) -> bool:
    """Whether the upstream takes params as an array alone."""
    return bool(operation.bindings.get(NAME, {}).get("params") == "by-position")
