"""Finding an operation by the name that a person gives."""

from __future__ import annotations

from collections.abc import Iterable

from entrepot.compiler.compile import Compiled
from entrepot.ir.worker import ServiceTable
from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.model.operation import Operation

NO_SUCH_OPERATION = "E911"
"""The name is not one of the project's operations."""


def find(compiled: Compiled, name: str) -> tuple[ServiceTable, Operation]:
    """The operation written as `service.operation`. Raises `Refused`, naming those there are."""
    service, _, operation_name = name.partition(".")
    tables = {table.service.name: table for table in compiled.release.worker.services}
    if service not in tables:
        raise _refused(f"there is no service {service!r}", f"There is: {_listed(tables)}.")
    operation = tables[service].service.operation(operation_name)
    if operation is None:
        names = [each.name for each in tables[service].service.operations]
        message = f"the service {service} has no operation {operation_name!r}"
        raise _refused(message, f"It has: {_listed(names)}.")
    return tables[service], operation


def _refused(message: str, remedy: str) -> Refused:
    return Refused([Diagnostic(NO_SUCH_OPERATION, message, remedy=remedy)])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
