"""What an author says that nothing would come of: it is noted, so that nobody waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, get_origin

import msgspec

from entrepot.authoring import mistakes
from entrepot.authoring.declared import DeclaredOperation
from entrepot.authoring.diagnostics import Diagnostics
from entrepot.authoring.http import PROTOCOL
from entrepot.authoring.marks import OF_ROLES, classes_within, markers_within
from entrepot.authoring.places import place_of_class
from entrepot.authoring.signature import Signature
from entrepot.model import shape as s
from entrepot.model.operation import Link, Operation, Service
from entrepot.ports.links import is_followed
from entrepot.shapes import authored
from entrepot.shapes.class_fields import fields_of
from entrepot.shapes.explain import explain

_OF_PAGES: tuple[s.Role, ...] = ("page_number", "page_size", "offset", "cursor")
"""Roles of parameters that ask for a page."""
_OF_FIELDS: tuple[s.Role, ...] = ("cursor", "version")
"""Roles that fields have, too."""


def check_roles(function: Callable[..., Any], signature: Signature, types: s.Types, found: Diagnostics) -> None:
    """Note each mark of a parameter that asks for what the function does not give."""
    pages = isinstance(s.unwrap(signature.output, types), s.Page) and not signature.stream_output
    first: dict[s.Role, str] = {}
    for field in signature.fields:
        role = field.member.role
        words = {"mark": OF_ROLES.get(role, "")}
        if role == "version":
            found.add(mistakes.VERSION_ASKED, function, field.name, **words)
        elif role in _OF_PAGES and not pages and not (role == "cursor" and signature.stream_output):
            found.add(mistakes.PAGE_OF_NOTHING, function, field.name, **words, **_instead(role))
        elif role in _OF_PAGES and first.setdefault(role, field.name) != field.name:
            found.add(mistakes.MARKED_TWICE, function, field.name, other=first[role], **words)


def _instead(role: s.Role) -> dict[str, str]:
    if role == "cursor":
        return {"answer": "page and no stream", "remedy": "Answer with a `Page[T]` or an `AsyncIterator[T]`."}
    return {"answer": "page", "remedy": "Answer with a `Page[T]`, `return Page.of(…)`, or take the mark off."}


def check_examples(function: Callable[..., Any], operation: Operation, types: s.Types, found: Diagnostics) -> None:
    """Note what is wrong with each sample call, as far as it is plain data."""
    for example in operation.examples:
        for part, shape, value in (
            ("input", operation.input, example.input),
            ("output", operation.output, example.output),
        ):
            is_plain = not any(isinstance(each, s.File | s.Raw) for each in s.reachable(shape, types))
            if value is not msgspec.UNSET and is_plain and not (part == "output" and operation.stream_output):
                for issue in explain(shape, msgspec.to_builtins(value, str_keys=True), types):
                    words = {"part": part, "example": example.name, "pointer": issue.pointer, "problem": issue.message}
                    found.add(mistakes.UNFIT_EXAMPLE, function, **words)


def check_conditions(function: Callable[..., Any], signature: Signature, found: Diagnostics) -> None:
    """Note each parameter of a safe operation that asks for the conditions of the call."""
    for parameter in signature.parameters:
        if parameter.source == "conditions":
            found.add(mistakes.NO_CONDITIONS, function, parameter.name)


def check_classes(types: s.Types, classes: Mapping[str, Any], found: Diagnostics) -> None:
    """Note each mark of a parameter that stands at a field of a record."""
    for name, owner in classes.items():
        record, origin = types[name], get_origin(owner) or owner
        if isinstance(record, s.Record) and authored.is_record(origin):
            hints = {each.name: each.annotation for each in fields_of(owner, origin)}
            for field in record.fields:
                for mark in classes_within(hints.get(field.name)):
                    where = f"the field `{field.name}` of `{name}`"
                    words = {"where": where, "mark": mark}
                    found.add(mistakes.MARK_NOT_MADE, place_of_class(origin), **words)
                for mark in _of_parameters(field, hints.get(field.name)):
                    found.add(mistakes.MARK_OF_A_FIELD, place_of_class(origin), type=name, field=field.name, mark=mark)


def _of_parameters(field: s.Field, hint: Any) -> Iterator[str]:
    if field.role and field.role not in _OF_FIELDS:
        yield OF_ROLES[field.role]
    yield from (each.written for each in markers_within(hint))


def check_chosen(declared: Iterable[DeclaredOperation], service: Service, found: Diagnostics) -> None:
    """Note each operation of whose answer callers may choose where there is nothing to choose."""
    for each in declared:
        operation = service.operation(each.name)
        said = {} if operation is None else operation.bindings.get(PROTOCOL, {})
        if operation is not None and said.get("fields") and not _has_members(operation, service.types):
            found.add(mistakes.NOTHING_TO_CHOOSE, each.function)
        if operation is not None and said.get("expand"):
            leading = _leading(operation, service)
            if not leading:
                found.add(mistakes.NOTHING_TO_EXPAND, each.function)
            elif not any(is_followed(link, service) for link in leading):
                link = leading[0]
                words = {"link": f"{link.type}.{link.field}", "operation": link.operation}
                found.add(mistakes.NOT_FOLLOWED, each.function, **words)


def _has_members(operation: Operation, types: s.Types) -> bool:
    reached = s.reachable(operation.output, types)
    return any(isinstance(part, s.Record | s.Map | s.Anything | s.Json) for part in reached)


def _leading(operation: Operation, service: Service) -> list[Link]:
    """The links from what an operation answers."""
    names = set(s.names_reached((operation.output,), service.types))
    return [link for link in service.links if link.type in names]
