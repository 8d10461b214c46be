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

from entrepot.model.fault import Issue
from entrepot.model.shape import Shape
from entrepot.shapes.strays import Strays
from entrepot.shapes.traits import Trait
from entrepot.shapes.values import Values

_ALSO: dict[type, tuple[type, ...]] = {
    float: (float, int),
    list: (list, tuple, set, frozenset),
    dict: (Mapping,),
}
"""What the encoder writes just as the type declared, and people return in its place."""

_TOLD = 3
"""Most issues in one message."""


class OutputCheck:
    """The check for outputs of one shape, made ready when the first one comes."""

    def __init__(self, values: Values, shape: Shape, *, deep: bool) -> None:
        self._values = values
        self._shape = shape
        self._deep = deep
        self.fits: Callable[[Any], bool] = self._first_fits
        """Whether an output is of the shape's type."""

    def _first_fits(self, output: Any) -> bool:
        self.fits = self._compiled()
        return self.fits(output)

    def _compiled(self) -> Callable[[Any], bool]:
        codec = self._values.codec(self._shape)
        classes = _classes(codec.type) or (object,)
        if self._looks_inside:
            return lambda output: isinstance(output, classes) and not self._issues(output)
        if len(classes) == 1:
            return classes[0].__instancecheck__
        return lambda output: isinstance(output, classes)

    def mismatch(self, output: Any) -> TypeError:
        """What to raise for an output that does not fit; the message shows nothing of it."""
        expected = self._values.codec(self._shape).type
        written = expected.__name__ if isinstance(expected, type) and not get_args(expected) else str(expected)
        issues = self._issues(output)[:_TOLD] if self._looks_inside else []
        inside = "".join(f"; {each.pointer or 'it'}: {each.message}" for each in issues)
        return TypeError(f"the output, a {type(output).__name__}, is not of the declared type {written}{inside}")

    @property
    def _looks_inside(self) -> bool:
        return self._deep and Trait.BINARY not in self._values.codec(self._shape).traits

    def _issues(self, output: Any) -> list[Issue]:
        """What is wrong inside; of what is written as it should be, whether the records are of their classes."""
        issues = self._values.codec(self._shape).issues(output)
        return issues or list(self._strays.of(self._shape, output))

    @cached_property
    def _strays(self) -> Strays:
        return Strays(self._values.types, self._values.classes)


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
    return _ALSO.get(top, (top,)) if isinstance(top, type) and top not in (Any, object) else None


def _classes_of_arms(arms: tuple[Any, ...]) -> tuple[type, ...] | None:
    classes: list[type] = []
    for arm in arms:
        known = _classes(arm)
        if known is None:
            return None
        classes += known
    return tuple(classes)
