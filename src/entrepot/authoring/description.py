"""From what an author declared to a described service, or to everything that is wrong with it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from entrepot.authoring import diagnostics, http
from entrepot.authoring.diagnostics import Diagnostics
from entrepot.authoring.handler import Handler
from entrepot.authoring.http import Http
from entrepot.authoring.places import place_of
from entrepot.authoring.resources import DeclaredResource, read_resources
from entrepot.authoring.signature import InputField, Signature, SignatureReader
from entrepot.kit.diagnostics import Place, Refused
from entrepot.model.fault import DeclaredFault, Fault
from entrepot.model.operation import Example, Link, Operation, Service
from entrepot.model.resource import Resource
from entrepot.model.shape import Field, File, Record, Shape, reachable, resolve
from entrepot.shapes.class_fields import NoShape
from entrepot.shapes.reflect import Reflector
from entrepot.shapes.values import Values

_SERVICE_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]*")


class DeclaredOperation(msgspec.Struct, frozen=True, kw_only=True):
    """A function and what its decorator said."""

    function: Callable[..., Any]
    names: Mapping[str, Any]
    """What its annotations may speak of besides its module's names."""
    name: str
    safe: bool = False
    idempotent: bool = False
    deferrable: bool = False
    deprecated: bool = False
    faults: tuple[type[Fault], ...] = ()
    scopes: tuple[str, ...] = ()
    timeout: float | None = None
    tags: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    http: Http | None = None


class DeclaredLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link as the author wrote it."""

    type: type
    field: str
    operation: Callable[..., Any] | str
    arguments: Mapping[str, str]
    batch: bool
    place: Place


class Declared(msgspec.Struct, kw_only=True):
    """Everything an author has written about one service, in order."""

    name: str
    version: str
    title: str
    docs: str
    place: Place
    operations: list[DeclaredOperation] = []
    resources: list[DeclaredResource] = []
    links: list[DeclaredLink] = []


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """A service, and the Python behind it."""

    service: Service
    classes: Mapping[str, Any]
    handlers: Mapping[str, Handler]
    resources: tuple[Resource, ...]


def describe(declared: Declared) -> Described:
    """The service as declared. Raises `Refused` with everything that is wrong."""
    found = Diagnostics()
    _check_names(declared, found)
    resources = read_resources(declared.resources, found)
    reflector = Reflector()
    reader = SignatureReader(reflector, {resource.provides for resource in resources}, found)
    signatures = {each.name: reader.read(each.function, each.names) for each in declared.operations}
    faults = {each.name: _read_faults(each, reflector, found) for each in declared.operations}
    _check_fault_names(declared.operations, found)
    values = Values(reflector.types, reflector.classes)
    operations = tuple(
        _operation(each, signatures[each.name], faults[each.name], values, found) for each in declared.operations
    )
    service = Service(
        name=declared.name,
        version=declared.version,
        operations=operations,
        types=dict(reflector.types),
        title=declared.title,
        docs=declared.docs,
    )
    names = {each.function: each.name for each in declared.operations}
    links = tuple(_link(each, service, names, reflector, found) for each in declared.links)
    if found.found:
        raise Refused(found.found)
    return Described(
        service=msgspec.structs.replace(service, links=links),
        classes=dict(reflector.classes),
        handlers={
            each.name: Handler(function=each.function, parameters=tuple(signatures[each.name].parameters))
            for each in declared.operations
        },
        resources=resources,
    )


def _check_names(declared: Declared, found: Diagnostics) -> None:
    for text, pattern, what in (
        (declared.name, _SERVICE_NAME, "A service's name is lower-case letters, digits, '_' and '-'."),
        (declared.version, _VERSION, "A version is letters, digits, '.', '_' and '-'."),
    ):
        if not pattern.fullmatch(text):
            found.add(diagnostics.BAD_NAME, f"{text!r} cannot stand in an address", declared.place, what)
    first: dict[str, DeclaredOperation] = {}
    for operation in declared.operations:
        if not operation.name.isidentifier():
            found.add(
                diagnostics.BAD_NAME,
                f"operation {operation.name!r} cannot be called so in every protocol",
                operation.function,
                "An operation's name is a Python identifier.",
            )
        if operation.name in first:
            found.add(
                diagnostics.DUPLICATE_OPERATION,
                f"there are two operations {operation.name!r}; the other one is at "
                f"{place_of(first[operation.name].function)}",
                operation.function,
                "Rename the function, or give one of them `name=`.",
            )
        first.setdefault(operation.name, operation)


def _operation(
    declared: DeclaredOperation,
    signature: Signature,
    faults: tuple[DeclaredFault, ...],
    values: Values,
    found: Diagnostics,
) -> Operation:
    summary, _, docs = (inspect.getdoc(declared.function) or "").partition("\n")
    _check_options(declared, found)
    _check_streams(declared, signature, found)
    if declared.http is not None:
        http.check(declared.http, declared.function, signature, found)
    return Operation(
        name=declared.name,
        input=Record(
            # A misspelt argument is refused, as Python does.
            fields=tuple(_field(each, values, declared.function, found) for each in signature.fields),
            extras="forbid",
        ),
        output=signature.output,
        stream_input=signature.stream_input,
        stream_output=signature.stream_output,
        faults=faults,
        safe=declared.safe,
        idempotent=declared.idempotent,
        deferrable=declared.deferrable,
        deprecated=declared.deprecated,
        scopes=declared.scopes,
        timeout=declared.timeout,
        summary=summary.strip(),
        docs=docs.strip(),
        tags=declared.tags,
        examples=declared.examples,
        bindings=http.bindings(declared.http, signature),
    )


def _field(field: InputField, values: Values, function: Callable[..., Any], found: Diagnostics) -> Field:
    member, default = field.member, msgspec.UNSET
    if field.default is not inspect.Parameter.empty:
        codec = values.codec(member.shape)
        if codec.accepts(field.default):
            default = codec.to_plain(field.default)
        else:
            found.add(
                diagnostics.BAD_DEFAULT,
                f"the default {field.default!r} of parameter {field.name!r} is not of its type",
                function,
                "Give a default of the type, or add `| None` to it.",
                field.name,
            )
    return Field(
        name=field.name,
        shape=member.shape,
        required=field.required,
        default=default,
        role=member.role,
        docs=member.docs,
        examples=member.examples,
    )


def _check_streams(declared: DeclaredOperation, signature: Signature, found: Diagnostics) -> None:
    function = declared.function
    if signature.stream_input is not None and not Handler(function=function).is_async:
        found.add(
            diagnostics.BAD_STREAM,
            f"{function.__name__} takes a stream, which only an `async def` can read",
            function,
            f"Write `async def {function.__name__}`.",
        )
    if Handler(function=function).is_generator and not signature.stream_output:
        found.add(
            diagnostics.BAD_STREAM,
            f"{function.__name__} yields, but its result is not annotated as a stream",
            function,
            "Annotate the result as `AsyncIterator[T]`, or `Iterator[T]` for a plain generator.",
        )


def _read_faults(declared: DeclaredOperation, reflector: Reflector, found: Diagnostics) -> tuple[DeclaredFault, ...]:
    read = (_read_fault(each, declared.function, reflector, found) for each in declared.faults)
    return tuple(fault for fault in read if fault is not None)


def _read_fault(
    fault: type[Fault], function: Callable[..., Any], reflector: Reflector, found: Diagnostics
) -> DeclaredFault | None:
    if not (isinstance(fault, type) and issubclass(fault, Fault)):
        found.add(
            diagnostics.BAD_FAULT,
            f"{function.__name__} declares {fault!r}, which is not a class of faults",
            function,
            "List classes that derive from `Fault`.",
        )
        return None
    data = None if fault.Data is None else _fault_data(fault, reflector, function, found)
    own_docs = inspect.getdoc(fault) if fault.__doc__ else None
    return DeclaredFault(name=fault.name, kind=fault.kind, data=data, docs=own_docs or "")


def _fault_data(
    fault: type[Fault], reflector: Reflector, function: Callable[..., Any], found: Diagnostics
) -> Shape | None:
    try:
        data = reflector.shape(fault.Data)
        if any(isinstance(part, File) for part in reachable(data, reflector.types)):
            raise NoShape("a file cannot stand beside a failure, which is written as one value")
    except NoShape as error:
        found.add(
            diagnostics.BAD_FAULT,
            f"the data of fault {fault.__name__}: {error}",
            function,
            "Annotate it with types that can travel.",
        )
        return None
    return data


def _check_fault_names(operations: list[DeclaredOperation], found: Diagnostics) -> None:
    """A fault's name is how a caller knows it, so it means one thing in the whole service."""
    first: dict[str, type[Fault]] = {}
    for operation in operations:
        for fault in operation.faults:
            name = getattr(fault, "name", "")
            if name and first.setdefault(name, fault) is not fault:
                found.add(
                    diagnostics.BAD_FAULT,
                    f"{operation.function.__name__} declares another fault {name!r} than an operation before it",
                    operation.function,
                    "Rename one of the classes.",
                )


