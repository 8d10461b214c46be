"""What a caller is told when a handler raises.

A fault that the operation declares, or a general kind, reaches the caller whole. A declared
fault's name and data are part of a contract, so a typed fault that the operation does not list
is told by its kind and detail alone: the caller could not read the rest. Anything else is an
`internal` fault without detail; the traceback is logged under the call's trace id. So is an
internal fault that an upstream tells: its detail ends here.
"""

from __future__ import annotations

from collections.abc import Callable

from entrepot.model.call import Context
from entrepot.model.fault import Fault
from entrepot.model.operation import Operation
from entrepot.ports.faults import log, unforeseen

FaultOf = Callable[[BaseException, Context], Fault]
"""The fault that answers for an exception."""


def faults_for(operation: Operation, service: str) -> FaultOf:
    """How exceptions of this operation are told."""
    declared = {fault.name for fault in operation.faults} | {""}
    label = f"{service}.{operation.name}"

    def fault_of(error: BaseException, context: Context) -> Fault:
        extra = {"operation": label, "trace_id": context.trace_id}
        if isinstance(error, Fault) and error.name in declared:
            if error.kind == "internal":
                failed = f"the upstream {error.upstream}" if error.upstream else "the operation"
                log.error("%s failed inside", failed, exc_info=error, extra=extra)
            return error
        if not isinstance(error, Fault):
            return unforeseen(error, label, context)
        log.warning("the operation raised %s, which it does not declare", error.name, extra=extra)
        return Fault.of(
            error.kind,
            error.detail,
            issues=error.issues,
            retry_after=error.retry_after,
            upstream=error.upstream,
        )

    return fault_of
