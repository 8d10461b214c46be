"""Values in the form their wire wants, where their Python type alone does not say it.

An integer that is written in quotes, a moment that is written as seconds since 1970, a decimal
that is text in one place and a number in another: msgspec's encoder knows no shapes, so these
few are rewritten before it sees them. Most shapes need nothing of the kind.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from copy import copy
from functools import cache
from typing import Any

import msgspec
from msgspec import UNSET
from msgspec.structs import force_setattr, replace

from entrepot.model import shape as s
from entrepot.model.page import Page
from entrepot.shapes.assemble import extras_attribute
from entrepot.shapes.classes import Classes
from entrepot.shapes.members import member
from entrepot.shapes.scalar_forms import plain_writer
from entrepot.shapes.scalars import is_python_value
from entrepot.shapes.traits import Trait, needs_hook

Rewrite = Callable[[Any], Any]
Recognizer = Callable[[Any], bool]


class WireForms:
    """The rewriting of one service's shapes."""

    def __init__(self, classes: Classes, *, decimals_mixed: bool) -> None:
        self._classes = classes
        self._types = classes.types
        self._traits = classes.checks.traits
        self._wanted = Trait.REWRITTEN | Trait.DECIMAL_TEXT if decimals_mixed else Trait.REWRITTEN
        # Made when the first value comes: a type may lead back to itself, or to very many others.
        self._named: Callable[[str], Rewrite] = cache(lambda name: self._must(self._types[name]))
        self._recognized: Callable[[str], Recognizer] = cache(lambda name: self.is_of(self._types[name]))

    def of(self, shape: s.Shape) -> Rewrite | None:
        """What turns a value into one that msgspec writes rightly; None when it already does."""
        if not self._traits.of(shape) & self._wanted:
            return None
        match shape:
            case s.Ref(name=name):
                return lambda value: self._named(name)(value)
            case s.Nullable(shape=inner):
                rewrite = self._must(inner)
                return lambda value: None if value is None else rewrite(value)
            case s.List(item=item):
                rewrite = self._must(item)
                return lambda value: [rewrite(each) for each in value]
            case s.Tuple(items=items):
                rewrites = [self._must(item) for item in items]
                return lambda value: [rewrite(each) for rewrite, each in zip(rewrites, value, strict=True)]
            case s.Map(value=inner):
                rewrite = self._must(inner)
                return lambda value: {key: rewrite(each) for key, each in value.items()}
            case s.Page():
                rewrite = self._must(shape.item)
                return lambda page: replace(page, items=[rewrite(each) for each in page.items])
            case s.Record():
                return self._record(shape)
            case s.Union():
                return self._union(shape)
            case _:
                return plain_writer(shape)  # type: ignore[arg-type]

    def _must(self, shape: s.Shape) -> Rewrite:
        return self.of(shape) or (lambda value: value)

    def _record(self, record: s.Record) -> Rewrite:
        changed = [(field, rewrite) for field in record.fields if (rewrite := self.of(field.shape)) is not None]
        as_members = self._members(record, {field.name: rewrite for field, rewrite in changed})
        if needs_hook(record):
            return as_members
        attributes = [(field.attribute, rewrite) for field, rewrite in changed]

        def rewrite_struct(value: Any) -> Any:
            if not isinstance(value, msgspec.Struct):
                return as_members(value)
            # A copy of which a few members are changed, to what the encoder does not know to be wrong.
            copied = copy(value)
            for attribute, rewrite in attributes:
                part = getattr(copied, attribute)
                if part is not UNSET:
                    force_setattr(copied, attribute, rewrite(part))
            return copied

        return rewrite_struct

    def _members(self, record: s.Record, changed: dict[str, Rewrite]) -> Callable[[Any], dict[str, Any]]:
        """A record's members by their wire names, those included that no field names."""
        extras = extras_attribute(record) if record.extras == "keep" else None
        rewrite_extra = self.of(record.extra) if record.extra is not None else None
        names = [field.name for field in record.fields]
        optional = [field.name for field in record.fields if not field.must_be_present]
        attributes_of = _attributes_getter([field.attribute for field in record.fields])

        def members(value: Any) -> dict[str, Any]:
            if isinstance(value, msgspec.Struct):
                try:
                    parts = attributes_of(value)
                except AttributeError:
                    parts = [member(value, field) for field in record.fields]
            else:
                parts = [member(value, field) for field in record.fields]
            out = dict(zip(names, parts, strict=True))
            for name in optional:
                if out[name] is UNSET:
                    del out[name]
            for name, rewrite in changed.items():
                if name in out:
                    out[name] = rewrite(out[name])
            if extras is not None:
                rest = getattr(value, extras, {})
                out |= rest if rewrite_extra is None else {name: rewrite_extra(part) for name, part in rest.items()}
            return out

        return members

    def _union(self, union: s.Union) -> Rewrite:
        rewrites = [(self._recognizer(union, index), self.of(arm)) for index, arm in enumerate(union.arms)]
        # What may be anything is asked last: it would take the others' values for its own.
        untyped = [isinstance(s.resolve(arm, self._types), s.Anything | s.Json) for arm in union.arms]
        ordered = [rewrites[index] for index in sorted(range(len(rewrites)), key=untyped.__getitem__)]
        by_class: dict[type, Rewrite | None] = {}
        is_told_by_class = union.choose != "tag"

        def rewrite(value: Any) -> Any:
            cls = type(value)
            if cls in by_class:
                found = by_class[cls]
            else:
                found = next((rewrite for is_of, rewrite in ordered if is_of(value)), None)
                if is_told_by_class and cls in self._classes.records:
                    by_class[cls] = found
            return value if found is None else found(value)

        return rewrite

    def _recognizer(self, union: s.Union, index: int) -> Recognizer:
        arm = s.resolve(union.arms[index], self._types)
        if isinstance(arm, s.Record) and union.choose == "tag":
            tag = arm.field(union.tag_field) or s.Field(name=union.tag_field, shape=s.Text())
            return lambda value: member(value, tag) == union.tags[index]
        return self.is_of(union.arms[index])

    def is_of(self, shape: s.Shape) -> Recognizer:
        """Whether a value can be of the shape, as far as its Python types say, all the way down to its records."""
        match shape:
            case s.Ref(name=name) if not isinstance(s.resolve(shape, self._types), s.Record):
                return lambda value: self._recognized(name)(value)
            case s.Nullable(shape=inner):
                is_inner = self.is_of(inner)
                return lambda value: value is None or is_inner(value)
            case s.Ref() | s.Record():
                cls = self._classes.value_class(shape)
                return lambda value: isinstance(value, cls if isinstance(cls, type) else dict)
            case s.List(item=item):
                is_item = self.is_of(item)
                return lambda value: isinstance(value, list) and all(map(is_item, value))
            case s.Tuple(items=items):
                each = [self.is_of(item) for item in items]
                return lambda value: (
                    isinstance(value, list | tuple)
                    and len(value) == len(each)
                    and all(is_item(part) for is_item, part in zip(each, value, strict=True))
                )
            case s.Map(value=inner):
                is_inner = self.is_of(inner)
                return lambda value: isinstance(value, dict) and all(map(is_inner, value.values()))
            case s.Page():
                return lambda value: isinstance(value, Page)
            case s.Union(arms=arms):
                arms_are = [self._recognizer(shape, index) for index in range(len(arms))]
                return lambda value: any(is_arm(value) for is_arm in arms_are)
            case s.Anything() | s.Json():
                return lambda _: True
            case _:
                return lambda value: is_python_value(shape, value)  # type: ignore[arg-type]


def _attributes_getter(names: list[str]) -> Callable[[Any], Sequence[Any]]:
    if len(names) > 1:
        return operator.attrgetter(*names)
    return lambda value: [getattr(value, name) for name in names]
