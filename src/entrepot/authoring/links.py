"""Links between operations, as an author declares them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from entrepot.authoring import mistakes
from entrepot.authoring.declared import DeclaredLink
from entrepot.authoring.diagnostics import Diagnostics
from entrepot.authoring.mistakes import Mistake
from entrepot.model.operation import Link, Operation, Service
from entrepot.model.shape import List, Record, Shape, Types, names_reached, resolve, unwrap
from entrepot.shapes.fits import may_be
from entrepot.shapes.notation import written

_Problem = tuple[Mistake, dict[str, str]]
"""A mistake and the words of it."""


def read_link(
    declared: DeclaredLink,
    service: Service,
    classes: Mapping[str, Any],
    names: Mapping[Callable[..., Any], str],
    found: Diagnostics,
) -> Link:
    """The link; what is wrong with it is noted. `names` are the operations' by function."""
    link = Link(
        type=next((name for name, known in classes.items() if known is declared.type), ""),
        field=declared.field,
        operation=_operation_of(declared, names),
        arguments=dict(declared.arguments),
        batch=declared.batch,
    )
    name = f"{_name_of(declared.type)}.{declared.field}"
    for mistake, words in _problems(link, declared, service):
        found.add(mistake, declared.place, link=name, **words)
    return link


def _operation_of(declared: DeclaredLink, names: Mapping[Callable[..., Any], str]) -> str:
    given = declared.operation
    return given if isinstance(given, str) else names.get(given, _name_of(given))


def _name_of(given: Any) -> str:
    return getattr(given, "__name__", repr(given))


def _problems(link: Link, declared: DeclaredLink, service: Service) -> Iterator[_Problem]:
    operation = service.operation(link.operation)
    record = resolve(service.types[link.type], service.types) if link.type else None
    if not isinstance(record, Record):
        yield _nowhere(f"no operation of `{service.name}` takes or gives a record `{_name_of(declared.type)}`")
    elif link.type not in names_reached((each.output for each in service.operations), service.types):
        yield _nowhere(
            f"no operation of `{service.name}` answers with a `{link.type}`, from which it could be followed"
        )
    elif record.field(link.field) is not None:
        yield _nowhere(f"`{link.type}` has a field `{link.field}` of its own")
    if operation is None:
        yield _nowhere(f"there is no operation `{link.operation}`")
    if operation is not None:
        yield from _left_out(link, operation)
    for parameter, source in link.arguments.items():
        given = record.field(source) if isinstance(record, Record) else None
        taken = operation.input.field(parameter) if operation is not None else None
        if isinstance(record, Record) and given is None:
            yield _nowhere(f"`{link.type}` has no field `{source}`")
        if operation is not None and taken is None:
            yield _nowhere(f"`{link.operation}` has no parameter `{parameter}`")
        if taken is not None:
            words = {"operation": link.operation, "parameter": parameter, "type": link.type, "source": source}
            yield from _unfit(link, given.shape if given else None, taken.shape, words, service.types)


def _nowhere(problem: str) -> _Problem:
    return mistakes.LEADS_NOWHERE, {"problem": problem}


def _left_out(link: Link, operation: Operation) -> Iterator[_Problem]:
    for field in operation.input.fields:
        if field.required and field.name not in link.arguments:
            yield mistakes.LINK_LEAVES_OUT, {"operation": link.operation, "parameter": field.name}
    if operation.stream_input is not None:
        yield _nowhere(f"`{link.operation}` takes a stream, which no value's fields are")


def _unfit(link: Link, given: Shape | None, taken: Shape, words: dict[str, str], types: Types) -> Iterator[_Problem]:
    """What keeps a field from being what the parameter takes; with `batch` one of the items that it takes."""
    words = words | {"taken": written(taken)}
    if link.batch:
        listed = unwrap(taken, types)
        if not isinstance(listed, List):
            yield mistakes.BATCH_OF_NO_LIST, words
            return
        taken = listed.item
    if given is not None and not may_be(given, taken, types):
        yield mistakes.LINK_DOES_NOT_FIT, words | {"given": written(given), "taken": written(taken)}
