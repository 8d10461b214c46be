"""The type language that every contract is translated to and from.

A shape carries what wires lose: absent and null as two things, exact decimals, integer
widths, times with or without a zone. Shapes are frozen, compare by content and are written
as JSON with a `kind` member, so a release can be sealed and hashed.

Import the module, not its names: `shape.Int(bits=64)`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Mapping
from typing import Any, Literal
from typing import Union as _Union

import msgspec


class _Base(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """What all shapes share: how they are sealed."""


class Anything(_Base, frozen=True, tag="any"):
    """Any JSON value, unchecked."""


class Null(_Base, frozen=True, tag="null"):
    """Only null: the output of an operation that returns nothing."""


class Bool(_Base, frozen=True, tag="bool"):
    """True or false."""


class Int(_Base, frozen=True, tag="int"):
    """An integer. `bits` None means unbounded; `wire` "text" writes it as a JSON string."""

    bits: Literal[8, 16, 32, 64] | None = None
    signed: bool = True
    minimum: int | None = None
    maximum: int | None = None
    multiple_of: int | None = None
    wire: Literal["number", "text"] = "number"


class Float(_Base, frozen=True, tag="float"):
    """A binary floating-point number (IEEE 754); never NaN or infinite on a JSON wire."""

    bits: Literal[32, 64] = 64
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: float | None = None
    exclusive_maximum: float | None = None


class Decimal(_Base, frozen=True, tag="decimal"):
    """An exact decimal number, kept digit by digit. Bounds are written as text, so they stay exact.

    `digits` and `scale` are the most digits in all and after the point.
    """

    digits: int | None = None
    scale: int | None = None
    minimum: str | None = None
    maximum: str | None = None
    exclusive_minimum: str | None = None
    exclusive_maximum: str | None = None
    multiple_of: str | None = None
    wire: Literal["number", "text"] = "text"


class Text(_Base, frozen=True, tag="text"):
    """Unicode text. `pattern` is an unanchored ECMA-262 expression; `format` is an annotation."""

    length_min: int | None = None
    length_max: int | None = None
    pattern: str | None = None
    format: str | None = None


class Bytes(_Base, frozen=True, tag="bytes"):
    """Octets held in memory, written in `encoding` where the wire is text."""

    encoding: Literal["base64", "hex", "raw"] = "base64"
    length_min: int | None = None
    length_max: int | None = None


class File(_Base, frozen=True, tag="file"):
    """Octets that are streamed, with a name, a media type and a size (`model.file.File`)."""

    media_types: tuple[str, ...] = ()
    bytes_max: int | None = None


class Date(_Base, frozen=True, tag="date"):
    """A calendar date."""


Precision = Literal["microsecond", "any"]
"""How fine a time may be. One to the microsecond is a time of Python's; any other is kept as the text it came in."""


class Time(_Base, frozen=True, tag="time"):
    """A time of day, with or without an offset."""

    zone: Literal["aware", "naive", "any"] = "any"
    precision: Precision = "microsecond"


class DateTime(_Base, frozen=True, tag="datetime"):
    """A moment (aware) or a local date and time (naive); a zone is never invented."""

    zone: Literal["aware", "naive", "any"] = "aware"
    wire: Literal["rfc3339", "unix", "unix_ms"] = "rfc3339"
    precision: Precision = "microsecond"
    """Of a number of seconds or milliseconds always the microsecond."""


class Duration(_Base, frozen=True, tag="duration"):
    """A span of time, ISO 8601 on text wires. One to the microsecond has no months, which are not of one length."""

    precision: Precision = "microsecond"


class Uuid(_Base, frozen=True, tag="uuid"):
    """A UUID (RFC 9562)."""


class EnumValue(msgspec.Struct, frozen=True, omit_defaults=True):
    """One member of an enumeration: the value on the wire, our name for it, its meaning."""

    wire: str | int | bool | None
    name: str = ""
    docs: str = ""


