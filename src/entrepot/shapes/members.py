"""The members of a record's value, whatever kind of class the value is of."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from entrepot.model import shape as s
from entrepot.shapes.authored import tag_of


def member(value: Any, field: s.Field) -> Any:
    """The value of a record's field; UNSET when it is absent.

    For Structs, dataclasses and pydantic models that is an attribute, for a TypedDict an item,
    for the tag of a tagged Struct what its class says.
    """
    if isinstance(value, dict):
        return value.get(field.name, UNSET)
    found = getattr(value, field.attribute, UNSET)
    if found is UNSET and (tag := tag_of(type(value))) is not None and tag[0] == field.name:
        return tag[1]
    return found
