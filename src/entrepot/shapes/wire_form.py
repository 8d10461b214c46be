"""Values in the form their wire wants, where their Python type alone does not say it.

An integer that is written in quotes, a moment that is written as seconds since 1970, a decimal
that is text in one place and a number in another: msgspec's encoder knows no shapes, so these
few are rewritten before it sees them. Most shapes need nothing of the kind.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from msgspec import UNSET

from entrepot.model import shape as s
from entrepot.model.page import Page
from entrepot.shapes.assemble import extras_attribute
from entrepot.shapes.classes import Classes
from entrepot.shapes.members import member
from entrepot.shapes.scalars import is_python_value, plain_of
from entrepot.shapes.traits import Trait

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
        self._recognized: Callable[[str], Recognizer] = cache(lambda name: self._is_of(self._types[name]))

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
                whole = self._record(shape.record)
                return lambda page: {name: part for name, part in whole(page).items() if part is not None}
            case s.Record():
                return self._record(shape)
            case s.Union():
                return self._union(shape)
            case _:
                return lambda value: plain_of(shape, value)  # type: ignore[arg-type]

    def _must(self, shape: s.Shape) -> Rewrite:
        return self.of(shape) or (lambda value: value)

    def _record(self, record: s.Record) -> Callable[[Any], dict[str, Any]]:
        rewrites = [(field, self._must(field.shape)) for field in record.fields]
        extras = extras_attribute(record) if record.extras == "keep" else None
        extra = self._must(record.extra if record.extra is not None else s.Anything())

        def rewrite(value: Any) -> dict[str, Any]:
            out = {}
            for field, each in rewrites:
                part = member(value, field)
                if part is not UNSET:
                    out[field.name] = each(part)
            if extras is not None:
                out |= {name: extra(part) for name, part in getattr(value, extras, {}).items()}
            return out

        return rewrite

    def _union(self, union: s.Union) -> Rewrite:
        rewrites = [(self._recognizer(union, index), self._must(arm)) for index, arm in enumerate(union.arms)]
        # What may be anything is asked last: it would take the others' values for its own.
        untyped = [isinstance(s.resolve(arm, self._types), s.Anything | s.Json) for arm in union.arms]
        ordered = [rewrites[index] for index in sorted(range(len(rewrites)), key=untyped.__getitem__)]

        def rewrite(value: Any) -> Any:
            return next((rewrite(value) for is_of, rewrite in ordered if is_of(value)), value)

        return rewrite

    def _recognizer(self, union: s.Union, index: int) -> Recognizer:
        arm = s.resolve(union.arms[index], self._types)
        if isinstance(arm, s.Record) and union.choose == "tag":
            tag = arm.field(union.tag_field) or s.Field(name=union.tag_field, shape=s.Text())
            return lambda value: member(value, tag) == union.tags[index]
        return self._is_of(union.arms[index])

    def _is_of(self, shape: s.Shape) -> Recognizer:
        """Whether a value can be of the shape, as far as its Python types say, all the way down to its records."""
        match shape:
            case s.Ref(name=name) if not isinstance(s.resolve(shape, self._types), s.Record):
                return lambda value: self._recognized(name)(value)
            case s.Nullable(shape=inner):
                is_inner = self._is_of(inner)
                return lambda value: value is None or is_inner(value)
            case s.Ref() | s.Record():
                cls = self._classes.value_class(shape)
                return lambda value: isinstance(value, cls if isinstance(cls, type) else dict)
            case s.List(item=item):
                is_item = self._is_of(item)
                return lambda value: isinstance(value, list) and all(map(is_item, value))
            case s.Tuple(items=items):
                each = [self._is_of(item) for item in items]
                return lambda value: (
                    isinstance(value, list | tuple)
                    and len(value) == len(each)
                    and all(is_item(part) for is_item, part in zip(each, value, strict=True))
                )
            case s.Map(value=inner):
                is_inner = self._is_of(inner)
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
