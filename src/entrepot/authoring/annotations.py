"""Taking annotations apart."""

from __future__ import annotations

import collections.abc
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

ASYNC_STREAMS = (collections.abc.AsyncIterator, collections.abc.AsyncIterable, collections.abc.AsyncGenerator)
SYNC_STREAMS = (collections.abc.Iterator, collections.abc.Generator)


def hints_of(function: Callable[..., Any], names: Mapping[str, Any]) -> dict[str, Any]:
    """The function's annotations by parameter, `return` included; `names` are known besides its module's.

    Raises NameError and whatever else the evaluation of an annotation may raise.
    """
    return typing.get_type_hints(function, localns=dict(names), include_extras=True)


def attached_to(annotation: Any) -> tuple[Any, ...]:
    """What `Annotated` attaches to a type, or to the one that a union has besides None."""
    if get_origin(annotation) is Annotated:
        return (*get_args(annotation)[1:], *attached_to(get_args(annotation)[0]))
    inner = without(annotation, types.NoneType)
    return () if inner is annotation or get_origin(inner) is not Annotated else attached_to(inner)


def attached_within(annotation: Any) -> Iterator[Any]:
    """All that `Annotated` attaches anywhere in a type."""
    inner = get_args(annotation)
    if get_origin(annotation) is Annotated:
        yield from inner[1:]
        inner = inner[:1]
    for each in inner:
        yield from attached_within(each)


def bare(annotation: Any) -> Any:
    """The type itself: without what is attached to it, and without None."""
    base = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    inner = without(base, types.NoneType)
    return inner if inner is annotation else bare(inner)


def without(annotation: Any, member: type) -> Any:
    """A union without one of its types. What is no union, or has nothing else, stays as it is."""
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation
    kept = tuple(each for each in get_args(annotation) if each is not member)
    return Union[kept] if kept else annotation


def stream_item(annotation: Any, kinds: tuple[type, ...]) -> Any | None:
    """What a stream of one of these kinds yields; None when the type is no such stream."""
    if get_origin(annotation) in kinds:
        return get_args(annotation)[0]
    return None
