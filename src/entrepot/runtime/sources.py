"""The Python module behind a service, imported and held against what was sealed."""

from __future__ import annotations

import importlib
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from entrepot.authoring.service import Service as Authored
from entrepot.ir.worker import PythonSource
from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.model.operation import Operation, Service

SERVICE_MISSING = "E851"
"""The module of a release has lost its service."""
SERVICE_CHANGED = "E852"
"""The code is not what the release was made from."""


def import_attribute(module: str, attribute: str, directory: Path) -> Any:
    """What `attribute` names in the module, which is looked for in `directory` first."""
    if str(directory) not in sys.path:
        sys.path.insert(0, str(directory))
    found: Any = importlib.import_module(module)
    for name in attribute.split("."):
        found = getattr(found, name)
    return found


def import_service(source: PythonSource, sealed: Service, project: Path) -> Authored:
    """The service in the module. Raises `Refused` when it is not the sealed one, and what the import raises."""
    try:
        authored = import_attribute(source.module, source.attribute, project / source.path)
    except AttributeError:
        authored = None
    name = f"{source.module}:{source.attribute}"
    if not isinstance(authored, Authored):
        raise Refused([Diagnostic(SERVICE_MISSING, f"{name} is not a service", remedy=_APPLY)])
    changed = _difference(_contract(sealed), _contract(authored.describe()))
    if changed:
        message = f"{name} is not what the release was made from: {changed}"
        raise Refused([Diagnostic(SERVICE_CHANGED, message, remedy=_APPLY)])
    return authored


_APPLY = "Run `entrepot apply` to make a release of the code as it is, or restore the code."


def _contract(service: Service) -> Service:
    """The service without what an operator may set, and as it is after a round through JSON."""
    operations = tuple(replace(operation, timeout=None) for operation in service.operations)
    return _DECODER.decode(_ENCODER.encode(replace(service, name="", version="", operations=operations)))


# As a release has it: a number in it is read as a Decimal, and is a number still.
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(Service, float_hook=Decimal)


def _difference(sealed: Service, found: Service) -> str:
    """What differs, in words; "" when nothing does."""
    if sealed == found:
        return ""
    before, after = _by_name(sealed), _by_name(found)
    changed = sorted(name for name in before.keys() & after.keys() if before[name] != after[name])
    parts = {
        "operations missing": sorted(before.keys() - after.keys()),
        "operations added": sorted(after.keys() - before.keys()),
        "operations changed": changed,
    }
    told = [f"{what}: {', '.join(names)}" for what, names in parts.items() if names]
    return "; ".join(told) or "its types, links or description changed"


def _by_name(service: Service) -> dict[str, Operation]:
    return {operation.name: operation for operation in service.operations}
