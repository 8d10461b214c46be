"""Python types as shapes.

Reads what an author writes anyway: Structs, dataclasses, TypedDicts, NamedTuples, pydantic
models, enumerations, the standard library's types, and `Annotated` constraints on any of them.
"""

from __future__ import annotations

import collections.abc
import datetime
import decimal
import enum
import re
import types as python_types
import typing
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import UnsetType

from entrepot.kit import names
from entrepot.model import shape as s
from entrepot.model.file import File
from entrepot.model.page import Page
from entrepot.shapes import authored
from entrepot.shapes.annotations import has_bounds
from entrepot.shapes.arms import names_of, own_names
from entrepot.shapes.class_fields import Found, NoShape, enum_of, fields_of, forbids_unknown
from entrepot.shapes.constraints import Notes, constrain, notes_of
from entrepot.shapes.kinds import apart_by_kind, kinds_of
from entrepot.shapes.markers import Xml
from entrepot.shapes.traits import Trait, Traits

Read = TypeVar("Read")

_SCALARS: dict[Any, s.Shape] = {
    None: s.Null(),
    type(None): s.Null(),
    Any: s.Anything(),
    bool: s.Bool(),
    int: s.Int(),
    float: s.Float(),
    str: s.Text(),
    bytes: s.Bytes(),
    bytearray: s.Bytes(),
    decimal.Decimal: s.Decimal(),
    datetime.date: s.Date(),
    datetime.time: s.Time(zone="any"),
    datetime.datetime: s.DateTime(zone="any"),
    datetime.timedelta: s.Duration(),
    uuid.UUID: s.Uuid(),
    File: s.File(),
}
_LISTS: set[Any] = {list, collections.abc.Sequence, collections.abc.MutableSequence, collections.abc.Collection}
_SETS: set[Any] = {set, frozenset, collections.abc.Set, collections.abc.MutableSet}
_MAPS: set[Any] = {dict, collections.abc.Mapping, collections.abc.MutableMapping}
_NUMBERED = ("page_number", "page_size", "offset")
"""Roles of integers."""
_KEYS = (s.Text, s.Int, s.Enum, s.Uuid, s.Date, s.DateTime)


class Member(NamedTuple):
    """A parameter's or a field's type, taken apart."""

    shape: s.Shape
    role: s.Role = ""
    may_be_absent: bool = False
    """Its union has `msgspec.UnsetType` in it."""
    xml: s.XmlForm | None = None
    docs: str = ""
    examples: tuple[Any, ...] = ()


