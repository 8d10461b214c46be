"""What an operation demands of its caller, held before anything of it runs."""

from __future__ import annotations

from entrepot.model.call import Call, Invoke, Reply
from entrepot.model.faults import Forbidden, Unauthenticated
from entrepot.model.operation import Operation


def enforce_scopes(operation: Operation, invoke: Invoke) -> Invoke:
    """The Invoke for those alone who hold every scope of the operation.

    Anybody else is refused, also where nothing identifies callers: an operation that asks for a
    scope is never open by an oversight.
    """
    if not operation.scopes:
        return invoke
    needed = frozenset(operation.scopes)

    async def invoke_scoped(call: Call) -> Reply:
        principal = call.context.principal
        missing = ", ".join(sorted(needed - principal.scopes))
        if not missing:
            return await invoke(call)
        if principal.anonymous:
            return Reply(fault=Unauthenticated(f"this is for identified callers with the scope {missing}"))
        return Reply(fault=Forbidden(f"you have not the scope {missing}"))

    return invoke_scoped