class Enum(_Base, frozen=True, tag="enum"):
    """One of a few scalar values. An open one takes values it does not list."""

    values: tuple[EnumValue, ...]
    open: bool = False


class XmlForm(msgspec.Struct, frozen=True, omit_defaults=True):
    """How something is written in XML: as element, attribute, text or header, and in which namespace."""

    kind: Literal["element", "attribute", "text", "header"] = "element"
    name: str = ""
    namespace: str = ""
    prefix: str = ""
    wrapped: bool = False
    """Of a list: whether an element of its own holds those of its items."""


class List(_Base, frozen=True, tag="list"):
    """Items of one shape, in order."""

    item: Shape
    length_min: int | None = None
    length_max: int | None = None
    unique: bool = False
    xml: XmlForm | None = None
    """How one is called, where nothing around it says otherwise."""
    item_xml: XmlForm | None = None
    """How each item is called."""


class Tuple(_Base, frozen=True, tag="tuple"):
    """A fixed number of items, each of its own shape."""

    items: tuple[Shape, ...]


class Map(_Base, frozen=True, tag="map"):
    """Text keys (shape `key`) to values of one shape."""

    value: Shape
    key: Shape = msgspec.field(default_factory=lambda: Text())
    length_min: int | None = None
    length_max: int | None = None


Role = Literal["", "version", "cursor", "page_number", "page_size", "offset", "sort"]
"""What a field stands for beside its value."""


