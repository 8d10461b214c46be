"""Who may go on with a stream from a position must be told it by the items."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic
from entrepot.model import shape
from entrepot.model.operation import Operation

CODE = "W330"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Streams that take a cursor and give none."""
    for unit in draft.units:
        for operation in unit.service.operations:
            if (
                operation.stream_output
                and _takes_cursor(operation)
                and not _gives_cursor(operation, unit.service.types)
            ):
                message = (
                    f"{unit.service.name}.{operation.name} takes a cursor, and its items have no field that tells it:"
                    " nobody can go on where a stream broke off"
                )
                remedy = "Mark that field of the items: `number: Annotated[int, Cursor()]`."
                yield Diagnostic(CODE, message, unit.place_of(operation.name), remedy, "warning")


def _takes_cursor(operation: Operation) -> bool:
    return operation.stream_output and operation.input.with_role("cursor") is not None


def _gives_cursor(operation: Operation, types: shape.Types) -> bool:
    item = shape.unwrap(operation.output, types)
    return isinstance(item, shape.Record) and item.with_role("cursor") is not None
