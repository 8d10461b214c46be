"""Shapes as Python types that msgspec reads.

What msgspec reads by itself is left to it. What it cannot is given a *hook type*: an empty
class that stands in the annotation, and a reader that turns plain data into the value. Named
records may be recursive, since a class can be made before the types of its members are known.
"""

from __future__ import annotations

import functools
import threading
import typing
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from entrepot.kit.limits import Limits
from entrepot.model import shape as s
from entrepot.model.file import File
from entrepot.model.page import Page
from entrepot.shapes import authored, jsonschema
from entrepot.shapes.annotations import bounded, is_fixed_tuple, is_union, scalar, without_pattern
from entrepot.shapes.assemble import Assembly, class_name, extras_attribute
from entrepot.shapes.checks import Checks
from entrepot.shapes.class_defaults import filled
from entrepot.shapes.explain import fits
from entrepot.shapes.heights import Heights
from entrepot.shapes.hooks import HookMeta, Trials, json_reader, record_reader, union_reader
from entrepot.shapes.kinds import apart_by_kind, kinds_of
from entrepot.shapes.scalar_forms import scalar_reader
from entrepot.shapes.scalars import (
    NotOfShape,
    Problem,
    Reader,
    Scalar,
)
from entrepot.shapes.traits import Trait, needs_hook

_HOOKED = Trait.REWRITTEN | Trait.DECIMAL_NUMBER | Trait.DECIMAL_TEXT | Trait.UNION | Trait.SCHEMA
_MANY = 300
"""From so many members on it would be felt that msgspec learns them."""


