"""Whether what a handler returned is what its operation declares.

At its top only, unless asked for all the way down: the encoder writes what it is given, and a
full check would cost as much as decoding. Development checks everything.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, get_args, get_origin

from entrepot.model.shape import Shape
from entrepot.shapes.traits import Trait
from entrepot.shapes.values import Values

_ALSO: dict[type, tuple[type, ...]] = {
    float: (float, int),
    list: (list, tuple, set, frozenset),
    dict: (Mapping,),
}
"""What the encoder writes just as the type declared, and people return in its place."""


class OutputCheck:
    """The check for outputs of one shape, made ready when the first one comes."""

    def __init__(self, values: Values, shape: Shape, *, deep: bool) -> None:
        self._values = values
        self._shape = shape
        self._deep = deep

    @cached_property
    def fits(self) -> Callable[[Any], bool]:
        """Whether an output is of the shape's type."""
        codec = self._values.codec(self._shape)
        classes = _classes(codec.type) or (object,)
        if self._deep and Trait.BINARY not in codec.traits:
            return lambda output: isinstance(output, classes) and codec.accepts(output)
        if len(classes) == 1:
            return classes[0].__instancecheck__
        return lambda output: isinstance(output, classes)

    def mismatch(self, output: Any) -> TypeError:
        """What to raise for an output that does not fit; the message shows nothing of it."""
        expected = self._values.codec(self._shape).type
        return TypeError(f"the output, a {type(output).__name__}, is not of the declared type {expected}")


def _classes(annotation: Any) -> tuple[type, ...] | None:
    """The classes that a value of this type may have at its top; None when that cannot be told."""
    annotation = getattr(annotation, "value_class", annotation)
    if annotation is None:
        return (types.NoneType,)
    if typing.is_typeddict(annotation):
        return _ALSO[dict]
    origin = get_origin(annotation)
    if origin is typing.Annotated:
        return _classes(get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return _classes_of_arms(get_args(annotation))
    top = annotation if origin is None else origin
    return _ALSO.get(top, (top,)) if isinstance(top, type) and top is not object else None


def _classes_of_arms(arms: tuple[Any, ...]) -> tuple[type, ...] | None:
    classes: list[type] = []
    for arm in arms:
        known = _classes(arm)
        if known is None:
            return None
        classes += known
    return tuple(classes)
