"""An input field that stands under a name of its own in a message, and the issues of what stands there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from entrepot.kit.pointers import escape, tokens
from entrepot.model.fault import Issue
from entrepot.model.faults import Invalid
from entrepot.protocols.rest.binding.bound import BoundField
from entrepot.shapes.scalars import NotOfShape

T = TypeVar("T")

Attributes = dict[str, Any]
"""The input's attributes, as far as the request gives them."""


class Parameter(NamedTuple, Generic[T]):
    """How what stands under a name becomes the value of a field."""

    name: str
    field: str
    attribute: str
    read: Callable[[T], Any]
    """Raises `NotOfShape`, or `Invalid` with pointers relative to the field."""
    missing: Issue | None
    """What is wrong when the name is left out."""
    absence: Any
    """What leaving it out means; UNSET leaves that to the input's type."""

    def take(self, found: T | None, attributes: Attributes, issues: list[Issue]) -> None:
        """Adds the value of what was found, or else what its absence means."""
        if found is None:
            if self.missing is not None:
                issues.append(self.missing)
            elif self.absence is not msgspec.UNSET:
                attributes[self.attribute] = self.absence
            return
        try:
            attributes[self.attribute] = self.read(found)
        except NotOfShape as error:
            issues.append(Issue(f"/{escape(self.field)}", *error.problem))
        except Invalid as invalid:
            issues.extend(prefixed(invalid.issues, self.field))


def parameter(bound: BoundField, read: Callable[[T], Any], message: str) -> Parameter[T]:
    """The parameter of a field; `message` tells what is wrong when it is required and left out."""
    field = bound.field
    missing = Issue(f"/{escape(field.name)}", "missing", message) if field.required else None
    if bound.null_by_absence:
        return Parameter(bound.name, field.name, field.attribute, read, None, None)
    return Parameter(bound.name, field.name, field.attribute, read, missing, msgspec.UNSET)


def take_all(
    parameters: Iterable[Parameter[T]], found: dict[str, T], attributes: Attributes, issues: list[Issue]
) -> None:
    """Reads every parameter, and takes its name out of what was found."""
    for each in parameters:
        each.take(found.pop(each.name, None), attributes, issues)


def prefixed(issues: Iterable[Issue], name: str) -> Iterable[Issue]:
    """Issues of a field's value as issues of the input."""
    start = f"/{escape(name)}"
    return (Issue(start + issue.pointer, issue.code, issue.message) for issue in issues)


def add_misplaced(found: Iterable[Issue], elsewhere: Mapping[str, BoundField], issues: list[Issue]) -> None:
    """Adds what is wrong with a body to what is wrong with the head; of what belongs `elsewhere`, where it does.

    What is missing in one of the two because it stands in the other is one mistake.
    """
    misplaced = {each.pointer for each in issues if each.code == "unknown"}
    for issue in found:
        if issue.code == "missing" and issue.pointer in misplaced:
            continue
        bound = elsewhere.get(tokens(issue.pointer)[0]) if issue.code == "unknown" else None
        if bound is not None:
            here = f"/{escape(bound.field.name)}"
            issues[:] = [each for each in issues if (each.pointer, each.code) != (here, "missing")]
            said = f"must be sent as the {bound.where} parameter `{bound.name}`, not in the body"
            issue = Issue(here, "unknown", said)
        issues.append(issue)


def wire_names(fields: Iterable[BoundField]) -> dict[str, str]:
    """The names of parameters by those they have on the wire, both as tokens of a pointer, where they differ."""
    return {escape(p.name): escape(p.field.name) for p in fields if p.name != p.field.name}


def renamed(issues: Iterable[Issue], names: Mapping[str, str]) -> tuple[Issue, ...]:
    """Issues whose first token is the parameter rather than its name on the wire."""
    return tuple(_renamed(issue, names) for issue in issues)


def _renamed(issue: Issue, names: Mapping[str, str]) -> Issue:
    first, slash, rest = issue.pointer[1:].partition("/")
    return Issue(f"/{names[first]}{slash}{rest}", issue.code, issue.message) if first in names else issue
