"""What msgspec cannot read by itself, from plain data: unions, records that keep what they do not know, schemas.

A *hook type* is an empty class that stands in an annotation; msgspec asks the reader that belongs to it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from entrepot.model import shape as s
from entrepot.shapes import jsonschema
from entrepot.shapes.arms import Candidates, Fits
from entrepot.shapes.assemble import extras_attribute
from entrepot.shapes.explain import Known
from entrepot.shapes.scalars import NotOfShape, Problem, Reader

REFUSALS = (ValueError, TypeError, RecursionError)
"""What a reader raises on data that is not of its type."""


class HookMeta(type):
    """The type of hook types."""

    # msgspec asks isinstance(value, hook) of what a reader returned. It has been checked, so the
    # answer is yes for any value; `id` says so without a call into Python.
    __instancecheck__ = staticmethod(id)  # type: ignore[assignment]


class Trials(threading.local):
    """What has been tried while one union is read, the unions inside it included."""

    def __init__(self) -> None:
        self.known: Known = {}
        self.read: dict[tuple[int, int], tuple[bool, Any, Any]] = {}
        """Whether a value could be read as an arm, and what it is then, by the ids of both."""
        self._depth = 0

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if not self._depth:
            self.known.clear()
            self.read.clear()


def union_reader(union: s.Union, types: s.Types, readers: list[Reader], fits: Fits, trials: Trials | None) -> Reader:
    """Reads a value as the arm that it is of. `readers` are those of the arms, in their order.

    `trials` remembers what was tried; None: there is no union inside, so nothing is tried twice.
    """
    candidates = Candidates(union, types)
    by_arm = {id(arm): reader for arm, reader in zip(union.arms, readers, strict=True)}
    if union.choose == "tag":
        return _by_tag(union, by_arm)
    alone: dict[type, Reader] = {
        kind: by_arm[id(arms[0])] for kind, arms in candidates.by_type.items() if len(arms) == 1
    }
    if union.choose == "keys":
        several = _by_keys([(by_arm[id(arm)], names) for arm, names in candidates.own_names])
    else:
        several = _by_trial(candidates, by_arm, fits, trials)

    def read(plain: Any) -> Any:
        return alone.get(type(plain), several)(plain)

    return read


def _by_tag(union: s.Union, by_arm: dict[int, Reader]) -> Reader:
    by_tag: dict[Any, Reader] = {tag: by_arm[id(arm)] for tag, arm in zip(union.tags, union.arms, strict=True)}
    tag_field = union.tag_field

    def read(plain: Any) -> Any:
        reader = by_tag.get(plain.get(tag_field)) if type(plain) is dict else None
        if reader is None:
            raise _fits_none()
        return reader(plain)

    return read


def _by_keys(own: list[tuple[Reader, frozenset[str]]]) -> Reader:
    def read(plain: Any) -> Any:
        if type(plain) is dict:
            for reader, names in own:
                if not names.isdisjoint(plain):
                    return reader(plain)
        raise _fits_none()

    return read


def _by_trial(candidates: Candidates, by_arm: dict[int, Reader], fits: Fits, trials: Trials | None) -> Reader:
    def read(plain: Any) -> Any:
        for arm in candidates.of(plain):
            try:
                return by_arm[id(arm)](plain)
            except REFUSALS:
                if fits(arm, plain):
                    break  # an integer is spelt 1.0, which a slower way reads
        raise _fits_none()

    return read if trials is None else _remembering(candidates, by_arm, fits, trials)


def _remembering(candidates: Candidates, by_arm: dict[int, Reader], fits: Fits, trials: Trials) -> Reader:
    """Without a memory, unions within unions would be tried anew at every depth."""

    def read_as(arm: s.Shape, plain: Any) -> tuple[bool, Any, Any]:
        key = (id(arm), id(plain))
        found = trials.read.get(key)
        if found is None:
            try:
                found = (True, by_arm[id(arm)](plain), plain)
            except REFUSALS:
                found = (False, None, plain)
            trials.read[key] = found
        return found

    def read(plain: Any) -> Any:
        with trials:
            for arm in candidates.of(plain):
                fitting, value, _ = read_as(arm, plain)
                if fitting:
                    return value
                if fits(arm, plain):
                    break
        raise _fits_none()

    return read


def _fits_none() -> NotOfShape:
    return NotOfShape(Problem("variant", "fits none of the types it may be of"))


def record_reader(record: s.Record, convert: Reader, check_extra: Callable[[Any], bool] | None) -> Reader:
    """Reads a record that keeps unknown members, or has names that msgspec cannot carry.

    `convert` makes a value of members that have the names of attributes.
    """
    attributes = {field.name: field.attribute for field in record.fields}
    kept = extras_attribute(record)

    def read(plain: Any) -> Any:
        if type(plain) is not dict:
            raise NotOfShape(Problem("type", "expected an object"))
        members: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        for name, each in plain.items():
            attribute = attributes.get(name)
            if attribute is None:
                rest[name] = each
            else:
                members[attribute] = each
        if rest and record.extras == "forbid":
            raise NotOfShape(Problem("unknown", "a member is not known"))
        if record.extras == "keep":
            members[kept] = rest
        value = convert(members)
        if check_extra is not None and not all(map(check_extra, rest.values())):
            raise NotOfShape(Problem("variant", "an unknown member is not of its type"))
        return value

    return read


def json_reader(schema: Mapping[str, Any] | bool) -> Reader:
    """Any value that is valid under a schema. Raises TypeError when it is none."""
    jsonschema.validator(schema)

    def read(plain: Any) -> Any:
        if not jsonschema.accepts(schema, plain):
            raise NotOfShape(Problem("variant", "is not valid under its schema"))
        return plain

    return read
