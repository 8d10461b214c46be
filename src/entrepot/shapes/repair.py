"""Plain data that is not of its shape, made to be of it where nothing has to be invented for that.

What is done, and nothing else: a number, true or false that is written as text (or the other way round) is
respelt; null or nothing in place of a list or a map is an empty one; an unknown member that is forbidden is left
out; and what is wrong otherwise is left out with the nearest member around it that may be absent or null.
An item of a list and a member of a map are never left out, nor is one without which a record is none.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable
from typing import Any, NamedTuple

from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.kit.pointers import escape
from entrepot.model import shape as s
from entrepot.model.fault import Issue
from entrepot.shapes.arms import choose
from entrepot.shapes.explain import Known, explain, first_repeat, fits, key_of
from entrepot.shapes.scalars import INTEGER, exact, length_problem


class Repaired(NamedTuple):
    """Data that is of its shape, and what was wrong before."""

    plain: Any
    issues: tuple[Issue, ...]


def repair(shape: s.Shape, plain: Any, types: s.Types, limits: Limits = DEFAULT_LIMITS) -> Repaired | None:
    """The data as a value of `shape` with every issue that was repaired, at most `limits.issues_max`.

    None when something is wrong that cannot be repaired. `plain` is not changed.
    """
    walk = _Walk(types, limits)
    try:
        if fits(shape, plain, types, limits):
            return Repaired(plain, ())
        repaired = walk.repaired(shape, plain, "")
        return Repaired(repaired, tuple(walk.issues)) if fits(shape, repaired, types, limits) else None
    except (_Beyond, RecursionError):
        return None


class _Beyond(Exception):
    """A value cannot be repaired."""

    def __init__(self, issue: Issue) -> None:
        self.issue = issue


class _Walk:
    def __init__(self, types: s.Types, limits: Limits) -> None:
        self.issues: list[Issue] = []
        self._types = types
        self._limits = limits
        self._known: Known = {}

    def repaired(self, shape: s.Shape, plain: Any, pointer: str) -> Any:
        """The value, made anew. Raises `_Beyond`."""
        shape = s.resolve(shape, self._types)
        match shape, plain:
            case s.Nullable(shape=inner), _:
                return None if plain is None else self._repaired_or(None, inner, plain, pointer)
            case s.Page(record=record), _:
                return self.repaired(record, plain, pointer)
            case s.Record(), dict():
                return self._record(shape, plain, pointer)
            case s.List(), list():
                return self._list(shape, plain, pointer)
            case s.Map(), dict():
                return self._map(shape, plain, pointer)
            case s.Union(), _ if (arm := choose(shape, plain, self._types, self._fits)) is not None:
                return self.repaired(arm, plain, pointer)
            case _ if self._fits(shape, plain):
                return plain
            case ((s.List() | s.Map()), None):
                return self._instead(shape, plain, pointer, _EMPTY[type(shape)]())
            case _:
                return self._instead(shape, plain, pointer, respelt(shape, plain))

    def _list(self, shape: s.List, plain: list[Any], pointer: str) -> list[Any]:
        problem = length_problem(len(plain), shape.length_min, shape.length_max, "items")
        if problem is not None:
            raise _Beyond(Issue(pointer, problem.code, problem.message))
        items = [self.repaired(shape.item, each, f"{pointer}/{index}") for index, each in enumerate(plain)]
        if shape.unique and (repeat := first_repeat(items)) is not None:
            raise _Beyond(Issue(f"{pointer}/{repeat}", "unique", "repeats an earlier item; items must differ"))
        return items

    def _map(self, shape: s.Map, plain: dict[str, Any], pointer: str) -> dict[str, Any]:
        problem = length_problem(len(plain), shape.length_min, shape.length_max, "members")
        if problem is not None:
            raise _Beyond(Issue(pointer, problem.code, problem.message))
        for name in plain:
            if wrong := explain(shape.key, key_of(shape.key, name, self._types), self._types, self._limits):
                message = f"the member's name {wrong[0].message}"
                raise _Beyond(Issue(f"{pointer}/{escape(name)}", wrong[0].code, message))
        return {name: self.repaired(shape.value, each, f"{pointer}/{escape(name)}") for name, each in plain.items()}

    def _record(self, record: s.Record, plain: dict[str, Any], pointer: str) -> dict[str, Any]:
        whole = {}
        for name, value in plain.items():
            here, field = f"{pointer}/{escape(name)}", record.field(name)
            shape = field.shape if field is not None else record.extra
            if field is None and record.extras == "forbid":
                self._note(Issue(here, "unknown", "is not a known member"))
            elif shape is None:
                whole[name] = value
            elif field is not None and field.must_be_present:
                whole[name] = self.repaired(shape, value, here)
            else:
                kept = self._repaired_or(_NOTHING, shape, value, here)
                whole |= {} if kept is _NOTHING else {name: kept}
        for field in record.fields:
            if field.must_be_present and field.name not in plain:
                whole[field.name] = self._missing(field, f"{pointer}/{escape(field.name)}")
        return whole

    def _missing(self, field: s.Field, pointer: str) -> Any:
        issue, shape = Issue(pointer, "missing", "is required"), s.resolve(field.shape, self._types)
        empty = _EMPTY.get(type(shape))
        value = empty() if empty is not None else None
        if not isinstance(shape, s.List | s.Map | s.Nullable) or not self._fits(shape, value):
            raise _Beyond(issue)
        self._note(issue)
        return value

    def _instead(self, shape: s.Shape, plain: Any, pointer: str, other: Any) -> Any:
        """The other value, if it is of the shape. Raises `_Beyond`."""
        issue = self._issue(shape, plain, pointer)
        if other is plain or not self._fits(shape, other):
            raise _Beyond(issue)
        self._note(issue)
        return other

    def _repaired_or(self, nothing: Any, shape: s.Shape, plain: Any, pointer: str) -> Any:
        """`nothing` where the value cannot be repaired; of what was wrong inside only that is told then."""
        before = len(self.issues)
        try:
            return self.repaired(shape, plain, pointer)
        except _Beyond as beyond:
            del self.issues[before:]
            self._note(beyond.issue)
            return nothing

    def _issue(self, shape: s.Shape, plain: Any, pointer: str) -> Issue:
        first = explain(shape, plain, self._types, self._limits)[0]
        return Issue(pointer + first.pointer, first.code, first.message)

    def _note(self, issue: Issue) -> None:
        if len(self.issues) < self._limits.issues_max:
            self.issues.append(issue)

    def _fits(self, shape: s.Shape, plain: Any) -> bool:
        return fits(shape, plain, self._types, self._limits, self._known)


_NOTHING = object()
_EMPTY: dict[type, Callable[[], Any]] = {s.List: list, s.Map: dict}
_WORDS = {"true": True, "false": False}


def respelt(shape: s.Shape, plain: Any) -> Any:
    """A scalar in the JSON kind that the shape wants, where it says the same; itself otherwise."""
    match shape, plain:
        case s.Bool(), str():
            return _WORDS.get(plain, plain)
        case ((s.Int() | s.Float() | s.Decimal()), str()) if len(plain) <= _DIGITS_MAX:
            return _number(plain)
        case ((s.Text() | s.Int() | s.Decimal() | s.Enum()), bool()):
            return "true" if plain else "false"
        case ((s.Text() | s.Int() | s.Decimal() | s.Enum()), int() | float() | decimal.Decimal()):
            return str(plain if isinstance(plain, int) else exact(plain))
        case _:
            return plain


_DIGITS_MAX = 100


def _number(text: str) -> Any:
    if INTEGER.fullmatch(text):
        return int(text)
    try:
        number = decimal.Decimal(text)
    except decimal.InvalidOperation:
        return text
    return number if number.is_finite() and abs(number.adjusted()) <= _DIGITS_MAX else text
