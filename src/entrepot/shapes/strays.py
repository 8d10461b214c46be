"""Records that are not of their class: a dict or another class's, which is written as the right one would be."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import UNSET

from entrepot.kit.pointers import escape
from entrepot.model import shape as s
from entrepot.model.fault import Issue
from entrepot.shapes.members import member


class Strays:
    """Looks for them in the values of one service. `classes` are the author's own, by type name."""

    def __init__(self, types: s.Types, classes: Mapping[str, Any]) -> None:
        self._types = types
        self._classes = {
            name: typing.get_origin(cls) or cls
            for name, cls in classes.items()
            if isinstance(types[name], s.Record) and not typing.is_typeddict(typing.get_origin(cls) or cls)
        }
        """Those that a value must be an instance of."""

    def of(self, shape: s.Shape, value: Any, pointer: str = "") -> Iterator[Issue]:
        """An issue for each; `value` is written as one of the shape is."""
        match shape:
            case s.Ref(name=name):
                cls = self._classes.get(name, object)
                if not isinstance(value, cls):
                    yield Issue(pointer, "type", f"is a {type(value).__name__} and not a {cls.__name__}")
                    return
                yield from self.of(self._types[name], value, pointer)
            case s.Nullable(shape=inner) if value is not None:
                yield from self.of(inner, value, pointer)
            case s.Record(fields=fields):
                for field in fields:
                    if (part := member(value, field)) is not UNSET:
                        yield from self.of(field.shape, part, f"{pointer}/{escape(field.name)}")
            case s.List(item=item):
                for index, each in enumerate(value):
                    yield from self.of(item, each, f"{pointer}/{index}")
            case s.Tuple(items=items):
                for index, (item, each) in enumerate(zip(items, value, strict=False)):
                    yield from self.of(item, each, f"{pointer}/{index}")
            case s.Map(value=inner):
                for name, each in value.items():
                    yield from self.of(inner, each, f"{pointer}/{escape(str(name))}")
            case s.Page():
                yield from self.of(shape.record, value, pointer)
            case s.Union(arms=arms):
                yield from self._in_union(arms, value, pointer)

    def _in_union(self, arms: tuple[s.Shape, ...], value: Any, pointer: str) -> Iterator[Issue]:
        tried = [list(self.of(arm, value, pointer)) for arm in arms if self._may_be_of(arm, value)]
        if not tried:
            yield Issue(pointer, "variant", f"is a {type(value).__name__}, which is none of the types it may be of")
        elif all(tried):
            yield from tried[0]

    def _may_be_of(self, arm: s.Shape, value: Any) -> bool:
        """Whether a value can be of an arm, as far as its own Python type tells."""
        match s.resolve(arm, self._types):
            case s.Nullable(shape=inner):
                return value is None or self._may_be_of(inner, value)
            case s.Record():
                return isinstance(value, self._classes.get(arm.name, Mapping) if isinstance(arm, s.Ref) else Mapping)
            case s.Map():
                return isinstance(value, Mapping)
            case s.List() | s.Tuple():
                return isinstance(value, list | tuple | set | frozenset)
            case s.Anything() | s.Json() | s.Union() | s.Page():
                return True
            case _:
                return not isinstance(value, Mapping | list)
