"""Resources as an author writes them: generators, told apart by the type they yield."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import msgspec

from entrepot.authoring import mistakes, options
from entrepot.authoring.annotations import ASYNC_STREAMS, SYNC_STREAMS, stream_item
from entrepot.authoring.diagnostics import Diagnostics
from entrepot.kit.diagnostics import Place
from entrepot.model.resource import Resource


class DeclaredResource(msgspec.Struct, frozen=True, kw_only=True):
    """A generator function and what its decorator said."""

    factory: Callable[..., Any]
    names: Mapping[str, Any]
    """What its annotations may speak of besides its module's names."""
    place: Place
    """Where the decorator stands."""
    options: Mapping[str, Any]


def read_resources(
    declared: Iterable[DeclaredResource], found: Diagnostics
) -> tuple[tuple[Resource, ...], Collection[Any]]:
    """The resources, each after those it needs; and every type that one provides or, once mended, will."""
    read = [_read(each, found) for each in declared]
    by_type: dict[Any, Resource] = {}
    for resource in (resource for resource, _ in read if resource is not None):
        other = by_type.setdefault(resource.provides, resource)
        if other is not resource:
            found.add(
                mistakes.PROVIDED_TWICE,
                resource.factory,
                other=other.factory.__name__,
                type=_name(resource.provides),
            )
    provided = {each for _, types in read for each in types}
    for resource in by_type.values():
        _check_needs(resource, by_type, provided, found)
    return _in_order(by_type, found), provided


def _read(declared: DeclaredResource, found: Diagnostics) -> tuple[Resource | None, tuple[Any, ...]]:
    """The resource, if it is one, and the types that it is meant to provide."""
    factory = declared.factory
    said = options.sound(declared.options, options.RESOURCE, factory.__name__, declared.place, found)
    hints = found.hints_of(factory, declared.names)
    if hints is None:
        return None, ()
    result = hints.pop("return", None)
    provides = stream_item(result, ASYNC_STREAMS + SYNC_STREAMS)
    is_generator = inspect.isasyncgenfunction(factory) or inspect.isgeneratorfunction(factory)
    unannotated = inspect.signature(factory).parameters.keys() - hints.keys()
    if provides is None or not is_generator or unannotated:
        found.add(mistakes.NO_GENERATOR, factory)
        return None, tuple(each for each in (provides, result) if isinstance(each, type))
    return Resource(provides=provides, factory=factory, needs=hints, **said), (provides,)


def _check_needs(
    resource: Resource, by_type: Mapping[Any, Resource], provided: Collection[Any], found: Diagnostics
) -> None:
    for parameter, needed in resource.needs.items():
        if needed not in provided:
            found.add(mistakes.NOT_PROVIDED, resource.factory, parameter, type=_name(needed))
        elif resource.scope == "application" and needed in by_type and by_type[needed].scope == "call":
            found.add(mistakes.LIVES_SHORTER, resource.factory, parameter, type=_name(needed))


def _in_order(by_type: Mapping[Any, Resource], found: Diagnostics) -> tuple[Resource, ...]:
    ordered: dict[Any, Resource] = {}
    waiting = dict(by_type)
    while waiting:
        ready = [key for key, each in waiting.items() if not any(needed in waiting for needed in each.needs.values())]
        if not ready:
            names = [each.factory.__name__ for each in waiting.values()]
            found.add(mistakes.CIRCLE, next(iter(waiting.values())).factory, names=", ".join(names))
            break
        for key in ready:
            ordered[key] = waiting.pop(key)
    return tuple(ordered.values())


def _name(provided: Any) -> str:
    return getattr(provided, "__qualname__", None) or str(provided)
