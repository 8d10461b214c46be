"""Taking annotations apart."""

from __future__ import annotations

import collections.abc
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

ASYNC_STREAMS = (collections.abc.AsyncIterator, collections.abc.AsyncIterable, collections.abc.AsyncGenerator)
SYNC_STREAMS = (collections.abc.Iterator, collections.abc.Generator)


def hints_of(function: Callable[..., Any], names: Mapping[str, Any]) -> dict[str, Any]:
    """The function's annotations by parameter, `return` included; `names` are known besides its module's.

    Raises NameError and whatever else the evaluation of an annotation may raise.
    """
    return typing.get_type_hints(function, localns=dict(names), include_extras=True)


def unannotated(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """A type and what was attached to it: `Annotated[int, x]` gives `int` and `(x,)`."""
    if get_origin(annotation) is Annotated:
        base, *attached = get_args(annotation)
        return base, tuple(attached)
    return annotation, ()


def reannotated(base: Any, attached: tuple[Any, ...]) -> Any:
    """The inverse of `unannotated`."""
    return Annotated[(base, *attached)] if attached else base


def members(annotation: Any) -> tuple[Any, ...]:
    """The types of a union; any other type is a union of one."""
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)


def without(annotation: Any, member: type) -> Any:
    """A union without one of its types. What is not a union, or has nothing else, stays as it is."""
    kept = tuple(each for each in members(annotation) if each is not member)
    return Union[kept] if kept else annotation


def may_be_absent(annotation: Any) -> bool:
    """Whether `msgspec.UnsetType` is among the types."""
    return msgspec.UnsetType in members(annotation)


def stream_item(annotation: Any, kinds: tuple[type, ...]) -> Any | None:
    """What a stream of one of these kinds yields; None when the type is no such stream."""
    if get_origin(annotation) in kinds:
        return get_args(annotation)[0]
    return None
