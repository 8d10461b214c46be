"""Defaults that a dataclass keeps on its class.

msgspec 0.22 reads a dataclass without setting what the class has an attribute for, and writes only
what the instance has: a member that was left out on the way in would be lost on the way out.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any


@functools.cache
def class_defaults(cls: Any) -> Mapping[str, Any]:
    """The defaults by field; none of a class that is no dataclass, or has slots, which msgspec fills."""
    if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
        return {}
    fields = (each for each in dataclasses.fields(cls) if each.init and each.default is not dataclasses.MISSING)
    return {each.name: each.default for each in fields if getattr(cls, each.name, None) is each.default}


def filled(value: Any) -> Any:
    """The value, when every dataclass in it has got its defaults as its constructor would set them."""
    pending = [value]
    while pending:
        part = pending.pop()
        cls: Any = type(part)
        defaults = class_defaults(cls)
        if defaults:
            part.__dict__.update({name: each for name, each in defaults.items() if name not in part.__dict__})
        pending.extend(_members(part))
    return value


def _members(part: Any) -> Any:
    """What stands in a value that msgspec or one of our readers has made."""
    if isinstance(part, dict):
        return part.values()
    if isinstance(part, list | tuple | set | frozenset):
        return part
    names = getattr(part, "__struct_fields__", None)
    if names is None and dataclasses.is_dataclass(part):
        names = [each.name for each in dataclasses.fields(part)]
    return [getattr(part, name, None) for name in names or ()]
