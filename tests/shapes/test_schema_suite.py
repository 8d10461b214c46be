"""The JSON Schema Test Suite: every required case under the schema itself, and under the shape that is read of it."""

from __future__ import annotations

import functools
from collections import Counter
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import msgspec
import pytest

from entrepot.model import shape as s
from entrepot.model.fault import Fault
from entrepot.shapes.document import Tree
from entrepot.shapes.schema_in import Reader
from entrepot.shapes.values import Values
from support.needs import ROOT
from support.schema_suite import DIALECTS, groups, whole

PAGE = ROOT / "docs" / "concepts" / "json-schema.md"
WHERE = ("typed", "json", "otherwise", "refused")
write = msgspec.json.Encoder(decimal_format="number").encode

DIFFERENCES = {
    "kind": (
        "exclusiveM*", "format: *", "items: a schema given for items", "max*", "min*", "multipleOf: by int",
        "pattern: pattern validation", "properties: *", "propertyNames: *", "ref: root pointer ref",
        "required: required *", "unevaluatedProperties: non-object instances are valid",
    ),
    "closed": ("additionalProperties: additionalProperties does not look in applicators",),
    "several": ("oneOf: *", "unevaluatedProperties: dynamic evalation inside nested refs"),
    "form": ("content: *",),
    "pattern": ("pattern: pattern with Unicode property escape requires unicode mode",),
    "vocabulary": ("vocabulary: *",),
}  # fmt: skip
"""Why a typed shape decides otherwise than its schema, and in which groups; the page tells the reasons at length."""
LOOSER = {"closed", "several", "pattern"}
"""The reasons for which it lets in what its schema refuses."""


class Decisions(NamedTuple):
    """How a draft's cases are decided by the shapes read of their schemas."""

    counts: Counter[tuple[str, str]]
    """By keyword and by where they live."""
    otherwise: dict[str, bool]
    """The groups with a case that a typed shape decides otherwise, and whether it lets one in that it should not."""


def accepts(shape: s.Shape, types: s.Types, plain: Any) -> bool:
    try:
        Values(types).codec(shape).decode(write(plain))
    except Fault:
        return False
    return True


@functools.cache
def decisions(draft: str) -> Decisions:
    found = Decisions(Counter(), {})
    for group in groups(draft):
        reader = Reader(Tree(group.schema))
        reading = reader.read(group.schema)
        if reading.refusals:
            found.counts[group.keyword, "refused"] += len(group.cases)
            continue
        is_typed = not isinstance(reading.shape, s.Json)
        for case in group.cases:
            accepted = accepts(reading.shape, reader.types, case["data"])
            right = accepted == case["valid"]
            assert right or is_typed, (group.name, case["description"])
            found.counts[group.keyword, "json" if not is_typed else "typed" if right else "otherwise"] += 1
            if not right:
                found.otherwise[group.name] = found.otherwise.get(group.name, False) or accepted
    return found


def reasons_for(name: str) -> set[str]:
    return {reason for reason, groups in DIFFERENCES.items() if any(fnmatchcase(name, group) for group in groups)}


@pytest.mark.parametrize("draft", DIALECTS)
def test_every_case_is_decided_rightly_under_the_schema_itself(draft: str) -> None:
    for group in groups(draft):
        shape = s.Json(schema=whole(group))
        for case in group.cases:
            assert accepts(shape, {}, case["data"]) == case["valid"], (group.name, case["description"])


def test_a_typed_shape_decides_otherwise_for_known_reasons_only() -> None:
    otherwise = decisions("draft2020-12").otherwise | decisions("draft4").otherwise
    assert sorted(name for name in otherwise if not reasons_for(name)) == []
    looser = {name for name, lets_in in otherwise.items() if lets_in}
    assert sorted(name for name in looser if LOOSER.isdisjoint(reasons_for(name))) == []
    listed = [group for groups in DIFFERENCES.values() for group in groups]
    assert [group for group in listed if not any(fnmatchcase(name, group) for name in otherwise)] == []


def test_the_page_tells_every_reason_and_where_each_keyword_lives() -> None:
    page = PAGE.read_text()
    assert [reason for reason in DIFFERENCES if f"\n| {reason} |" not in page] == []
    counts = [decisions(draft).counts for draft in DIALECTS]
    for keyword in sorted({keyword for found in counts for keyword, _ in found}):
        cells = [str(found[keyword, where] or "") for found in counts for where in WHERE]
        assert f"\n| {keyword} | {' | '.join(cells)} |\n" in page
    totals = [
        str(sum(count for (_, place), count in found.items() if place == where)) for found in counts for where in WHERE
    ]
    assert f"\n| all | {' | '.join(totals)} |\n" in page
