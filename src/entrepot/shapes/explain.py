"""Everything that is wrong with a value, each error with its place.

The fast decoders say only yes or no. On a no, this slow walk over the plain data says why. It
finds an issue exactly when decoding refuses, which the tests hold it to. It serves any plain
data: JSON bodies, forms, declarations in YAML.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterator
from typing import Any

from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.kit.pointers import escape
from entrepot.model import shape as s
from entrepot.model.fault import Issue
from entrepot.shapes import jsonschema
from entrepot.shapes.arms import choose
from entrepot.shapes.kinds import kind_of, kinds_of
from entrepot.shapes.scalars import (
    EXACT,
    INTEGER,
    Problem,
    exact,
    length_problem,
    number_problem,
    problem_of,
    wrong_kind,
)


def explain(shape: s.Shape, plain: Any, types: s.Types, limits: Limits = DEFAULT_LIMITS) -> list[Issue]:
    """Every issue of plain data as a value of `shape`, at most `limits.issues_max`; none when it is one.

    Pointers are relative to `plain`.
    """
    return list(itertools.islice(_Walk(types, limits).walk(shape, plain, ""), limits.issues_max))


Known = dict[tuple[int, int], tuple[bool, s.Shape, Any]]
"""Whether a value fits a shape, by the ids of both, which it keeps from being given away.