class Reflector:
    """Turns annotations into shapes, and gathers the named types and the classes they came from."""

    def __init__(self) -> None:
        self.types: dict[str, s.Shape] = {}
        self.classes: dict[str, Any] = {}
        self._names: dict[Any, str] = {}
        self._taken: dict[str, int] = {}
        self._unread: deque[tuple[str, Callable[[], s.Shape]]] = deque()
        """The named types of which no more is known than their members' names, and what reads the rest."""
        self._in_class = False

    def shape(self, annotation: Any, where: str = "") -> s.Shape:
        """The shape of a type; `where` names its place in messages. Raises NoShape."""
        return self.member(annotation, where).shape

    def member(self, annotation: Any, where: str = "") -> Member:
        """The shape of a parameter or field, with its role and docs. Raises NoShape."""
        problems: list[NoShape] = []
        found = self._trying(problems, lambda: self._member(annotation, where), where)
        self._read_named(problems)
        if problems or found is None:
            raise problems[0]
        return found

    def _trying(self, problems: list[NoShape], read: Callable[[], Read], where: str) -> Read | None:
        try:
            return read()
        except NoShape as problem:
            problems.append(problem)
        except RecursionError:
            problems.append(NoShape(f"{_place(where)}its types are nested too deeply", "Make a part of it a Struct."))
        return None

    def _member(self, annotation: Any, where: str) -> Member:
        annotation, notes = _unwrapped(annotation)
        if _is_union(annotation):
            arms = [arm for arm in typing.get_args(annotation) if arm is not UnsetType]
            absent = len(arms) < len(typing.get_args(annotation))
            inner = _first_notes(arms)
            notes.role, notes.xml = notes.role or inner.role, notes.xml or inner.xml
            shape = self._union(arms, where)
        else:
            absent, shape = False, self._single(annotation, where)
        shape = self._as_role(shape, notes, where)
        try:
            shape = constrain(shape, notes.rules)
        except TypeError as error:
            remedy = f"Change the {'pattern' if 'pattern' in notes.rules else 'constraint'}, or leave it out."
            raise NoShape(f"{_place(where)}{error}", remedy) from None
        shape, form = _in_xml(shape, notes.xml, where)
        return Member(shape, notes.role, absent, form, notes.docs, notes.examples)

    def _as_role(self, shape: s.Shape, notes: Notes, where: str) -> s.Shape:
        """The shape as its role has it."""
        what = f"{_place(where)}what is marked as a {notes.role.replace('_', ' ')}"
        if notes.role in _NUMBERED and not isinstance(s.unwrap(shape, self.types), s.Int):
            raise NoShape(f"{what} is no integer", "Annotate it as `int`.")
        if notes.role != "sort":
            return shape
        if shape != s.List(item=s.Text()):
            raise NoShape(f"{what} is no list of text", "Annotate it as `Sequence[str]`.")
        names = tuple(s.EnumValue(f"{sign}{name}") for name in notes.sort for sign in ("", "-"))
        return s.List(item=s.Enum(values=names))

    def _single(self, annotation: Any, where: str) -> s.Shape:
        if isinstance(annotation, str | typing.ForwardRef):
            problem = f"{_place(where)}the name {_name(annotation)!r} is not resolved to a type"
            raise NoShape(problem, "Define or import it in its module, at the top level.")
        if not is_type(annotation):
            raise NoShape(f"{_place(where)}{annotation!r} is or holds a value where a type belongs", _ADVICE)
        if annotation in _SCALARS:
            return _SCALARS[annotation]
        origin, arguments = typing.get_origin(annotation) or annotation, typing.get_args(annotation)
        if origin is typing.Literal:
            return self._literal(arguments, where)
        if origin is tuple and arguments and arguments[-1] is not Ellipsis:
            return s.Tuple(items=tuple(self._inner(item, f"{where}[{i}]") for i, item in enumerate(arguments)))
        if origin in _LISTS or origin is tuple:
            return s.List(item=self._item(arguments, where))
        if origin in _SETS:
            return s.List(item=self._item(arguments, where), unique=True)
        if origin in _MAPS:
            return self._map(arguments, where)
        if origin is Page:
            return s.Page(item=self._item(arguments, where))
        if isinstance(annotation, typing.TypeVar):
            return s.Anything() if annotation.__bound__ is None else self._inner(annotation.__bound__, where)
        if authored.is_enum(origin) or authored.is_record(origin) or authored.is_named_tuple(origin):
            return self._named(annotation, origin, where)
        problem = f"{_place(where)}{_name(annotation)} is not a type that a contract can hold"
        raise NoShape(problem, _ADVICE, may_be_provided=True)

    def _inner(self, annotation: Any, where: str) -> s.Shape:
        return self._member(annotation, where).shape

    def _item(self, arguments: tuple[Any, ...], where: str) -> s.Shape:
        return self._inner(arguments[0], f"{where}[]") if arguments else s.Anything()

    def _map(self, arguments: tuple[Any, ...], where: str) -> s.Shape:
        if not arguments:
            return s.Map(value=s.Anything())
        if len(arguments) != 2:
            raise NoShape(
                f"{_place(where)}a map has a type for its keys and one for its values", "Write `dict[str, int]`."
            )
        key = self._inner(arguments[0], f"{where}[key]")
        if not isinstance(s.resolve(key, self.types), _KEYS):
            raise NoShape(
                f"{_place(where)}a key of {_name(arguments[0])} cannot be written as a member's name",
                "Take text, an integer, an Enum, a UUID, a date or a datetime as the key.",
            )
        return s.Map(key=key, value=self._inner(arguments[1], f"{where}[]"))

    def _literal(self, values: tuple[Any, ...], where: str) -> s.Shape:
        for value in values:
            if not isinstance(value, str | int | None) or isinstance(value, enum.Enum):
                problem = f"{_place(where)}the literal {value!r} is not text, an integer, true, false or None"
                raise NoShape(problem, "Leave it out, or write it as text.")
        return s.Enum(values=tuple(s.EnumValue(wire=value) for value in values))

    # Unions

    def _union(self, annotations: list[Any], where: str) -> s.Shape:
        arms = [arm for arm in annotations if arm not in (None, type(None))]
        if not arms:
            return s.Null()
        shapes = [self._inner(arm, where) for arm in arms]
        tagged = [i for i, arm in enumerate(arms) if authored.tag_of(typing.get_origin(arm) or arm) is not None]
        if len(tagged) > 1:
            union = self._tagged([arms[i] for i in tagged], [shapes[i] for i in tagged], where)
            shapes = [union] + [shape for i, shape in enumerate(shapes) if i not in tagged]
        shape = shapes[0] if len(shapes) == 1 else self._untagged(shapes, where)
        return s.Nullable(shape=shape) if len(arms) < len(annotations) else shape

    def _tagged(self, arms: list[Any], shapes: list[s.Shape], where: str) -> s.Shape:
        tags = [authored.tag_of(typing.get_origin(arm) or arm) or ("", "") for arm in arms]
        if len({field for field, _ in tags}) > 1 or not all(isinstance(tag, str) for _, tag in tags):
            problem = f"{_place(where)}the tags of a union must be texts in a field of one name"
            raise NoShape(problem, "Give its Structs texts as `tag` and the same `tag_field`.")
        return s.Union(arms=tuple(shapes), choose="tag", tag_field=tags[0][0], tags=tuple(tag for _, tag in tags))

    def _untagged(self, shapes: list[s.Shape], where: str) -> s.Shape:
        self._refuse_traps(shapes, where)
        if apart_by_kind(kinds_of(shape, self.types) for shape in shapes):
            return s.Union(arms=tuple(shapes))
        resolved = [s.resolve(shape, self.types) for shape in shapes]
        if all(isinstance(shape, s.Record) for shape in resolved):
            if all(own_names(list(map(names_of, resolved)))):
                return s.Union(arms=tuple(shapes), choose="keys")
            raise NoShape(f"{_place(where)}these records cannot be told apart", "Make them Structs with a `tag`.")
        return s.Union(arms=tuple(shapes), choose="trial")

    def _refuse_traps(self, shapes: list[s.Shape], where: str) -> None:
        """msgspec 0.22 corrupts memory on a class with such a union; a class of ours is made without it."""
        kinds = set[str]().union(*(kinds_of(shape, self.types) for shape in shapes))
        patterns = any(isinstance(shape, s.Text) and shape.pattern is not None for shape in shapes)
        if self._in_class and patterns and kinds & {"array", "object"}:
            problem = f"{_place(where)}a text with a pattern cannot share a union with a list or a record"
            raise NoShape(problem, "Leave the pattern out, or make the text a field of a Struct.")
        tuples = any(isinstance(shape, s.Tuple) for shape in shapes)
        if self._in_class and tuples and any(map(has_bounds, shapes)):
            problem = f"{_place(where)}a tuple cannot share a union with what has bounds"
            raise NoShape(problem, "Leave the bounds out, or make one of the two a field of a Struct.")

    # Named types

    def _named(self, annotation: Any, origin: Any, where: str) -> s.Shape:
        if annotation in self._names:
            return s.Ref(name=self._names[annotation])
        name = names.unique(_type_name(annotation), self._taken)
        self._names[annotation] = name
        self.classes[name] = annotation
        self.types[name] = s.Anything()
        try:
            self._outline(annotation, origin, name)
        except NameError as error:
            problem = f"{_place(where)}{name} mentions {error.name!r}, which is not defined in its module"
            raise NoShape(problem, "Define or import it there, at the top level.") from None
        return s.Ref(name=name)

    def _outline(self, annotation: Any, origin: Any, name: str) -> None:
        """What is seen of a class without its members' types, which may lead back to it or far away."""
        if authored.is_enum(origin):
            self.types[name] = enum_of(origin)
        elif authored.is_named_tuple(origin):
            self.types[name] = s.Tuple(items=())
            hints = typing.get_type_hints(annotation, include_extras=True)
            self._unread.append((name, lambda: self._named_tuple(annotation, hints, name)))
        else:
            found = list(fields_of(annotation, origin))
            names = (s.Field(name=each.name, shape=s.Anything(), required=each.required) for each in found)
            self.types[name] = s.Record(fields=tuple(names))
            self._unread.append((name, lambda: self._record(found, origin, name)))

    def _read_named(self, problems: list[NoShape]) -> None:
        """Read what has been named on the way, one after another: a chain of types may be of any length."""
        read: list[str] = []
        self._in_class = True
        while self._unread:
            name, reader = self._unread.popleft()
            self.types[name] = self._trying(problems, reader, name) or s.Anything()
            read.append(name)
        self._in_class = False
        if read and not problems:
            self._trying(problems, lambda: self._prove(read), read[0])

    def _record(self, found: list[Found], origin: Any, name: str) -> s.Shape:
        return s.Record(
            fields=tuple(self._field(field, name) for field in found),
            extras="forbid" if forbids_unknown(origin) else "drop",
            docs=authored.own_docs(origin),
        )

    def _field(self, found: Found, owner: str) -> s.Field:
        member = self._member(found.annotation, f"{owner}.{found.python}")
        return s.Field(
            name=found.name,
            python="" if found.python == found.name else found.python,
            shape=member.shape,
            required=found.required and not member.may_be_absent,
            default=found.default,
            role=member.role,
            xml=member.xml,
            docs=member.docs or found.docs,
            examples=member.examples,
        )

    def _named_tuple(self, annotation: Any, hints: dict[str, Any], name: str) -> s.Shape:
        if annotation._field_defaults:
            problem = f"{name}: a NamedTuple is written as an array of fixed length, so it cannot have defaults"
            raise NoShape(problem, "Leave the defaults out, or make it a Struct or a dataclass.")
        return s.Tuple(items=tuple(self._inner(hints[field], f"{name}.{field}") for field in annotation._fields))

    def _prove(self, names: list[str]) -> None:
        """Let msgspec look at each new class: what it cannot read must be said now, not at the first call.

        The last one first, since it is read before those that lead to it: msgspec follows every
        type that it has not seen.
        """
        traits = Traits(self.types, self.classes)
        for name in reversed(names):
            if Trait.BINARY in traits.of(s.Ref(name=name)):
                continue
            try:
                msgspec.json.Decoder(self.classes[name], dec_hook=lambda _, plain: plain)
            except TypeError as error:
                raise NoShape(f"{name}: {str(error).splitlines()[0]}", "Change what the message names.") from None