class Field(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One member of a record.

    Absent belongs to the field (`required`), null to its shape (`Nullable`). `default` is the
    author's own and is filled in; a foreign contract's default is documentation and stays out.
    """

    name: str
    """The name in contracts and on wires."""
    shape: Shape
    python: str = ""
    """The Python identifier; "" when it equals `name`."""
    required: bool = True
    default: Any = msgspec.UNSET
    """A plain JSON value."""
    documented_default: Any = msgspec.UNSET
    """What a foreign contract says that an absent one stands for: told, never filled in."""
    role: Role = ""
    """version: makes the ETag. cursor: the position in a stream or among pages. The others: which page is
    wanted, by its number, or by its size and what comes before it, and of what order."""
    access: Literal["both", "read", "write"] = "both"
    """read: only in replies. write: only in requests."""
    read_scopes: tuple[str, ...] = ()
    write_scopes: tuple[str, ...] = ()
    xml: XmlForm | None = None
    title: str = ""
    """What people call it."""
    docs: str = ""
    examples: tuple[Any, ...] = ()
    deprecated: bool = False

    @property
    def attribute(self) -> str:
        """The Python name."""
        return self.python or self.name

    @property
    def must_be_present(self) -> bool:
        """Whether a record without the field is refused.

        A field of one direction only may be absent: the same record is used in requests and
        replies, and in one of them it has no place.
        """
        return self.required and self.access == "both"


class Record(_Base, frozen=True, tag="record"):
    """Named fields. `extras` says what becomes of members that no field names.

    drop: read over. forbid: refused. keep: held, of shape `extra`.
    """

    fields: tuple[Field, ...]
    extras: Literal["drop", "forbid", "keep"] = "drop"
    extra: Shape | None = None
    xml: XmlForm | None = None
    """How one is called in XML, where nothing around it says otherwise."""
    title: str = ""
    """What people call one."""
    docs: str = ""

    def field(self, name: str) -> Field | None:
        """The field with this wire name, if there is one."""
        return next((field for field in self.fields if field.name == name), None)

    def with_role(self, role: str) -> Field | None:
        """The field with this role, if there is one."""
        return next((field for field in self.fields if field.role == role), None)


class Union(_Base, frozen=True, tag="union"):
    """One of several shapes, told apart by `choose`.

    tag: the text in member `tag_field`, `tags[i]` for arm i. keys: a required member that only
    one arm has. kind: the JSON kind. trial: of the arms that fit, the first of those that keep
    most of an object's members.
    """

    arms: tuple[Shape, ...]
    choose: Literal["tag", "keys", "kind", "trial"] = "kind"
    tag_field: str = ""
    tags: tuple[str, ...] = ()


class Nullable(_Base, frozen=True, tag="nullable"):
    """The shape, or null."""

    shape: Shape


class Page(_Base, frozen=True, tag="page"):
    """Part of a long list: items, the cursor of the next part, perhaps a total (`model.page.Page`)."""

    item: Shape

    @property
    def record(self) -> Record:
        """The record that a page is written as."""
        return Record(
            fields=(
                Field(name="items", shape=List(item=self.item)),
                Field(name="next", shape=Nullable(shape=Text()), required=False, default=None),
                Field(name="total", shape=Nullable(shape=Int()), required=False, default=None),
            )
        )


class Json(_Base, frozen=True, tag="json"):
    """A JSON value under a schema that has no typed shape (JSON Schema 2020-12): the explicit escape."""

    schema: Mapping[str, Any] | bool = True


class Raw(_Base, frozen=True, tag="raw"):
    """A body of one media type that is passed on as it is."""

    media_type: str = "application/octet-stream"


class Ref(_Base, frozen=True, tag="ref"):
    """A shape by its name in `Service.types`; the only way to be recursive."""

    name: str


Shape = _Union[
    Anything, Null, Bool, Int, Float, Decimal, Text, Bytes, File, Date, Time, DateTime, Duration,
    Uuid, Enum, List, Tuple, Map, Record, Union, Nullable, Page, Json, Raw, Ref,
]  # fmt: skip
"""Any shape."""

Types = Mapping[str, Shape]
"""The named shapes of a service."""


def resolve(shape: Shape, types: Types) -> Shape:
    """The shape behind a reference, however many names it passes. Raises KeyError on a missing name."""
    seen: set[str] = set()
    while isinstance(shape, Ref):
        if shape.name in seen:
            raise KeyError(f"type {shape.name!r} refers to itself and nothing else")
        seen.add(shape.name)
        shape = types[shape.name]
    return shape


def unwrap(shape: Shape, types: Types) -> Shape:
    """The shape behind references and "or null"."""
    inner = resolve(shape, types)
    while isinstance(inner, Nullable):
        inner = resolve(inner.shape, types)
    return inner


def parts(shape: Shape) -> tuple[Shape, ...]:
    """The shapes written directly inside this one; a reference has none."""
    match shape:
        case List() | Page():
            return (shape.item,)
        case Tuple():
            return shape.items
        case Map():
            return (shape.key, shape.value)
        case Record():
            extra = (shape.extra,) if shape.extra is not None else ()
            return tuple(field.shape for field in shape.fields) + extra
        case Union():
            return shape.arms
        case Nullable():
            return (shape.shape,)
        case _:
            return ()


def names_reached(roots: Iterable[Shape], types: Types, known: Container[str] = ()) -> list[str]:
    """The names of the types that these shapes lead to, each once, the nearest first.

    It does not go on behind `known` names, and leaves them out.
    """
    found: dict[str, None] = {}
    pending = deque(roots)
    while pending:
        current = pending.popleft()
        if isinstance(current, Ref) and current.name not in found and current.name not in known:
            found[current.name] = None
            pending.append(types[current.name])
        pending.extend(parts(current))
    return list(found)


def reachable(shape: Shape, types: Types, seen: set[str] | None = None) -> list[Shape]:
    """The shape and all it leads to, each named type once, references themselves left out.

    It does not go on behind the names in `seen`, and adds to them those that it has met.
    """
    found: list[Shape] = []
    seen = set() if seen is None else seen
    pending = [shape]
    while pending:
        current = pending.pop()
        if isinstance(current, Ref):
            if current.name not in seen:
                seen.add(current.name)
                pending.append(types[current.name])
            continue
        found.append(current)
        pending.extend(parts(current))
    return found