Without such a memory, unions within unions would be tried anew at every depth, and a text of 200
octets could keep a worker busy for days.
"""


def fits(
    shape: s.Shape, plain: Any, types: s.Types, limits: Limits = DEFAULT_LIMITS, known: Known | None = None
) -> bool:
    """Whether plain data is a value of `shape`; what is found out on the way is added to `known`."""
    return _Walk(types, limits, known).fits(shape, plain)


class _Walk:
    def __init__(self, types: s.Types, limits: Limits, known: Known | None = None) -> None:
        self.types = types
        self.limits = limits
        self.known: Known = {} if known is None else known

    def fits(self, shape: s.Shape, plain: Any) -> bool:
        key = (id(shape), id(plain))
        if key not in self.known:
            fitting = next(self.walk(shape, plain, ""), None) is None
            self.known[key] = (fitting, shape, plain)
        return self.known[key][0]

    def walk(self, shape: s.Shape, plain: Any, pointer: str) -> Iterator[Issue]:
        shape = s.resolve(shape, self.types)
        match shape:
            case s.Nullable(shape=inner):
                if plain is not None:
                    yield from self.walk(inner, plain, pointer)
            case s.Record():
                yield from self._record(shape, plain, pointer)
            case s.List():
                yield from self._list(shape, plain, pointer)
            case s.Tuple():
                yield from self._tuple(shape, plain, pointer)
            case s.Map():
                yield from self._map(shape, plain, pointer)
            case s.Page():
                yield from self._record(shape.record, plain, pointer)
            case s.Union():
                yield from self._union(shape, plain, pointer)
            case s.Anything() | s.Json():
                yield from self._untyped(shape, plain, pointer)
            case s.File() | s.Raw():
                yield Issue(pointer, "type", "has no form as plain data")
            case s.Ref():
                raise KeyError(shape.name)  # resolved above
            case _:
                yield from _issues(problem_of(shape, plain, self.limits), pointer)

    def _record(self, record: s.Record, plain: Any, pointer: str) -> Iterator[Issue]:
        if type(plain) is not dict:
            yield from _issues(wrong_kind("an object", plain), pointer)
            return
        for field in record.fields:
            here = f"{pointer}/{escape(field.name)}"
            if field.name in plain:
                yield from self.walk(field.shape, plain[field.name], here)
            elif field.must_be_present:
                yield Issue(here, "missing", "is required")
        if record.extras == "drop":
            return
        known = {field.name for field in record.fields}
        for name in plain:
            if name in known:
                continue
            here = f"{pointer}/{escape(str(name))}"
            if record.extras == "forbid":
                yield Issue(here, "unknown", "is not a known member" + _suggestion(str(name), known - plain.keys()))
            elif record.extra is not None:
                yield from self.walk(record.extra, plain[name], here)
            else:
                yield from self._untyped(s.Anything(), plain[name], here)

    def _list(self, shape: s.List, plain: Any, pointer: str) -> Iterator[Issue]:
        if type(plain) not in (list, tuple):
            yield from _issues(wrong_kind("an array", plain), pointer)
            return
        yield from _issues(length_problem(len(plain), shape.length_min, shape.length_max, "items"), pointer)
        for index, item in enumerate(plain):
            yield from self.walk(shape.item, item, f"{pointer}/{index}")
        if shape.unique and (repeat := first_repeat(plain)) is not None:
            yield Issue(f"{pointer}/{repeat}", "unique", "repeats an earlier item; items must differ")

    def _tuple(self, shape: s.Tuple, plain: Any, pointer: str) -> Iterator[Issue]:
        if type(plain) not in (list, tuple):
            yield from _issues(wrong_kind("an array", plain), pointer)
            return
        count = len(shape.items)
        yield from _issues(length_problem(len(plain), count, count, "items"), pointer)
        for index, (item_shape, item) in enumerate(zip(shape.items, plain, strict=False)):
            yield from self.walk(item_shape, item, f"{pointer}/{index}")

    def _map(self, shape: s.Map, plain: Any, pointer: str) -> Iterator[Issue]:
        if type(plain) is not dict:
            yield from _issues(wrong_kind("an object", plain), pointer)
            return
        yield from _issues(length_problem(len(plain), shape.length_min, shape.length_max, "members"), pointer)
        for name, value in plain.items():
            here = f"{pointer}/{escape(str(name))}"
            for issue in self.walk(shape.key, key_of(shape.key, name, self.types), here):
                yield Issue(here, issue.code, f"the member's name {issue.message}")
            yield from self.walk(shape.value, value, here)

    def _union(self, union: s.Union, plain: Any, pointer: str) -> Iterator[Issue]:
        arm = choose(union, plain, self.types, self.fits)
        if arm is not None:
            if not self.known.get((id(arm), id(plain)), (False,))[0]:
                yield from self.walk(arm, plain, pointer)
        elif union.choose == "tag" and type(plain) is not dict:
            yield from _issues(wrong_kind("an object", plain), pointer)
        elif union.choose == "tag" and union.tag_field not in plain:
            yield Issue(f"{pointer}/{escape(union.tag_field)}", "missing", "is required; it tells which type this is")
        elif union.choose == "tag":
            listed = ", ".join(map(repr, union.tags[:20]))
            yield Issue(f"{pointer}/{escape(union.tag_field)}", "variant", f"must be one of {listed}")
        else:
            yield Issue(pointer, "variant", "fits none of the types it may be of")

    def _untyped(self, shape: s.Anything | s.Json, plain: Any, pointer: str) -> Iterator[Issue]:
        yield from self._numbers(plain, pointer)
        if isinstance(shape, s.Json):
            yield from jsonschema.issues(shape.schema, plain, pointer)

    def _numbers(self, plain: Any, pointer: str) -> Iterator[Issue]:
        match kind_of(plain):
            case "integer" | "number":
                yield from _issues(number_problem(plain, self.limits), pointer)
            case "array":
                for index, item in enumerate(plain):
                    yield from self._numbers(item, f"{pointer}/{index}")
            case "object":
                for name, value in plain.items():
                    yield from self._numbers(value, f"{pointer}/{escape(str(name))}")
            case "other":
                yield from _issues(wrong_kind("a JSON value", plain), pointer)


def key_of(shape: s.Shape, name: Any, types: s.Types) -> Any:
    """A member's name as plain data of a map's key shape; JSON writes an integer key in quotes."""
    if "integer" in kinds_of(shape, types) and type(name) is str and len(name) <= 4000 and INTEGER.fullmatch(name):
        return int(name)
    return name


def first_repeat(items: Any) -> int | None:
    """The index of the first item that equals an earlier one as JSON does, or None."""
    seen: set[Any] = set()
    for index, item in enumerate(items):
        key = _comparable(item)
        if key in seen:
            return index
        seen.add(key)
    return None


def _comparable(plain: Any) -> Any:
    """Something hashable that is equal exactly when the JSON values are: true is not 1, but 1 is 1.0."""
    match kind_of(plain):
        case "array":
            return ("array", tuple(map(_comparable, plain)))
        case "object":
            return ("object", frozenset((name, _comparable(value)) for name, value in plain.items()))
        case "boolean":
            return ("boolean", plain)
        case "integer" | "number":
            return _comparable_number(plain)
        case _:
            return plain


def _comparable_number(plain: Any) -> Any:
    """Small integers as they are. The others as text, whose hashes are secret: anybody can write
    numbers that collide, and a set of those takes quadratic time."""
    if type(plain) is int and abs(plain) < 10**_SMALL_DIGITS:
        return plain
    number = exact(plain).normalize(EXACT)
    is_small = number.adjusted() < _SMALL_DIGITS and number == number.to_integral_value()
    return int(number) if is_small else ("number", str(number))


_SMALL_DIGITS = 18


def _issues(problem: Problem | None, pointer: str) -> Iterator[Issue]:
    if problem is not None:
        yield Issue(pointer, problem.code, problem.message)


def _suggestion(name: str, candidates: set[str]) -> str:
    close = difflib.get_close_matches(name, sorted(candidates), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