def _check_options(declared: DeclaredOperation, found: Diagnostics) -> None:
    if declared.timeout is not None and declared.timeout <= 0:
        found.add(
            diagnostics.BAD_OPTION,
            f"a timeout of {declared.timeout} seconds leaves {declared.function.__name__} no time",
            declared.function,
            "Give a positive number of seconds, or none to take the service's.",
        )


def _link(
    declared: DeclaredLink,
    service: Service,
    names: Mapping[Callable[..., Any], str],
    reflector: Reflector,
    found: Diagnostics,
) -> Link:
    name = next((name for name, known in reflector.classes.items() if known is declared.type), "")
    given = declared.operation
    operation_name = given if isinstance(given, str) else names.get(given, given.__name__)
    operation = service.operation(operation_name)
    if not name:
        _bad_link(declared, f"no operation of {service.name} takes or gives {declared.type.__name__}", found)
    if operation is None:
        _bad_link(declared, f"there is no operation {operation_name!r}", found)
    record = resolve(service.types[name], service.types) if name else None
    for parameter, source in declared.arguments.items():
        if operation is not None and operation.input.field(parameter) is None:
            _bad_link(declared, f"{operation_name} has no parameter {parameter!r}", found)
        if isinstance(record, Record) and record.field(source) is None:
            _bad_link(declared, f"{name} has no field {source!r}", found)
    if isinstance(record, Record) and record.field(declared.field) is not None:
        _bad_link(declared, f"{name} has a field {declared.field!r} of its own", found)
    return Link(
        type=name,
        field=declared.field,
        operation=operation_name,
        arguments=dict(declared.arguments),
        batch=declared.batch,
    )


def _bad_link(declared: DeclaredLink, message: str, found: Diagnostics) -> None:
    found.add(
        diagnostics.BAD_LINK,
        f"link {declared.type.__name__}.{declared.field}: {message}",
        declared.place,
        "A link takes a type, a new field's name, an operation, and arguments from parameters to the type's fields.",
    )
