"""What a link must say to be followed, in whatever contract it stands."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import msgspec

from entrepot.model.operation import Link, Operation, Service
from entrepot.model.shape import Record, Types
from entrepot.shapes.document import Node, Refusal, Unreadable


def unfollowable(target: Operation, given: Collection[str]) -> str:
    """Why an operation cannot be called with these parameters alone; "" when it can."""
    fields = {field.name: field for field in target.input.fields}
    unknown = [name for name in given if name not in fields]
    if unknown:
        return f"{target.name} has no parameter {', '.join(unknown)}"
    demanded = [name for name, field in fields.items() if field.required and field.default is msgspec.UNSET]
    missing = [name for name in demanded if name not in given]
    return f"it does not say what {target.name} gets for {', '.join(missing)}" if missing else ""


def unheld(type: str, types: Types, sources: Iterable[str]) -> str:
    """Why values of a type do not hold what a link takes of them; "" when they do, as far as names tell."""
    start = types[type]
    unknown = [name for name in _names(sources) if isinstance(start, Record) and start.field(name) is None]
    return f"{type} has no member {', '.join(unknown)}" if unknown else ""


def _names(sources: Iterable[str]) -> Iterator[str]:
    return (source for source in sources if source and not source.startswith("/"))


def own_links(said: Node, service: Service, refusals: list[Refusal]) -> Iterator[Link]:
    """The links that a contract of ours gives of a service. Those that lead nowhere in it, as it was read, are told."""
    for index in range(len(said.value) if isinstance(said.value, list) else 0):
        node = said.raw(index)
        try:
            yield _own_link(node, service)
        except Unreadable as unreadable:
            refusals.append(unreadable.refusal(f"link {index}"))


def _own_link(node: Node, service: Service) -> Link:
    try:
        link = msgspec.convert(node.value, Link)
    except msgspec.ValidationError as error:
        raise node.unreadable(str(error)) from None
    if reason := _broken(link, service):
        raise node.unreadable(reason)
    return link


def _broken(link: Link, service: Service) -> str:
    target = service.operation(link.operation)
    if target is None:
        return f"its operation {link.operation} is not imported"
    if link.type not in service.types:
        return f"its type {link.type} is not imported"
    return unheld(link.type, service.types, link.arguments.values()) or unfollowable(target, link.arguments)
