"""Constraints that an author writes with `Annotated`, put on a shape.

Read by their attributes, so that msgspec's `Meta`, pydantic's `Field` and the `annotated-types`
classes all count.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from entrepot.model import shape as s
from entrepot.model.page import PageNumber, PageOffset, PageSize, SortBy
from entrepot.shapes.markers import Cursor, Version, Xml
from entrepot.shapes.patterns import prove

_NUMERIC = ("ge", "gt", "le", "lt", "multiple_of")
_SIZED = ("min_length", "max_length")
_DIGITS = ("max_digits", "decimal_places")
_OTHERS = ("pattern", "tz", "media_types")
_ROLES: dict[type, s.Role] = {
    Version: "version",
    Cursor: "cursor",
    PageNumber: "page_number",
    PageSize: "page_size",
    PageOffset: "offset",
    SortBy: "sort",
}
_ALLOWED: tuple[tuple[type | tuple[type, ...], tuple[str, ...]], ...] = (
    (s.Int, _NUMERIC),
    (s.Float, ("ge", "gt", "le", "lt")),
    (s.Decimal, _NUMERIC + _DIGITS),
    (s.Text, (*_SIZED, "pattern")),
    ((s.Bytes, s.List, s.Map), _SIZED),
    ((s.DateTime, s.Time), ("tz",)),
    (s.File, ("media_types",)),
)


class Notes(msgspec.Struct):
    """What stands in the `Annotated` around one type."""

    rules: dict[str, Any] = {}
    role: s.Role = ""
    sort: tuple[str, ...] = ()
    """Of the role sort: by which fields."""
    xml: Xml | None = None
    docs: str = ""
    examples: tuple[Any, ...] = ()


def notes_of(metadata: Iterable[Any]) -> Notes:
    """What the objects in an `Annotated` say; those of other libraries are read over."""
    notes = Notes()
    for item in _flat(metadata):
        notes.role = _ROLES.get(type(item), notes.role)
        if isinstance(item, SortBy):
            notes.sort = item.fields
        if isinstance(item, Xml):
            notes.xml = item
        for name in (*_NUMERIC, *_SIZED, *_DIGITS, *_OTHERS):
            rule = getattr(item, name, None)
            if rule is not None:
                notes.rules[name] = rule
        notes.docs = getattr(item, "description", None) or notes.docs
        notes.examples = tuple(getattr(item, "examples", None) or notes.examples)
    return notes


def _flat(metadata: Iterable[Any]) -> Iterable[Any]:
    """The objects, and those that one of them groups (`annotated_types.Interval`, pydantic's `Field`)."""
    for item in metadata:
        if not isinstance(item, type):  # a class says nothing: its members only describe what one of it would say
            yield item
            yield from getattr(item, "metadata", ())


def constrain(shape: s.Shape, rules: dict[str, Any]) -> s.Shape:
    """The shape under these rules. Raises TypeError naming a rule that the shape cannot have."""
    if not rules:
        return shape
    if isinstance(shape, s.Nullable):
        return s.Nullable(shape=constrain(shape.shape, rules))
    allowed = next((names for kind, names in _ALLOWED if isinstance(shape, kind)), ())
    unfit = sorted(rules.keys() - set(allowed))
    if unfit:
        raise TypeError(f"the constraint {unfit[0]!r} has no meaning for {type(shape).__name__}")
    match shape:
        case s.Int():
            return _constrain_int(shape, rules)
        case s.Float():
            return _replace(shape, rules, _BOUNDS)
        case s.Decimal():
            as_text = {name: str(rule) if name in _NUMERIC else rule for name, rule in rules.items()}
            return _replace(shape, as_text, _BOUNDS | _DECIMAL)
        case s.File():
            return msgspec.structs.replace(shape, **rules)
        case s.DateTime() | s.Time():
            return _replace(shape, {"tz": "aware" if rules["tz"] else "naive"}, _ZONE)
        case _:
            texts = {name: getattr(rule, "pattern", rule) for name, rule in rules.items()}
            return _proved(_replace(shape, texts, _LENGTHS))


def _proved(shape: s.Shape) -> s.Shape:
    if isinstance(shape, s.Text) and shape.pattern is not None:
        try:
            prove(shape.pattern, shape.length_max)
        except ValueError as error:
            raise TypeError(str(error)) from None
    return shape


_BOUNDS = {"ge": "minimum", "le": "maximum", "gt": "exclusive_minimum", "lt": "exclusive_maximum"}
_DECIMAL = {"multiple_of": "multiple_of", "max_digits": "digits", "decimal_places": "scale"}
_ZONE = {"tz": "zone"}
_LENGTHS = {"min_length": "length_min", "max_length": "length_max", "pattern": "pattern"}


def _replace(shape: s.Shape, rules: dict[str, Any], attributes: dict[str, str]) -> s.Shape:
    changes = {attributes[name]: rule for name, rule in rules.items()}
    return msgspec.structs.replace(shape, **changes)


def _constrain_int(shape: s.Int, rules: dict[str, Any]) -> s.Int:
    low = [rules["ge"]] if "ge" in rules else []
    low += [rules["gt"] + 1] if "gt" in rules else []
    high = [rules["le"]] if "le" in rules else []
    high += [rules["lt"] - 1] if "lt" in rules else []
    return msgspec.structs.replace(
        shape,
        minimum=max(low, default=shape.minimum),
        maximum=min(high, default=shape.maximum),
        multiple_of=rules.get("multiple_of", shape.multiple_of),
    )
