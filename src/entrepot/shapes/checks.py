"""Compiled checks of plain data, for the rules that msgspec has no word for.

Most shapes need none. A check may only say no where the shape is broken, and says it without a
reason: `explain` finds that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from entrepot.kit.limits import Limits
from entrepot.model import shape as s
from entrepot.shapes import authored, jsonschema
from entrepot.shapes.explain import first_repeat
from entrepot.shapes.kinds import Kind, kind_of, kinds_of
from entrepot.shapes.scalar_forms import decimal_reader
from entrepot.shapes.scalars import NotOfShape, problem_of
from entrepot.shapes.traits import Trait, Traits, text_with_pattern

Check = Callable[[Any], bool]
"""Whether plain data, whose kinds msgspec has found right, keeps the remaining rules."""


class Checks:
    """The checks of one service's shapes, by name where they have one."""

    def __init__(self, types: s.Types, classes: Mapping[str, Any], limits: Limits) -> None:
        self.traits = Traits(types, classes)
        self._types = types
        self._classes = classes
        self._limits = limits
        self._named: dict[str, Check | None] = {}
        self._uncompiled: list[str] = []

    def of(self, shape: s.Shape, *, own_class: bool = False) -> Check | None:
        """The check of a shape; None when msgspec sees to everything.

        `own_class`: the shape stands in an author's class, whose members are read by msgspec's
        own rules, which for decimals and patterns are looser than ours.
        """
        check = self._of(shape, own_class=own_class)
        while self._uncompiled:
            name = self._uncompiled.pop()
            self._named[name] = self._compile_name(name)
        return check

    def _of(self, shape: s.Shape, *, own_class: bool) -> Check | None:
        if Trait.CHECKED not in self.traits.of(shape, own_class=own_class):
            return None
        match shape:
            case s.Ref(name=name):
                return self._of_name(name)
            case s.Nullable(shape=inner):
                return _unless_null(self._of(inner, own_class=own_class))
            case s.List():
                return self._list(shape, own_class)
            case s.Tuple(items=items):
                return _positions([self._of(item, own_class=own_class) for item in items])
            case s.Map():
                return _values(self._of(shape.value, own_class=own_class))
            case s.Page():
                return self._record(shape.record, own_class)
            case s.Record():
                return self._record(shape, own_class)
            case s.Union():
                return self._union(shape, own_class)
            case s.Json(schema=schema):
                jsonschema.validator(schema)
                return lambda plain: jsonschema.accepts(schema, plain)
            case s.Decimal():
                return self._decimal(shape)
            case _:
                return lambda plain: problem_of(shape, plain, self._limits) is None  # type: ignore[arg-type]

    def _decimal(self, shape: s.Decimal) -> Check:
        read = decimal_reader(shape, self._limits)

        def check(plain: Any) -> bool:
            try:
                read(plain)
            except NotOfShape:
                return False
            return True

        return check

    def _of_name(self, name: str) -> Check:
        if name not in self._named:
            self._named[name] = None
            self._uncompiled.append(name)
        # Looked up at each call, since a recursive type meets itself before it is compiled.
        return lambda plain: (check := self._named[name]) is None or check(plain)

    def _compile_name(self, name: str) -> Check | None:
        cls = self._classes.get(name)
        if authored.is_pydantic(cls):
            return None
        check = self._of(self._types[name], own_class=cls is not None)
        tag = authored.tag_of(cls)
        if tag is None:
            return check
        # msgspec lets the tag be absent where the class is the only one that is expected.
        return lambda plain: tag[0] in plain and (check is None or check(plain))

    def _list(self, shape: s.List, own_class: bool) -> Check | None:
        each = self._of(shape.item, own_class=own_class)
        if each is None:
            return (lambda plain: first_repeat(plain) is None) if shape.unique else None
        if shape.unique:
            return lambda plain: all(map(each, plain)) and first_repeat(plain) is None
        return lambda plain: all(map(each, plain))

    def _record(self, record: s.Record, own_class: bool) -> Check | None:
        checks = [(field.name, self._of(field.shape, own_class=own_class)) for field in record.fields]
        needed = [(name, check) for name, check in checks if check is not None]
        if not needed:
            return None
        return lambda plain: all(name not in plain or check(plain[name]) for name, check in needed)

    def _union(self, union: s.Union, own_class: bool) -> Check | None:
        if union.choose in ("keys", "trial"):
            return None  # read by a hook, which checks the arm that it chooses
        if union.choose == "tag":
            tagged = {tag: self._arm(arm, own_class) for tag, arm in zip(union.tags, union.arms, strict=True)}
            if not any(tagged.values()):
                return None
            return lambda plain: (check := tagged.get(plain.get(union.tag_field))) is None or check(plain)
        by_kind: dict[Kind, Check | None] = {}
        for arm in union.arms:
            check = self._arm(arm, own_class)
            by_kind.update(dict.fromkeys(kinds_of(arm, self._types), check))
        if not any(by_kind.values()):
            return None
        return lambda plain: (check := by_kind.get(kind_of(plain))) is None or check(plain)

    def _arm(self, arm: s.Shape, own_class: bool) -> Check | None:
        text = text_with_pattern(arm, self._types)
        if text is None:
            return self._of(arm, own_class=own_class)
        return lambda plain: plain is None or problem_of(text, plain, self._limits) is None


def _unless_null(check: Check | None) -> Check | None:
    return None if check is None else lambda plain: plain is None or check(plain)


def _positions(checks: list[Check | None]) -> Check | None:
    needed = [(index, check) for index, check in enumerate(checks) if check is not None]
    return (lambda plain: all(check(plain[index]) for index, check in needed)) if needed else None


def _values(check: Check | None) -> Check | None:
    return None if check is None else lambda plain: all(map(check, plain.values()))
