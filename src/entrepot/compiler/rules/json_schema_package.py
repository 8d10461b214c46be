"""Values under a JSON Schema that no typed shape expresses are checked by a package that is an extra."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic
from entrepot.model import shape
from entrepot.model.operation import Operation
from entrepot.shapes import jsonschema

CODE = "E328"

_REMEDY = "Install it: `pip install 'entrepot[jsonschema]'`."


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Services with operations that could not read their values on this machine."""
    if jsonschema.is_installed():
        return
    for unit in draft.units:
        types = unit.service.types
        needy = [operation.name for operation in unit.service.operations if _needs_package(operation, types)]
        if needy:
            others = f" and {len(needy) - 1} more" if len(needy) > 1 else ""
            message = f"{unit.service.name}.{needy[0]}{others} cannot do without the package jsonschema-rs"
            yield Diagnostic(CODE, message, unit.place, _REMEDY)


def _needs_package(operation: Operation, types: shape.Types) -> bool:
    return any(
        isinstance(part, shape.Json) and not jsonschema.unchecked(part.schema)
        for root in operation.shapes
        for part in shape.reachable(root, types)
    )
