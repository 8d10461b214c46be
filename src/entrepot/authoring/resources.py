"""Resources as an author writes them: generators, told apart by the type they yield."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from entrepot.authoring import diagnostics
from entrepot.authoring.annotations import ASYNC_STREAMS, SYNC_STREAMS, stream_item
from entrepot.authoring.diagnostics import Diagnostics
from entrepot.model.resource import Resource, Scope


class DeclaredResource(msgspec.Struct, frozen=True, kw_only=True):
    """A generator function and what its decorator said."""

    factory: Callable[..., Any]
    scope: Scope
    names: Mapping[str, Any]
    """What its annotations may speak of besides its module's names."""


def read_resources(declared: Iterable[DeclaredResource], found: Diagnostics) -> tuple[Resource, ...]:
    """The resources, each after those it needs."""
    resources = [resource for each in declared if (resource := _read(each, found)) is not None]
    by_type: dict[Any, Resource] = {}
    for resource in resources:
        if resource.provides in by_type:
            found.add(
                diagnostics.DUPLICATE_RESOURCE,
                f"{resource.factory.__name__} and {by_type[resource.provides].factory.__name__} both provide "
                f"{_name(resource.provides)}",
                resource.factory,
                "Leave one of them out, or give them types of their own.",
            )
        by_type.setdefault(resource.provides, resource)
    for resource in by_type.values():
        _check_needs(resource, by_type, found)
    return _in_order(by_type, found)


def _read(declared: DeclaredResource, found: Diagnostics) -> Resource | None:
    factory = declared.factory
    is_generator = inspect.isasyncgenfunction(factory) or inspect.isgeneratorfunction(factory)
    hints = found.hints_of(factory, declared.names)
    if hints is None:
        return None
    provides = stream_item(hints.pop("return", None), ASYNC_STREAMS + SYNC_STREAMS)
    unannotated = inspect.signature(factory).parameters.keys() - hints.keys()
    if provides is None or not is_generator or unannotated:
        found.add(
            diagnostics.BAD_RESOURCE,
            f"{factory.__name__} must be a generator whose parameters and result have types",
            factory,
            f"Write `async def {factory.__name__}() -> AsyncIterator[Session]:` and yield one session.",
        )
        return None
    return Resource(provides=provides, factory=factory, scope=declared.scope, needs=hints)


def _check_needs(resource: Resource, by_type: Mapping[Any, Resource], found: Diagnostics) -> None:
    name = resource.factory.__name__
    for parameter, needed in resource.needs.items():
        if needed not in by_type:
            found.add(
                diagnostics.MISSING_RESOURCE,
                f"parameter {parameter!r} of {name} asks for {_name(needed)}, which no resource provides",
                resource.factory,
                f"Add a resource that yields {_name(needed)}.",
                parameter,
            )
        elif resource.scope == "application" and by_type[needed].scope == "call":
            found.add(
                diagnostics.MISSING_RESOURCE,
                f"{name} lives as long as the application, but needs {_name(needed)}, which lives for one call",
                resource.factory,
                f'Make {name} a resource of scope "call", or the other one of scope "application".',
                parameter,
            )


def _in_order(by_type: Mapping[Any, Resource], found: Diagnostics) -> tuple[Resource, ...]:
    ordered: dict[Any, Resource] = {}
    waiting = dict(by_type)
    while waiting:
        ready = [key for key, each in waiting.items() if not any(needed in waiting for needed in each.needs.values())]
        if not ready:
            _report_circle(list(waiting.values()), found)
            break
        for key in ready:
            ordered[key] = waiting.pop(key)
    return tuple(ordered.values())


def _report_circle(circle: list[Resource], found: Diagnostics) -> None:
    found.add(
        diagnostics.CIRCULAR_RESOURCE,
        f"these resources wait for each other: {', '.join(each.factory.__name__ for each in circle)}",
        circle[0].factory,
        "Take one of the parameters out.",
    )


def _name(provided: Any) -> str:
    return getattr(provided, "__qualname__", None) or str(provided)
