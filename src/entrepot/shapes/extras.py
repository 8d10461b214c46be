"""What becomes of members that a contract says nothing of: neither that they may be there nor that they may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec.structs import replace

from entrepot.model import shape as s
from entrepot.model.fault import DeclaredFault
from entrepot.model.operation import Operation, Service

Extras = Literal["drop", "keep", "forbid"]


def with_extras(service: Service, extras: Extras) -> Service:
    """The service whose objects do so with such members; those of which the contract speaks stay as they are.

    What an operation takes is known by its parameters' names, so that is left as it is, but for what is inside.
    """
    if extras == "drop":
        return service

    def changed(shape: s.Shape) -> s.Shape:
        inner = _with_parts(shape, changed)
        silent = isinstance(inner, s.Record) and inner.extras == "drop"
        return replace(inner, extras=extras) if silent else inner

    types = {name: changed(shape) for name, shape in service.types.items()}
    return replace(service, types=types, operations=tuple(_operation(each, changed) for each in service.operations))


def _operation(operation: Operation, changed: Callable[[s.Shape], s.Shape]) -> Operation:
    inbound = operation.stream_input
    return replace(
        operation,
        input=_with_parts(operation.input, changed),
        output=changed(operation.output),
        stream_input=None if inbound is None else changed(inbound),
        faults=tuple(_fault(each, changed) for each in operation.faults),
    )


def _fault(fault: DeclaredFault, changed: Callable[[s.Shape], s.Shape]) -> DeclaredFault:
    return fault if fault.data is None else replace(fault, data=changed(fault.data))


def _with_parts(shape: s.Shape, changed: Callable[[s.Shape], s.Shape]) -> s.Shape:
    """The shape with its parts (`model.shape.parts`) changed."""
    match shape:
        case s.List() | s.Page():
            return replace(shape, item=changed(shape.item))
        case s.Tuple():
            return replace(shape, items=tuple(map(changed, shape.items)))
        case s.Map():
            return replace(shape, value=changed(shape.value))
        case s.Record():
            fields = tuple(replace(field, shape=changed(field.shape)) for field in shape.fields)
            return replace(shape, fields=fields, extra=None if shape.extra is None else changed(shape.extra))
        case s.Union():
            return replace(shape, arms=tuple(map(changed, shape.arms)))
        case s.Nullable():
            return replace(shape, shape=changed(shape.shape))
        case _:
            return shape
