"""Values in the form their wire wants, where their Python type alone does not say it.

An integer that is written in quotes, a moment that is written as seconds since 1970, a decimal
that is text in one place and a number in another: msgspec's encoder knows no shapes, so these
few are rewritten before it sees them. Most shapes need nothing of the kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from entrepot.model import shape as s
from entrepot.shapes import kinds
from entrepot.shapes.classes import Classes, extras_attribute
from entrepot.shapes.members import member
from entrepot.shapes.scalars import SCALARS, is_python_value, plain_of
from entrepot.shapes.traits import Trait

Rewrite = Callable[[Any], Any]


class WireForms:
    """The rewriting of one service's shapes."""

    def __init__(self, classes: Classes, *, decimals_mixed: bool) -> None:
        self._classes = classes
        self._types = classes.types
        self._traits = classes.checks.traits
        self._wanted = Trait.REWRITTEN | Trait.DECIMAL_TEXT if decimals_mixed else Trait.REWRITTEN
        self._named: dict[str, Rewrite] = {}

    def of(self, shape: s.Shape) -> Rewrite | None:
        """What turns a value into one that msgspec writes rightly; None when it already does."""
        if not self._traits.of(shape) & self._wanted:
            return None
        match shape:
            case s.Ref(name=name):
                return self._of_name(name)
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

    def _of_name(self, name: str) -> Rewrite:
        # Made when the first value comes: a type may lead back to itself, or to very many others.
        def rewrite(value: Any) -> Any:
            made = self._named.get(name)
            if made is None:
                made = self._named[name] = self._must(self._types[name])
            return made(value)

        return rewrite

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

        def rewrite(value: Any) -> Any:
            return next((rewrite(value) for is_of, rewrite in rewrites if is_of(value)), value)

        return rewrite

    def _recognizer(self, union: s.Union, index: int) -> Callable[[Any], bool]:
        arm = s.resolve(union.arms[index], self._types)
        if isinstance(arm, s.Record):
            if union.choose == "tag":
                tag = s.Field(name=union.tag_field, shape=s.Text())
                record_tag = arm.field(union.tag_field) or tag
                return lambda value: member(value, record_tag) == union.tags[index]
            cls = self._classes.of(union.arms[index])
            cls = getattr(cls, "value_class", cls)
            return lambda value: isinstance(value, cls if isinstance(cls, type) else dict)
        if isinstance(arm, SCALARS):
            return lambda value: is_python_value(arm, value)
        wanted = list if "array" in kinds.kinds_of(arm, self._types) else dict
        return lambda value: isinstance(value, wanted)
