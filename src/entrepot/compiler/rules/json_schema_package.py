"""Values under a JSON Schema that no typed shape expresses are checked by a package that is an extra."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic
from entrepot.model.operation import Operation
from entrepot.shapes import jsonschema
from entrepot.shapes.traits import Trait, Traits

CODE = "E328"

_REMEDY = "Install it: `pip install 'entrepot[jsonschema]'`."


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Services with operations that could not read their values on this machine."""
    if jsonschema.is_installed():
        return
    for unit in draft.units:
        traits = Traits(unit.service.types, {})
        needy = [each.name for each in unit.service.operations if _needs_package(each, traits)]
        if needy:
            others = f" and {len(needy) - 1} more" if len(needy) > 1 else ""
            message = f"{unit.service.name}.{needy[0]}{others} cannot do without the package jsonschema-rs"
            yield Diagnostic(CODE, message, unit.place, _REMEDY)


def _needs_package(operation: Operation, traits: Traits) -> bool:
    return any(Trait.SCHEMA in traits.of(root) for root in operation.shapes)
