"""How an operation is bound to JSON-RPC: what stands in `bindings["jsonrpc"]`, and the defaults.

`{"methods": {operation: name}}` on a service, `{"params": "by-position"}` on an operation whose upstream takes no
names, `{"code": number}` on a declared fault. Every key may be left out.
"""

from __future__ import annotations

from entrepot.model.operation import Operation, Service
from entrepot.ports.protocol import Can

NAME = "jsonrpc"
METHODS = "methods"
"""In a service's own binding, by operation: its method at the upstream, where it is not the one we serve it as."""
CAN = Can()
"""JSON values, one for a call and one for its answer."""


def method_of(operation: Operation, service: Service) -> str:
    """The method that we serve the operation as."""
    return f"{service.name}.{operation.name}"


def upstream_method_of(operation: Operation, service: Service) -> str:
    """The method as the upstream has it."""
    methods = service.bindings.get(NAME, {}).get(METHODS, {})
    return str(methods.get(operation.name) or method_of(operation, service))


def takes_positions_only(operation: Operation) -> bool:
    """Whether the upstream takes params as an array alone."""
    return bool(operation.bindings.get(NAME, {}).get("params") == "by-position")
