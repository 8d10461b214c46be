"""What can be asked of an author's own class, whatever library it was made with.

pydantic is never imported here: a model is known by what it can do.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import typing
from typing import Any


def is_pydantic(cls: Any) -> bool:
    """Whether a class is a pydantic (version 2) model."""
    return isinstance(cls, type) and hasattr(cls, "model_validate") and hasattr(cls, "__pydantic_fields__")


def is_struct(cls: Any) -> bool:
    """Whether a class is a msgspec Struct."""
    return isinstance(cls, type) and hasattr(cls, "__struct_fields__")


def is_named_tuple(cls: Any) -> bool:
    """Whether a class is a NamedTuple."""
    return isinstance(cls, type) and issubclass(cls, tuple) and hasattr(cls, "_fields")


def is_record(cls: Any) -> bool:
    """Whether a class has named fields: Struct, dataclass, TypedDict or pydantic model."""
    return (
        is_struct(cls)
        or typing.is_typeddict(cls)
        or is_pydantic(cls)
        or (isinstance(cls, type) and dataclasses.is_dataclass(cls))
    )


def is_enum(cls: Any) -> bool:
    """Whether a class is an enumeration."""
    return isinstance(cls, type) and issubclass(cls, enum.Enum)


def tag_of(cls: Any) -> tuple[str, Any] | None:
    """The name and the value of the member by which a Struct is told from others, if it has one."""
    config = getattr(cls, "__struct_config__", None)
    return None if config is None or config.tag is None else (config.tag_field, config.tag)


def has_tag(cls: Any, tag_field: str, tag: str) -> bool:
    """Whether msgspec tells the class apart by this tag."""
    return tag_of(cls) == (tag_field, tag)


def own_docs(cls: Any) -> str:
    """The docstring that the author wrote, as clean text; "" when there is none, or one that Python made."""
    docs = cls.__dict__.get("__doc__") if isinstance(cls, type) else None
    if not isinstance(docs, str) or docs.startswith(f"{cls.__name__}("):
        return ""
    return inspect.cleandoc(docs)


def dump_pydantic(model: Any) -> dict[str, Any]:
    """A pydantic model's members by their wire names, their values still Python's."""
    dumped: dict[str, Any] = model.model_dump(by_alias=True)
    return dumped