def _unwrapped(annotation: Any) -> tuple[Any, Notes]:
    """The type inside `Annotated`, `NewType`, `Required` and type aliases, and what the wrappings said."""
    metadata: list[Any] = []
    while True:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated:
            annotation, *more = typing.get_args(annotation)
            metadata = more + metadata
        elif origin in (typing.Required, typing.NotRequired):
            annotation = typing.get_args(annotation)[0]
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        else:
            return annotation, notes_of(metadata)


def _in_xml(shape: s.Shape, mark: Xml | None, where: str) -> tuple[s.Shape, s.XmlForm | None]:
    """The shape, and how a field of it is written in XML."""
    if mark is None:
        return shape, None
    listed = shape.shape if isinstance(shape, s.Nullable) else shape
    if (mark.wrapped or mark.item) and not isinstance(listed, s.List):
        problem = f"{_place(where)}what is marked with `Body.Xml` as wrapped, or with the name of its items, is no list"
        raise NoShape(problem, "Leave `wrapped` and `item` out.")
    if mark.item and isinstance(listed, s.List):
        listed = msgspec.structs.replace(listed, item_xml=s.XmlForm(name=mark.item))
        shape = s.Nullable(shape=listed) if isinstance(shape, s.Nullable) else listed
    kind: Literal["element", "attribute"] = "attribute" if mark.attribute else "element"
    form = s.XmlForm(kind=kind, name=mark.name, namespace=mark.namespace, prefix=mark.prefix, wrapped=mark.wrapped)
    return shape, form


