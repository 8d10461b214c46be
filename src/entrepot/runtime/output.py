"""Whether what a handler returned is what its operation declares.

At its top only, unless asked for all the way down: the encoder writes what it is given, and a
full check would cost as much as decoding. Development checks everything.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from typing import Any, get_args, get_origin

from entrepot.shapes.values import Codec

OutputCheck = Callable[[Any], None]
"""Raises TypeError when the output is not of its declared type; the message shows no value."""


def output_check(codec: Codec, *, deep: bool) -> OutputCheck | None:
    """The check for outputs of the codec's shape; None when there is nothing to check."""
    classes = None if deep else _classes(codec.type)
    if not deep and classes is None:
        return None
    expected = codec.type
    accepts = codec.accepts

    def check(output: Any) -> None:
        fits = accepts(output) if classes is None else isinstance(output, classes)
        if not fits:
            raise TypeError(f"the output, a {type(output).__name__}, is not of the declared type {expected}")

    return check


def _classes(annotation: Any) -> tuple[type, ...] | None:
    """The classes that a value of this type may have at its top; None when that cannot be told."""
    if annotation is None:
        return (types.NoneType,)
    if isinstance(annotation, type) and not get_args(annotation):
        return None if annotation is object else (annotation,)
    origin = get_origin(annotation)
    if origin is typing.Annotated:
        return _classes(get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        arms = [_classes(arm) for arm in get_args(annotation)]
        known = [arm for arm in arms if arm is not None]
        return tuple(each for arm in known for each in arm) if len(known) == len(arms) else None
    return (origin,) if isinstance(origin, type) else None
