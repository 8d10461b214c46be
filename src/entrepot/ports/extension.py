"""What contract languages have no word for, as all our contracts say it: in the member `x-entrepot`.

The law: what is said of an operation, read into the same operation as the language alone tells it, gives it back.
Where a contract says it, and what a protocol adds of its own, is for its folder to know.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeVar

import msgspec

from entrepot.model.fault import DeclaredFault, Kind
from entrepot.model.operation import Operation
from entrepot.model.shape import Shape
from entrepot.shapes.document import Node, Unreadable
from entrepot.shapes.schema_words import OURS

_BARE = Operation(name="bare")
_T = TypeVar("_T")
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _OfOperation(msgspec.Struct, omit_defaults=True):
    """Members have the names of an operation's."""

    safe: bool | msgspec.UnsetType = msgspec.UNSET
    idempotent: bool | msgspec.UnsetType = msgspec.UNSET
    deferrable: bool | msgspec.UnsetType = msgspec.UNSET
    timeout: Annotated[float, msgspec.Meta(gt=0)] | msgspec.UnsetType = msgspec.UNSET
    scopes: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    deprecated_since: Moment | msgspec.UnsetType = msgspec.UNSET
    sunset: Moment | msgspec.UnsetType = msgspec.UNSET


class _OfFault(msgspec.Struct):
    name: str
    kind: Kind
    docs: str = ""


def said_of(operation: Operation, bare: Operation = _BARE) -> dict[str, object]:
    """What is to be said of an operation, which the language alone would tell as `bare`."""
    members = {name: getattr(operation, name) for name in _OfOperation.__struct_fields__}
    said: dict[str, object] = msgspec.to_builtins(
        {name: value for name, value in members.items() if value != getattr(bare, name)}
    )
    return said


def with_said(bare: Operation, said: Node) -> Operation:
    """The operation with what a contract says of it besides. Raises `Unreadable`."""
    members = msgspec.structs.asdict(_read(said, _OfOperation))
    return msgspec.structs.replace(bare, **{name: each for name, each in members.items() if each is not msgspec.UNSET})


def said_of_fault(fault: DeclaredFault) -> dict[str, str]:
    """What is to be said of a declared fault; the schema of its data is the contract's to say."""
    return {"name": fault.name, "kind": fault.kind} | ({"docs": fault.docs} if fault.docs else {})


def fault_of(said: Node, data: Shape | None) -> DeclaredFault:
    """The declared fault of which this was said. Raises `Unreadable`."""
    found = _read(said, _OfFault)
    return DeclaredFault(name=found.name, kind=found.kind, docs=found.docs, data=data)


def _read(said: Node, type: type[_T]) -> _T:
    try:
        return msgspec.convert(said.value if said else {}, type)
    except msgspec.ValidationError as error:
        raise Unreadable(OURS, str(error), said.pointer) from None