class Classes:
    """The Python type of each shape of one service, made on first use."""

    def __init__(self, types: s.Types, classes: Mapping[str, Any], limits: Limits) -> None:
        self.types = types
        self.limits = limits
        self.checks = Checks(types, classes, limits)
        self.heights = Heights(types)
        self.records: dict[Any, s.Record] = {}
        """By the class that was made for each."""
        self._authored = classes
        self._named: dict[str, Any] = {}
        self._opened: set[str] = set()
        self._has_aliases = False
        """Whether a type leads back to itself without a class between."""
        self._unnamed: dict[bytes, Any] = {}
        self._optional: dict[int, Any] = {}
        """By the ids of annotations: the same, or absent."""
        self._bare: deque[tuple[Any, list[s.Field]]] = deque()
        """Classes whose members have no types yet."""
        self._readers: dict[Any, Reader] = {
            cls: self._pydantic_reader(s.Ref(name=name), cls)
            for name, cls in classes.items()
            if authored.is_pydantic(cls)
        }
        self.has_pydantic = bool(self._readers)
        self._trials = Trials()
        self._making = threading.RLock()
        """Held while classes are made: for moments."""
        self._building = threading.RLock()
        """Held while msgspec learns classes, which may take long; it must not meet one half learnt."""
        self._annotated: set[str] = set()
        self._built: set[str] = set()

    def of(self, shape: s.Shape) -> Any:
        """The type of a shape's values, as an annotation, ready for msgspec."""
        with self._building:
            with self._making:
                annotation = self._of(shape)
            self._build()
        return annotation

    def is_soon_ready(self, shape: s.Shape) -> bool:
        """Whether msgspec knows what the shape leads to, or can learn it in a moment."""
        if self._authored:
            return True
        if not self._building.acquire(blocking=False):
            return False
        self._building.release()
        return not self._are_many(shape)

    def _are_many(self, shape: s.Shape) -> bool:
        parts, pending, seen = 0, [shape], set(self._built)
        while pending and parts <= _MANY:
            part = pending.pop()
            if not isinstance(part, s.Ref):
                inner = s.parts(part)
                parts += len(inner)
                pending.extend(inner)
            elif part.name not in seen:
                seen.add(part.name)
                pending.append(self.types[part.name])
        return parts > _MANY

    # Of values that are put together without msgspec

    @functools.cached_property
    def assembly(self) -> Assembly:
        """What makes values without msgspec."""
        return Assembly(self)

    def value_class(self, shape: s.Shape, name: str = "Value") -> Any:
        """The class of a record's values, whose members' types may yet be unknown."""
        with self._making:
            annotation = self._of(shape, name)
        return getattr(annotation, "value_class", annotation)

    def tagged_class(self, union: s.Union, tag: str) -> Any:
        """The class of one arm of a union told apart by tags; None when it has none of its own."""
        with self._making:
            tagged = self._tagged_classes(union)
        return tagged[union.tags.index(tag)] if tagged else None

    def key_type(self, key: s.Shape) -> Any:
        """The type of a map's keys."""
        with self._making:
            return self._key(key)

    def of_author(self, name: str) -> Reader | None:
        """What reads a named type that is a class of the author's."""
        return self.reader(s.Ref(name=name)) if name in self._authored else None

    def _of(self, shape: s.Shape, name: str = "Value") -> Any:
        """The type as it may stand in another's annotations; `name` is for a class made for it."""
        if isinstance(shape, s.Ref):
            return self._of_name(shape.name)
        key = msgspec.json.encode(shape)
        if key not in self._unnamed:
            self._unnamed[key] = self._make(shape, name)
        return self._unnamed[key]

    def _build(self) -> None:
        """Have msgspec learn the new classes: most lead to those that were made after them."""
        for cls in reversed(self._annotate()):
            msgspec.json.Decoder(cls)
        self._built |= self._annotated
        self._annotated = set()

    def _annotate(self) -> list[Any]:
        """Write the members' types into new classes, one after another: a chain of types may be of any length.

        Returns those that msgspec can read.
        """
        new: list[Any] = []
        while True:
            with self._making:
                if not self._bare:
                    self._annotated = set(self._named)
                    return new
                cls, fields = self._bare.popleft()
                for field in fields:
                    cls.__annotations__[field.attribute] = self._annotation(field)
                self._annotate_extras(cls, self.records[cls])
            if Trait.BINARY not in self.checks.traits.of(self.records[cls]):
                new.append(cls)

    def _annotate_extras(self, cls: Any, record: s.Record) -> None:
        if record.extras == "keep":
            extra = self._of(record.extra or s.Anything(), "Extra")
            cls.__annotations__[extras_attribute(record)] = dict[str, extra]  # type: ignore[valid-type]

    @functools.cached_property
    def read_hook(self) -> Callable[[Any, Any], Any]:
        """What msgspec calls for a type that is not its own."""
        readers = self._readers
        return lambda hook, plain: readers[hook](plain)

    def reader(self, shape: s.Shape) -> Reader:
        """Plain data to the shape's values."""
        annotation, check = self.of(shape), self.checks.of(shape)
        convert = self._converter(shape, annotation)
        fills = Trait.CLASS_DEFAULTS in self.checks.traits.of(shape)
        if check is None:
            return (lambda plain: filled(convert(plain))) if fills else convert

        def read(plain: Any) -> Any:
            value = convert(plain)
            if fills:
                filled(value)
            # Only now is every part known to be of the JSON kind that the check counts on.
            if not check(plain):
                raise NotOfShape(Problem("variant", "is not of its type"))
            return value

        return read

    def _converter(self, shape: s.Shape, annotation: Any) -> Reader:
        """What msgspec makes of plain data. Each option that it is given costs as much as a small value."""
        if isinstance(annotation, HookMeta):
            readers = self._readers
            return lambda plain: readers[annotation](plain)
        options: dict[str, Any] = {}
        if self._authored or self._has_aliases or self.checks.traits.of(shape) & _HOOKED:
            options["dec_hook"] = self.read_hook
        if self._authored or Trait.KEYED in self.checks.traits.of(shape):
            options["str_keys"] = True
        if authored.is_struct(annotation):
            return functools.partial(msgspec.convert, type=annotation, **options)
        # msgspec keeps what it has learnt of a class, and of nothing else.
        box = msgspec.defstruct("Box", [("value", annotation)], module=__name__)
        convert = functools.partial(msgspec.convert, type=box, **options)
        return lambda plain: convert({"value": plain}).value

    def _of_name(self, name: str) -> Any:
        if name in self._authored:
            return self._authored[name]
        if name in self._named:
            return self._named[name]
        shape = self.types[name]
        if isinstance(shape, s.Record) and not needs_hook(shape):
            return self._struct(shape, name, functools.partial(self._named.__setitem__, name))
        if name in self._opened:
            # An alias that leads back to itself without a record between: only a hook can.
            self._has_aliases = True
            return self._hook(name, lambda: self.reader(shape))
        self._opened.add(name)
        self._named[name] = self._of(shape, name)
        return self._named[name]

    def _make(self, shape: s.Shape, name: str) -> Any:
        match shape:
            case s.Anything():
                return Any
            case s.Json(schema=schema):
                return Any if jsonschema.unchecked(schema) else self._json_hook(shape, name)
            case s.File():
                return File
            case s.Raw():
                return bytes
            case s.Nullable(shape=inner):
                return typing.Optional[self._of(inner, name)]  # noqa: UP045 - built, not written
            case s.List():
                return bounded(list[self._of(shape.item, name)], shape)  # type: ignore[misc]
            case s.Tuple(items=items):
                return tuple[tuple(self._of(item, name) for item in items)]  # type: ignore[misc]
            case s.Map():
                return bounded(dict[self._key(shape.key), self._of(shape.value, name)], shape)  # type: ignore[misc]
            case s.Page(item=item):
                return Page[self._of(item, name)]  # type: ignore[misc]
            case s.Record():
                return self._record_hook(shape, name) if needs_hook(shape) else self._struct(shape, name)
            case s.Union():
                return self._union(shape, name)
            case _:
                return self._scalar(typing.cast(Scalar, shape), name)

    def _scalar(self, shape: Scalar, name: str) -> Any:
        match shape:
            case s.Decimal() | s.Int(wire="text") | s.DateTime(wire="unix" | "unix_ms") | s.Bytes(encoding="hex"):
                return self._hook(name, lambda: scalar_reader(shape, self.limits))
            case _:
                return scalar(shape)

    def _key(self, key: s.Shape) -> Any:
        annotation = self._of(key, "Key")
        return str if isinstance(annotation, HookMeta) else annotation

    def _hook(self, name: str, make_reader: Callable[[], Reader]) -> Any:
        """A type whose values `make_reader()` reads; it is called on first use."""

        def first(plain: Any) -> Any:
            reader = self._readers[hook] = make_reader()
            return reader(plain)

        hook = HookMeta(name, (), {})
        self._readers[hook] = first
        return hook

    def _pydantic_reader(self, shape: s.Ref, cls: Any) -> Reader:
        def read(plain: Any) -> Any:
            if not fits(self.types[shape.name], plain, self.types, self.limits):
                raise NotOfShape(Problem("variant", f"is not a {shape.name}"))
            return cls.model_validate(plain)

        return read

    # Records

    def _struct(
        self, record: s.Record, name: str, announce: Callable[[Any], None] = lambda _: None,
        tag_field: str | None = None, tag: str | None = None,
    ) -> Any:  # fmt: skip
        """A Struct class for a record; `announce` learns it before its members' types are made.

        Where there is one member it may be given without its name, which costs a third.
        """
        fields = [field for field in record.fields if field.name != tag_field]
        namespace: dict[str, Any] = {"__doc__": record.docs or None}
        if tag_field is not None and (tagged := record.field(tag_field)) is not None:
            namespace[tagged.attribute] = property(lambda _: tag)
        cls = msgspec.defstruct(
            name,
            [self._member(field) for field in fields],
            kw_only=len(fields) > 1,
            rename={field.attribute: field.name for field in fields if field.attribute != field.name},
            forbid_unknown_fields=record.extras == "forbid",
            tag_field=tag_field,
            tag=tag,
            namespace=namespace,
            module=__name__,
        )
        announce(cls)
        self.records[cls] = record
        self._bare.append((cls, fields))
        return cls

    def _member(self, field: s.Field) -> tuple[str, Any] | tuple[str, Any, Any]:
        if not field.attribute.isidentifier() or field.attribute.startswith("__"):
            raise TypeError(f"the field {field.name!r} cannot be a Python attribute; give it a name in `python`")
        if field.default is not UNSET:
            return field.attribute, object, msgspec.field(default_factory=self._default(field))
        return (field.attribute, object) if field.must_be_present else (field.attribute, object, UNSET)

    def _default(self, field: s.Field) -> Callable[[], Any]:
        return lambda: self.assembly.of(field.shape, field.default, class_name(field))

    def _annotation(self, field: s.Field) -> Any:
        annotation = self._of(field.shape, class_name(field))
        if field.must_be_present or field.default is not UNSET:
            return annotation
        optional = self._optional.get(id(annotation))
        if optional is None:
            optional = self._optional[id(annotation)] = typing.Union[annotation, UnsetType]
        return optional

    def _record_hook(self, record: s.Record, name: str) -> Any:
        """A record that msgspec cannot read: it keeps unknown members, or has names that it cannot carry.

        Its class has the attributes' names, which plain data is given before it is converted.
        """
        fields: list[Any] = [self._member(field) for field in record.fields]
        kept = extras_attribute(record)
        if record.extras == "keep":
            fields.append((kept, object, msgspec.field(default_factory=dict)))
        cls = msgspec.defstruct(name, fields, kw_only=len(record.fields) > 1, module=__name__)
        self.records[cls] = record
        self._bare.append((cls, list(record.fields)))

        def make_reader() -> Reader:
            check = self.checks.of(record.extra) if record.extra is not None else None
            return record_reader(record, self._converter(s.Tuple(items=s.parts(record)), cls), check)

        hook = self._hook(name, make_reader)
        hook.value_class = cls
        return hook

    def _json_hook(self, shape: s.Json, name: str) -> Any:
        """Any value that is valid under a schema."""
        read = json_reader(shape.schema)
        hook = self._hook(name, lambda: read)
        hook.value_class = Any
        return hook

    # Unions

    def _union(self, union: s.Union, name: str) -> Any:
        if union.choose == "tag":
            tagged = self._tagged_classes(union)
            return typing.Union[tuple(tagged)] if tagged else self._holder(union, name)
        arms = [self._of(arm, f"{name}{index}") for index, arm in enumerate(union.arms)]
        if union.choose == "kind" and self._told_apart_by_msgspec(union, arms):
            return typing.Union[tuple(map(without_pattern, arms))]
        return self._holder(union, name)

    def _tagged_classes(self, union: s.Union) -> list[Any]:
        """One class for each tag, or nothing when msgspec cannot carry the union."""
        found: list[Any] = []
        if len(union.arms) == 1:
            return found  # msgspec would not ask for the tag
        for arm, tag in zip(union.arms, union.tags, strict=True):
            record = s.resolve(arm, self.types)
            if isinstance(arm, s.Ref) and arm.name in self._authored:
                if not authored.has_tag(self._authored[arm.name], union.tag_field, tag):
                    return []
                found.append(self._authored[arm.name])
            elif isinstance(record, s.Record) and not needs_hook(record):
                found.append(self._tagged(arm, record, union.tag_field, tag))
            else:
                return []
        return found

    def _tagged(self, arm: s.Shape, record: s.Record, tag_field: str, tag: str) -> Any:
        key = msgspec.json.encode((arm, tag_field, tag))
        if key not in self._unnamed:
            name = arm.name if isinstance(arm, s.Ref) else "Arm"
            announce = functools.partial(self._unnamed.__setitem__, key)
            self._struct(record, name, announce, tag_field, tag)
        return self._unnamed[key]

    def _told_apart_by_msgspec(self, union: s.Union, arms: list[Any]) -> bool:
        for annotation in arms:
            if annotation is Any or isinstance(annotation, HookMeta) or annotation in self._readers:
                return False
            parts = typing.get_args(annotation) if is_union(annotation) else (annotation,)
            if any(isinstance(part, HookMeta) or is_fixed_tuple(part) for part in parts):
                return False
        return apart_by_kind(kinds_of(arm, self.types) for arm in union.arms)

    def _holder(self, union: s.Union, name: str) -> Any:
        """A union that msgspec cannot decide: the arm is chosen from plain data."""

        def make_reader() -> Reader:
            readers = [self.reader(arm) for arm in union.arms]
            inside = any(Trait.UNION in self.checks.traits.of(arm) for arm in union.arms)
            trials = self._trials if inside else None

            def fitting(arm: s.Shape, plain: Any) -> bool:
                return fits(arm, plain, self.types, self.limits, None if trials is None else trials.known)

            return union_reader(union, self.types, readers, fitting, trials)

        return self._hook(name, make_reader)
