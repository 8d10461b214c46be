"""Values put together by their shapes alone, piece by piece.

msgspec has to know every type that a type leads to before it reads the first value of it, and in
a large contract nearly every type leads to nearly every other. Until it does, and for what it
cannot hold, values are made here: some twenty times slower, and at once. They are the same values.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from entrepot.kit.limits import Limits
from entrepot.model import shape as s
from entrepot.model.page import Page
from entrepot.shapes.arms import choose
from entrepot.shapes.explain import Known, fits
from entrepot.shapes.scalars import SCALARS, integral, value_of


def extras_attribute(record: s.Record) -> str:
    """The attribute in which a record keeps the members that no field names."""
    name = "extras"
    while any(field.attribute == name for field in record.fields):
        name += "_"
    return name


def class_name(field: s.Field) -> str:
    """What a class is called that is made for the values of one field."""
    return field.attribute.title().replace("_", "")


class Makers(Protocol):
    """What is asked of the classes."""

    types: s.Types
    limits: Limits

    def value_class(self, shape: s.Shape, name: str = "Value") -> Any:
        """The class of a record's values, whose members' types may yet be unknown."""

    def tagged_class(self, union: s.Union, tag: str) -> Any:
        """The class of one arm of a union told apart by tags; None when it has none of its own."""

    def key_type(self, key: s.Shape) -> Any:
        """The type of a map's keys."""

    def of_author(self, name: str) -> Callable[[Any], Any] | None:
        """What reads a named type that is a class of the author's."""


class Assembly:
    """Makes values of one service from plain data that is of its shape, as `explain` says it."""

    def __init__(self, makers: Makers) -> None:
        self._makers = makers
        self._types = makers.types
        self._limits = makers.limits
        self._known: Known = {}

    def of(self, shape: s.Shape, plain: Any, name: str = "Value") -> Any:
        """The value that the plain data stands for; `name` is for a class made for it."""
        match shape:
            case s.Ref(name=named):
                return self._of_name(named, plain)
            case s.Nullable(shape=inner):
                return None if plain is None else self.of(inner, plain, name)
            case s.List(item=item):
                return [self.of(item, each, name) for each in plain]
            case s.Tuple(items=items):
                return tuple(self.of(item, each, name) for item, each in zip(items, plain, strict=True))
            case s.Map():
                return self._map(shape, plain, name)
            case s.Page():
                members = {field.attribute: self.of(field.shape, plain[field.name], name)
                           for field in shape.record.fields if field.name in plain}  # fmt: skip
                return Page(**members)
            case s.Record():
                return self._record(shape, plain, self._makers.value_class(shape, name))
            case s.Union():
                return self._union(shape, plain, name)
            case _ if isinstance(shape, SCALARS):
                return self._scalar(shape, plain)
            case _:
                return copy.deepcopy(plain)  # a default is given to more than one

    def _scalar(self, shape: Any, plain: Any) -> Any:
        return value_of(shape, integral(plain, self._limits) if isinstance(shape, s.Enum) else plain, self._limits)

    def _of_name(self, name: str, plain: Any) -> Any:
        read = self._makers.of_author(name)
        if read is not None:
            return read(plain)
        shape = self._types[name]
        if isinstance(shape, s.Record):
            return self._record(shape, plain, self._makers.value_class(s.Ref(name=name)))
        return self.of(shape, plain, name)

    def _map(self, shape: s.Map, plain: dict[Any, Any], name: str) -> dict[Any, Any]:
        values = {key: self.of(shape.value, each, name) for key, each in plain.items()}
        key = self._makers.key_type(shape.key)
        return values if key is str else msgspec.convert(values, dict[key, Any], str_keys=True)  # type: ignore[valid-type]

    def _record(self, record: s.Record, plain: dict[str, Any], cls: Any, tag_field: str | None = None) -> Any:
        members = {
            field.attribute: self.of(field.shape, plain[field.name], class_name(field))
            for field in record.fields
            if field.name in plain and field.name != tag_field
        }
        if record.extras == "keep":
            known, extra = {field.name for field in record.fields}, record.extra or s.Anything()
            members[extras_attribute(record)] = {
                key: self.of(extra, each) for key, each in plain.items() if key not in known
            }
        return cls(**members)

    def _union(self, union: s.Union, plain: Any, name: str) -> Any:
        arm = choose(union, plain, self._types, self._fits)
        assert arm is not None
        if union.choose == "tag":
            tag = plain[union.tag_field]
            cls = self._makers.tagged_class(union, tag)
            record = s.resolve(union.arms[union.tags.index(tag)], self._types)
            if cls is not None and isinstance(record, s.Record):
                return self._record(record, plain, cls, union.tag_field)
        return self.of(arm, plain, f"{name}{next(i for i, each in enumerate(union.arms) if each is arm)}")

    def _fits(self, shape: s.Shape, plain: Any) -> bool:
        return fits(shape, plain, self._types, self._limits, self._known)
