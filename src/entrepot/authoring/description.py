"""From what an author declared to a described service, or to everything that is wrong with it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import msgspec

from entrepot.authoring import http, mistakes, options
from entrepot.authoring.declared import Declared, DeclaredOperation
from entrepot.authoring.diagnostics import Diagnostics
from entrepot.authoring.effects import (
    check_chosen,
    check_classes,
    check_conditions,
    check_examples,
    check_roles,
)
from entrepot.authoring.faults import FaultReader
from entrepot.authoring.handler import Handler
from entrepot.authoring.http import Http
from entrepot.authoring.links import read_link
from entrepot.authoring.places import place_of
from entrepot.authoring.resources import read_resources
from entrepot.authoring.signature import InputField, Signature, SignatureReader
from entrepot.authoring.sorting import check_sorting
from entrepot.kit.diagnostics import Refused
from entrepot.model.fault import DeclaredFault
from entrepot.model.operation import Example, Operation, Service
from entrepot.model.resource import Resource
from entrepot.model.shape import Field, Nullable, Record
from entrepot.shapes.reflect import Reflector
from entrepot.shapes.values import Values


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """A service, and the Python behind it."""

    service: Service
    classes: Mapping[str, Any]
    handlers: Mapping[str, Handler]
    resources: tuple[Resource, ...]


class _Read(NamedTuple):
    """An operation, before its defaults are held against its types."""

    declared: DeclaredOperation
    options: Mapping[str, Any]
    signature: Signature
    faults: tuple[DeclaredFault, ...]


def describe(declared: Declared) -> Described:
    """The service as declared. Raises `Refused` with everything that is wrong."""
    found = Diagnostics()
    said = options.sound(declared.options, options.SERVICE, declared.options["name"], declared.place, found)
    _check_names(declared.operations, found)
    resources, provided = read_resources(declared.resources, found)
    reflector = Reflector()
    signatures, faults = SignatureReader(reflector, provided, found), FaultReader(reflector, found)
    read = [_read(each, signatures, faults, found) for each in declared.operations]
    values = Values(reflector.types, reflector.classes)
    service = Service(
        **{"name": "", **said},
        operations=tuple(_operation(each, values, found) for each in read),
        types=dict(reflector.types),
    )
    names = {each.function: each.name for each in declared.operations}
    links = tuple(read_link(each, service, reflector.classes, names, found) for each in declared.links)
    service = msgspec.structs.replace(service, links=links)
    check_chosen(declared.operations, service, found)
    if not found.found:  # or there may be classes that could not be read
        check_classes(service.types, reflector.classes, found)
    if found.found:
        raise Refused(found.found)
    return Described(
        service=service,
        classes=dict(reflector.classes),
        handlers={
            each.declared.name: Handler(function=each.declared.function, parameters=tuple(each.signature.parameters))
            for each in read
        },
        resources=resources,
    )


def _check_names(operations: list[DeclaredOperation], found: Diagnostics) -> None:
    first: dict[str, DeclaredOperation] = {}
    for operation in operations:
        if not operation.name.isidentifier():
            found.add(mistakes.UNFIT_NAME, operation.function, name=operation.name)
        other = first.setdefault(operation.name, operation)
        if other is not operation:
            found.add(mistakes.SAME_NAME, operation.function, name=operation.name, other=place_of(other.function))


def _read(declared: DeclaredOperation, signatures: SignatureReader, faults: FaultReader, found: Diagnostics) -> _Read:
    known = options.HTTP if declared.method else options.OPERATION
    said = options.sound(declared.options, known, declared.function.__name__, declared.place, found)
    signature = signatures.read(declared.function, declared.names)
    return _Read(declared, said, signature, faults.read(said.pop("faults", ()), declared.function))


def _operation(read: _Read, values: Values, found: Diagnostics) -> Operation:
    declared, signature, function = read.declared, read.signature, read.declared.function
    said: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in read.options.items()
    }
    words = None
    if declared.method:
        options = {name: said.pop(name) for name in http.OPTIONS if name in said}
        words = Http(declared.method, declared.path, **options)
        http.check(words, function, signature, found)
        said |= {"safe": declared.method in http.SAFE, "idempotent": declared.method in http.IDEMPOTENT}
    _check_streams(function, signature, found)
    check_sorting(function, signature, values.types, found)
    check_roles(function, signature, values.types, found)
    if said.get("safe"):
        check_conditions(function, signature, found)
    bindings = msgspec.to_builtins(said.pop("bindings", {}))
    for pointer in _merge(bindings, http.bindings(words, signature)):
        found.add(mistakes.SAID_OTHERWISE, declared.place, name=function.__name__, pointer=pointer)
    _date(said)
    summary, _, docs = (inspect.getdoc(function) or "").partition("\n")
    said |= {
        "name": declared.name,
        "idempotent": said.get("safe", False) or said.get("idempotent", False),
        "examples": tuple(_example(each, number) for number, each in enumerate(said.get("examples", ()), 1)),
    }
    operation = Operation(
        # A misspelt argument is refused, as Python does.
        input=Record(fields=tuple(_field(each, values, function, found) for each in signature.fields), extras="forbid"),
        output=signature.output,
        stream_input=signature.stream_input,
        stream_output=signature.stream_output,
        faults=read.faults,
        summary=summary.strip(),
        docs=docs.strip(),
        bindings=bindings,
        **said,
    )
    check_examples(function, operation, values.types, found)
    return operation


def _date(said: dict[str, Any]) -> None:
    """Dates become moments in UTC; one that says since when says that it is deprecated, too."""
    since = said.get("deprecated")
    if isinstance(since, date):
        said |= {"deprecated": True, "deprecated_since": _moment(since)}
    if "sunset" in said:
        said["sunset"] = _moment(said["sunset"])


def _moment(day: date) -> datetime:
    return day if isinstance(day, datetime) else datetime(day.year, day.month, day.day, tzinfo=UTC)


def _merge(said: dict[str, Any], more: Mapping[str, Any], pointer: str = "") -> Iterator[str]:
    """Add more members to those that are said, at any depth; the pointers to what is said otherwise."""
    for name, value in more.items():
        here = f"{pointer}/{name}"
        if isinstance(value, dict) and isinstance(said.setdefault(name, {}), dict):
            yield from _merge(said[name], value, here)
        elif said.setdefault(name, value) != value:
            yield here


def _example(given: Example | Mapping[str, Any], number: int) -> Example:
    return given if isinstance(given, Example) else Example(name=f"example {number}", input=dict(given))


def _field(field: InputField, values: Values, function: Callable[..., Any], found: Diagnostics) -> Field:
    member = field.member
    default: Any = msgspec.UNSET
    if field.default is not inspect.Parameter.empty:
        codec = values.codec(member.shape)
        if field.default is None and isinstance(member.shape, Nullable):
            default = None
        elif codec.accepts(field.default):
            default = codec.to_plain(field.default)
        else:
            found.add(mistakes.WRONG_DEFAULT, function, field.name, default=repr(field.default))
    return Field(
        name=field.name,
        shape=member.shape,
        required=field.required,
        default=default,
        role=member.role,
        xml=member.xml,
        docs=member.docs,
        examples=member.examples,
    )


def _check_streams(function: Callable[..., Any], signature: Signature, found: Diagnostics) -> None:
    handler = Handler(function=function)
    if signature.stream_input is not None and not handler.is_async:
        found.add(mistakes.READ_BY_A_PLAIN_FUNCTION, function)
    if handler.is_generator and not signature.stream_output:
        found.add(mistakes.YIELDS_UNSAID, function)
