"""Links between operations, as an author declares them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from entrepot.authoring import mistakes
from entrepot.authoring.declared import DeclaredLink
from entrepot.authoring.diagnostics import Diagnostics
from entrepot.model.operation import Link, Service
from entrepot.model.shape import Record, resolve


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
    for problem in _problems(link, declared, service):
        name = f"{declared.type.__name__}.{declared.field}"
        found.add(mistakes.LEADS_NOWHERE, declared.place, link=name, problem=problem)
    return link


def _operation_of(declared: DeclaredLink, names: Mapping[Callable[..., Any], str]) -> str:
    given = declared.operation
    return given if isinstance(given, str) else names.get(given, given.__name__)


def _problems(link: Link, declared: DeclaredLink, service: Service) -> Iterator[str]:
    operation = service.operation(link.operation)
    record = resolve(service.types[link.type], service.types) if link.type else None
    if not link.type:
        yield f"no operation of `{service.name}` takes or gives `{declared.type.__name__}`"
    if operation is None:
        yield f"there is no operation `{link.operation}`"
    for parameter, source in link.arguments.items():
        if operation is not None and operation.input.field(parameter) is None:
            yield f"`{link.operation}` has no parameter `{parameter}`"
        if isinstance(record, Record) and record.field(source) is None:
            yield f"`{link.type}` has no field `{source}`"
    if isinstance(record, Record) and record.field(link.field) is not None:
        yield f"`{link.type}` has a field `{link.field}` of its own"
