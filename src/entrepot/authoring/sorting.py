"""By what a list may be sorted: by what its items have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from entrepot.authoring import mistakes
from entrepot.authoring.diagnostics import Diagnostics
from entrepot.authoring.signature import Signature
from entrepot.kit.suggest import did_you_mean
from entrepot.model import shape as s
from entrepot.shapes.reflect import Member


def check_sorting(function: Callable[..., Any], signature: Signature, types: s.Types, found: Diagnostics) -> None:
    """Note each name by which a parameter sorts, and which is no field of the items that are answered."""
    listed = s.unwrap(signature.output, types)
    if not isinstance(listed, s.Page | s.List):
        return
    for field in signature.fields:
        for name in _sorted_by(field.member):
            missing, known = _missing(listed.item, name, types)
            if missing:
                remedy = did_you_mean(missing, known) or "Name a field of theirs."
                found.add(mistakes.SORTED_BY_NOTHING, function, field.name, name=name, remedy=remedy)


def _sorted_by(member: Member) -> Iterator[str]:
    listed = member.shape
    if member.role == "sort" and isinstance(listed, s.List) and isinstance(listed.item, s.Enum):
        yield from (str(value.wire) for value in listed.item.values if not str(value.wire).startswith("-"))


def _missing(item: s.Shape, name: str, types: s.Types) -> tuple[str, list[str]]:
    """The first step of a dotted name that leads to nothing, and what there is in its place; "" when all lead on."""
    for step in name.split("."):
        record = s.unwrap(item, types)
        if not isinstance(record, s.Record) or record.extras == "keep":
            break  # whose members nobody knows
        field = next((each for each in record.fields if step in (each.name, each.attribute)), None)
        if field is None:
            return step, [each.name for each in record.fields]
        item = field.shape
    return "", []
