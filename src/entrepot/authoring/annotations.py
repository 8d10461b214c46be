"""Taking annotations apart."""

from __future__ import annotations

import collections.abc
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

ASYNC_STREAMS = (collections.abc.AsyncIterator, collections.abc.AsyncIterable, collections.abc.AsyncGenerator)
SYNC_STREAMS = (collections.abc.Iterator, collections.abc.Generator)


def hints_of(function: Callable[..., Any], names: Mapping[str, Any]) -> dict[str, Any]:
    """The function's annotations by parameter, `return` included; `names` are known besides its module's.

    Raises NameError and whatever else the evaluation of an annotation may raise.
    """
    return typing.get_type_hints(function, localns=dict(names), include_extras=True)


def attached_to(annotation: Any) -> tuple[Any, ...]:
    """What `Annotated` attaches to a type."""
    return get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()


def bare(annotation: Any) -> Any:
    """The type itself: without what is attached to it, and without None."""
    base = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    return without(base, types.NoneType)


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
