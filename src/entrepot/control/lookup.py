"""Finding an operation by the name that a person gives."""

from __future__ import annotations

from collections.abc import Collection

from entrepot.compiler.compile import Compiled
from entrepot.ir.worker import ServiceTable
from entrepot.kit.diagnostics import Diagnostic, Place, Refused
from entrepot.kit.suggest import nearest
from entrepot.model.operation import Operation

NO_SUCH_OPERATION = "E911"
"""The name is not one of the project's operations."""


def find(compiled: Compiled, name: str) -> tuple[ServiceTable, Operation]:
    """The operation written as `service.operation`. Raises `Refused`, naming those there are."""
    service, dot, operation_name = name.partition(".")
    tables = {table.service.name: table for table in compiled.release.worker.services}
    if service not in tables:
        message = f"the project serves no service `{service}`"
        if not dot:
            message += "; an operation is written SERVICE.OPERATION"
        raise _refused(message, compiled.places[""], _known("Its services", tables, service))
    operation = tables[service].service.operation(operation_name)
    if operation is None:
        names = [each.name for each in tables[service].service.operations]
        message = f"the service `{service}` has no operation `{operation_name}`"
        if not dot:
            message = f"`{name}` names a service; an operation is written SERVICE.OPERATION"
        raise _refused(message, compiled.places[service], _known("Its operations", names, operation_name))
    return tables[service], operation


def _refused(message: str, place: Place, remedy: str) -> Refused:
    return Refused([Diagnostic(NO_SUCH_OPERATION, message, place, remedy)])


def _known(what: str, names: Collection[str], wanted: str) -> str:
    match = nearest(wanted, names) if wanted else ""
    suggestion = f"Did you mean `{match}`? " if match else ""
    return f"{suggestion}{what}: {', '.join(names) or 'none'}."
