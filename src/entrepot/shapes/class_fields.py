"""The fields of an author's class, whatever library it was made with."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from msgspec import NODEFAULT, UNSET

from entrepot.model import shape as s
from entrepot.shapes import authored

_PLAIN_FACTORIES: set[Any] = {list, dict, set, frozenset, tuple}


class NoShape(TypeError):
    """A Python type has no shape."""

    def __init__(self, problem: str, remedy: str, *, may_be_provided: bool = False) -> None:
        super().__init__(f"{problem}; {remedy[:1].lower()}{remedy[1:].removesuffix('.')}")
        self.problem = problem
        """Names the type and where it stands."""
        self.remedy = remedy
        """What to do, a sentence."""
        self.may_be_provided = may_be_provided
        """It is no value, but it could be handed to a function by something else than a caller."""


class Found(NamedTuple):
    """A field as its class has it."""

    python: str
    name: str
    annotation: Any
    required: bool
    default: Any = UNSET
    docs: str = ""


def fields_of(annotation: Any, origin: Any) -> Iterator[Found]:
    """The fields in their order; `origin` is the class without its type arguments.

    Raises NameError when an annotation mentions a name that its module does not define.
    """
    if authored.is_struct(origin):
        return _struct_fields(annotation, origin)
    if authored.is_pydantic(origin):
        return _pydantic_fields(annotation)
    if typing.is_typeddict(origin):
        return _typed_dict_fields(origin)
    return _dataclass_fields(origin)


def _struct_fields(annotation: Any, origin: Any) -> Iterator[Found]:
    if origin.__struct_config__.array_like:
        raise NoShape(f"{origin.__name__}: a Struct with array_like has no names on the wire", "Use a NamedTuple.")
    tag = authored.tag_of(origin)
    if tag is not None:
        yield Found(tag[0], tag[0], typing.Literal[tag[1]], required=True)
    for field in msgspec.structs.fields(annotation):
        default = _plain_default(field.default, field.default_factory, NODEFAULT)
        yield Found(field.name, field.encode_name, field.type, field.required, default)


def _dataclass_fields(origin: Any) -> Iterator[Found]:
    hints = typing.get_type_hints(origin, include_extras=True)
    for field in dataclasses.fields(origin):
        if field.init:
            missing = dataclasses.MISSING
            required = field.default is missing and field.default_factory is missing
            default = _plain_default(field.default, field.default_factory, missing)
            yield Found(field.name, field.name, hints[field.name], required, default)


def _typed_dict_fields(origin: Any) -> Iterator[Found]:
    for name, hint in typing.get_type_hints(origin, include_extras=True).items():
        said = typing.get_origin(hint)
        # The class does not see these itself where annotations are strings (PEP 563).
        required = name in origin.__required_keys__ if said is not typing.NotRequired else False
        yield Found(name, name, hint, required or said is typing.Required)


def _pydantic_fields(model: Any) -> Iterator[Found]:
    for name, field in model.model_fields.items():
        annotation = typing.Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
        default = UNSET if field.is_required() else _plain_default(field.default, field.default_factory, None)
        wire = field.serialization_alias or field.alias or name
        yield Found(name, wire, annotation, field.is_required(), default, field.description or "")


def _plain_default(default: Any, factory: Any, missing: Any) -> Any:
    """A default as plain JSON data; UNSET when there is none, or one that differs from call to call."""
    if factory in _PLAIN_FACTORIES:
        return msgspec.to_builtins(factory())
    if default is UNSET or (default is missing and default is not None) or callable(factory):
        return UNSET
    try:
        return msgspec.to_builtins(default, str_keys=True)
    except TypeError:
        return default.model_dump(mode="json", by_alias=True) if authored.is_pydantic(type(default)) else UNSET


def forbids_unknown(origin: Any) -> bool:
    """Whether the class refuses members that it does not name."""
    if authored.is_struct(origin):
        return bool(origin.__struct_config__.forbid_unknown_fields)
    return authored.is_pydantic(origin) and origin.model_config.get("extra") == "forbid"


def enum_of(cls: Any) -> s.Shape:
    """The values of an enumeration's members, with their names."""
    values = []
    for member in cls:
        if isinstance(member.value, bool) or not isinstance(member.value, str | int):
            raise NoShape(
                f"{cls.__name__}.{member.name}: the value {member.value!r} is neither text nor an integer",
                "Give every member of the Enum a text or an integer.",
            )
        values.append(s.EnumValue(wire=member.value, name=member.name))
    return s.Enum(values=tuple(values))
