"""Shapes as annotations that msgspec reads, as far as a shape alone decides them."""

from __future__ import annotations

import types as python_types
import typing
from typing import Annotated, Any, Literal

from msgspec import Meta

from entrepot.model import shape as s
from entrepot.shapes import times
from entrepot.shapes.patterns import python_pattern
from entrepot.shapes.scalars import Scalar, fits_int64, int_bounds, native


def bounded(annotation: Any, shape: s.List | s.Map) -> Any:
    """The annotation of a list or map, with the counts that the shape allows."""
    if shape.length_min is None and shape.length_max is None:
        return annotation
    return Annotated[annotation, Meta(min_length=shape.length_min, max_length=shape.length_max)]


def scalar(shape: Scalar) -> Any:
    """The annotation of a scalar that msgspec reads by itself."""
    if isinstance(shape, s.Enum):
        return _enum(shape)
    meta = _meta(shape)
    return Annotated[native(shape), meta] if meta is not None else native(shape)


def _enum(shape: s.Enum) -> Any:
    values = tuple(value.wire for value in shape.values)
    if shape.open:
        return typing.Union[tuple(type(value) for value in values)]
    return Literal[values]


def _meta(shape: Scalar) -> Meta | None:
    match shape:
        case s.Int():
            low, high = (bound if fits_int64(bound) else None for bound in int_bounds(shape))
            rules: dict[str, Any] = {"ge": low, "le": high, "multiple_of": shape.multiple_of}
        case s.Float():
            rules = {
                "ge": shape.minimum,
                "le": shape.maximum,
                "gt": shape.exclusive_minimum,
                "lt": shape.exclusive_maximum,
            }
        case s.Text():
            pattern = None if shape.pattern is None else python_pattern(shape.pattern)
            rules = {"min_length": shape.length_min, "max_length": shape.length_max, "pattern": pattern}
        case s.Bytes():
            rules = {"min_length": shape.length_min, "max_length": shape.length_max}
        case _:
            return None
    given = {name: rule for name, rule in rules.items() if rule is not None}
    return Meta(**given) if given else None


def without_pattern(annotation: Any) -> Any:
    """The annotation without a text pattern at its top.

    msgspec 0.22 corrupts memory when a text with a pattern shares a union with an array or an
    object; the checks look at the pattern instead.
    """
    if is_union(annotation):
        return typing.Union[tuple(map(without_pattern, typing.get_args(annotation)))]
    if typing.get_origin(annotation) is not Annotated:
        return annotation
    base, meta = typing.get_args(annotation)
    if getattr(meta, "pattern", None) is None:
        return annotation
    if meta.min_length is None and meta.max_length is None:
        return base
    return Annotated[base, Meta(min_length=meta.min_length, max_length=meta.max_length)]


def has_bounds(shape: s.Shape) -> bool:
    """Whether msgspec is told more of the shape than its type."""
    if isinstance(shape, s.List | s.Map):
        return shape.length_min is not None or shape.length_max is not None
    return times.is_kept(shape) or (isinstance(shape, s.Int | s.Float | s.Text | s.Bytes) and _meta(shape) is not None)


def is_fixed_tuple(annotation: Any) -> bool:
    """Whether the annotation is of a tuple, each of whose items has a type of its own.

    msgspec 0.22 loses count of what belongs to such a tuple where it shares a union with anything
    that has bounds: the next collection of garbage kills the process.
    """
    return typing.get_origin(annotation) is tuple and ... not in typing.get_args(annotation)


def is_union(annotation: Any) -> bool:
    """Whether the annotation is of several types."""
    return typing.get_origin(annotation) in (typing.Union, python_types.UnionType)