def _first_notes(arms: list[Any]) -> Notes:
    """What is said inside the one real arm of `Annotated[int, Version()] | None`."""
    real = [arm for arm in arms if arm not in (None, type(None))]
    return _unwrapped(real[0])[1] if len(real) == 1 else Notes()


def _is_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (typing.Union, python_types.UnionType)


def _type_name(annotation: Any) -> str:
    """`Box[Item]` gives BoxItem."""
    origin = typing.get_origin(annotation)
    if origin is None:
        return str(annotation.__name__)
    return str(origin.__name__) + "".join(names.pascal(_name(argument)) for argument in typing.get_args(annotation))


def is_type(annotation: Any) -> bool:
    """Whether an annotation may be a type at all: `[]` and `list[[]]` cannot, because types can be hashed."""
    try:
        hash(annotation)
    except TypeError:
        return False
    return True


def _name(annotation: Any) -> str:
    return str(getattr(annotation, "__name__", None) or getattr(annotation, "__forward_arg__", None) or annotation)


def _place(where: str) -> str:
    """`Cart.lines[]` in words: `an item of Cart.lines: `."""
    root, *steps = re.split(r"(?=\[)", where)
    words = [_STEPS.get(step) or f"item {int(step[1:-1]) + 1}" for step in reversed(steps)] + [root] * bool(root)
    return f"{' of '.join(words)}: " if words else ""


_STEPS = {"[]": "an item", "[key]": "a key"}


_ADVICE = "Use a Struct, a dataclass, a TypedDict, an Enum or a type of the standard library."
