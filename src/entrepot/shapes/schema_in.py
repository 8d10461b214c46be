"""JSON Schema as shapes: the dialect of OpenAPI 3.1, with the habits of 3.0 and 2.0 forgiven.

What has no typed shape becomes `Json`, checked by its own schema. What has no meaning at all is
refused, with its place and the reason. Nothing is read more loosely in silence: see `loosened`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from entrepot.kit.pointers import escape
from entrepot.model import shape as s
from entrepot.shapes import schema_words as words
from entrepot.shapes.arms import own_names
from entrepot.shapes.document import Refusal, Tree, Unreadable
from entrepot.shapes.kinds import apart_by_kind
from entrepot.shapes.patterns import prove
from entrepot.shapes.schema_document import (
    Schema,
    SchemaDocument,
    Unmergeable,
    as_list,
    is_nullable,
    structural,
)
from entrepot.shapes.schema_drafts import modern_keywords
from entrepot.shapes.schema_fields import read_field, xml_form
from entrepot.shapes.schema_out import json_id
from entrepot.shapes.schema_scalars import read_count, read_enum, read_number, read_string
from entrepot.shapes.schema_unions import (
    Outline,
    Tagging,
    kinds_said,
    outline,
    tags_by_constants,
    tags_by_discriminator,
)

_SCHEMAS_MAX = 100_000
"""Most schemas that one shape is read from: parts of an `allOf` that name each other can multiply without end."""


class _Endless(Exception):
    """A schema takes more to read than `_SCHEMAS_MAX`."""


class Reading(NamedTuple):
    """A schema as a shape, and whatever it leads to that could not be read."""

    shape: s.Shape
    refusals: tuple[Refusal, ...]


class _Arm(NamedTuple):
    """One schema of a `oneOf` or `anyOf`, and where it stands."""

    schema: Any
    pointer: str


class Reader:
    """Reads the schemas of one document, and gathers the named types they lead to."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.document = SchemaDocument(tree)
        self.types: dict[str, s.Shape] = {}
        self.loosened: list[Refusal] = []
        self._refused: dict[str, list[Refusal]] = {}
        self._sound: set[str] = set()
        """Named types that lead to nothing that was refused."""
        self._owner = ""
        """The named type that is being read."""
        self._merging: dict[bytes, str] = {}
        """The schemas with several parts that are being read, and the names of those that lead back to themselves."""
        self._left = _SCHEMAS_MAX
        """How many schemas may still be read for the present shape."""
        self._unread: deque[tuple[str, str]] = deque()
        """The named types that have been met and not read, and where they stand."""

    def read(self, schema: Any, pointer: str = "") -> Reading:
        """The shape of a schema that stands at `pointer`.

        Where something was refused, the shape is not to be relied on.
        """
        self._refused[""] = []
        shape = self._read_whole(schema, pointer)
        self._read_named()
        gaps = list(self._refused.pop(""))
        reached = s.names_reached((shape,), self.types, known=self._sound)
        for name in reached:
            gaps += self._refused.get(name, ())
        if self._refused.keys().isdisjoint(reached):
            self._sound.update(reached)
        return Reading(shape, tuple(gaps))

    def _read_whole(self, schema: Any, pointer: str) -> s.Shape:
        """A schema that is part of no other. One without end is refused here, not at each of its parts."""
        self._left = _SCHEMAS_MAX
        try:
            return self._read(schema, pointer)
        except RecursionError:
            self._refuse(pointer, "schema", "it is nested too deeply")
        except _Endless:
            self._refuse(pointer, "schema", f"written out it has more than {_SCHEMAS_MAX} parts")
        return s.Anything()

    def _read(self, schema: Any, pointer: str) -> s.Shape:
        self._left -= 1
        if self._left < 0:
            raise _Endless
        try:
            return self._shape(schema, pointer)
        except Unreadable as unreadable:
            self._refuse(pointer, unreadable.construct, unreadable.reason)
        except (AttributeError, TypeError, ValueError, KeyError) as error:
            self._refuse(pointer, "schema", f"it is not a JSON Schema: {error}")
        return s.Anything()

    def _refuse(self, pointer: str, construct: str, reason: str) -> None:
        self._refused.setdefault(self._owner, []).append(Refusal(pointer, construct, reason))

    def _shape(self, schema: Any, pointer: str) -> s.Shape:
        if isinstance(schema, bool):
            return s.Anything() if schema else s.Json(schema=False)
        if not isinstance(schema, dict):
            raise Unreadable("schema", "a schema is an object, true or false")
        if "kind" in words.said(schema):
            return self._own_kind(schema, pointer)
        said = structural(schema)
        if "$ref" in schema and (said == {"$ref"} or not self.document.siblings_count):
            return _nullable_if(is_nullable(schema), self._ref(schema["$ref"]))
        if said == {"allOf"} and len(schema["allOf"]) == 1:
            return _nullable_if(is_nullable(schema), self._shape(schema["allOf"][0], f"{pointer}/allOf/0"))
        return self._merged(schema, pointer) if said & {"allOf", "$ref"} else self._simple(schema, pointer)

    def _merged(self, schema: Schema, pointer: str) -> s.Shape:
        """The shape of what several schemas say together, which gets a name if it leads back to itself."""
        key = msgspec.json.encode(schema)
        if key in self._merging:
            name = self._merging[key] = self._merging[key] or self.document.name_of(pointer)
            self.types.setdefault(name, s.Anything())  # until it is read
            return s.Ref(name=name)
        self._merging[key] = ""
        shape: s.Shape = s.Anything()  # what stays where it cannot be read
        try:
            shape = self._simple(schema, pointer)
        finally:
            name = self._merging.pop(key)
            if name:
                self.types[name] = shape
        if name and self._is_its_own_arm(name):
            self.types[name] = s.Anything()
            raise Unreadable("anyOf", "the union leads back to itself")
        return s.Ref(name=name) if name else shape

    def _is_its_own_arm(self, name: str) -> bool:
        """Whether a named type leads back to itself by names, null and the arms of unions alone."""
        pending, passed = [self.types[name]], set[str]()
        while pending:
            match pending.pop():
                case s.Ref(name=other) if other not in passed:
                    passed.add(other)
                    pending.append(self.types[other])
                case s.Nullable(shape=inner):
                    pending.append(inner)
                case s.Union(arms=arms):
                    pending.extend(arms)
        return name in passed

    def _simple(self, schema: Schema, pointer: str) -> s.Shape:
        try:
            flat = modern_keywords(self.document.flat(schema))
        except Unmergeable:
            return self._json(schema)
        if is_nullable(flat):
            return _nullable_if(True, self._flat(_without_null(flat), pointer))
        return self._flat(flat, pointer)

    def _own_kind(self, schema: Schema, pointer: str) -> s.Shape:
        """A shape that `schema_out` had no other word for."""
        match words.said(schema)["kind"]:
            case "text":
                plain = {key: value for key, value in schema.items() if key != "format"}
                return msgspec.structs.replace(self._string("string", plain, pointer), format=schema.get("format"))
            case "raw":
                return s.Raw(media_type=schema["contentMediaType"])
            case "tuple":
                return s.Tuple(items=())
            case "page":
                return s.Page(item=self._read(schema["properties"]["items"]["items"], f"{pointer}/properties/items"))
            case "json":
                return _own_json(schema)
            case kind:
                raise Unreadable(words.OURS, f"{kind!r} is not a kind of shape")

    def _ref(self, ref: Any) -> s.Shape:
        pointer = self.tree.pointer_of(ref)
        self.tree.at(pointer)
        name = self.document.name_of(pointer)
        if name not in self.types:
            self.types[name] = s.Anything()  # until what it leads to, perhaps itself, is read
            self._unread.append((name, pointer))
        return s.Ref(name=name)

    def _read_named(self) -> None:
        """Read what has been referred to, one after another: a chain of references may be of any length."""
        read: list[tuple[str, str]] = []
        while self._unread:
            self._owner, pointer = self._unread.popleft()
            self.types[self._owner] = self._read_whole(self.tree.at(pointer), pointer)
            read.append((self._owner, pointer))
        for self._owner, pointer in read:
            if self._is_nothing_else(self._owner):
                self.types[self._owner] = s.Anything()
                self._refuse(pointer, "$ref", "it refers to itself and nothing else")
        self._owner = ""

    def _is_nothing_else(self, name: str) -> bool:
        """Whether a named type leads, by names alone and null, back to one that it has passed."""
        passed: set[str] = set()
        while name not in passed:
            passed.add(name)
            shape = self.types[name]
            shape = shape.shape if isinstance(shape, s.Nullable) else shape
            if not isinstance(shape, s.Ref):
                return False
            name = shape.name
        return True

    def _flat(self, schema: Schema, pointer: str) -> s.Shape:
        if schema.keys() & words.UNTYPED or _looks_around(schema):
            return self._json(schema)
        if "oneOf" in schema or "anyOf" in schema:
            return self._union(schema, pointer)
        if "enum" in schema or "const" in schema:
            return read_enum(schema) or self._json(schema)
        kinds = as_list(schema["type"]) if "type" in schema else sorted(kinds_said(schema))
        if not kinds:
            return s.Text(format=schema["format"]) if isinstance(schema.get("format"), str) else s.Anything()
        arms = [self._of_type(kind, schema, pointer) for kind in kinds if kind != "null"]
        if not arms:
            return s.Null()
        shape = arms[0] if len(arms) == 1 else s.Union(arms=tuple(arms))
        return _nullable_if("null" in kinds, shape)

    def _of_type(self, kind: Any, schema: Schema, pointer: str) -> s.Shape:
        match kind:
            case "boolean":
                return s.Bool()
            case "integer" | "number":
                return read_number(kind, schema)
            case "string" | "file":
                return self._string(kind, schema, pointer)
            case "array":
                return self._array(schema, pointer)
            case "object":
                return self._object(schema, pointer)
            case _:
                raise Unreadable("type", f"{kind!r} is not a type of JSON Schema")

    def _string(self, kind: str, schema: Schema, pointer: str) -> s.Shape:
        shape = s.File() if kind == "file" else read_string(schema)
        if isinstance(shape, s.Text) and shape.pattern is not None:
            try:
                prove(shape.pattern, shape.length_max)
            except ValueError as error:
                self.loosened.append(Refusal(f"{pointer}/pattern", "pattern", str(error)))
                return msgspec.structs.replace(shape, pattern=None)
        return shape

    def _array(self, schema: Schema, pointer: str) -> s.Shape:
        items = schema.get("items", True)
        prefix = schema.get("prefixItems")
        if isinstance(prefix, list):
            exact = items is False and schema.get("minItems") == len(prefix)
            if not exact or schema.get("uniqueItems"):
                return self._json(schema)
            read = [self._read(item, f"{pointer}/prefixItems/{i}") for i, item in enumerate(prefix)]
            return s.Tuple(items=tuple(read))
        if items is False:
            return self._json(schema)
        item = self._read(items, f"{pointer}/items")
        own = item.shape if isinstance(item, s.Nullable) else item
        said = own.xml if isinstance(own, s.Record | s.List) else None
        return s.List(
            item=item,
            length_min=read_count(schema, "minItems"),
            length_max=read_count(schema, "maxItems"),
            unique=schema.get("uniqueItems") is True,
            xml=xml_form(schema),
            item_xml=None if xml_form(items) == said else xml_form(items),
        )

    def _object(self, schema: Schema, pointer: str) -> s.Shape:
        extras = schema.get("additionalProperties")
        if schema.get("unevaluatedProperties") is False and extras is None:
            extras = False
        required = [name for name in schema.get("required") or () if isinstance(name, str)]
        if "properties" not in schema and not required and extras is not False:
            return self._map(schema, pointer)
        if schema.keys() & {"minProperties", "maxProperties", "propertyNames"}:
            return self._json(schema)
        # What is required and not declared is an extra; where there may be none, its author forgot to declare it.
        properties = dict.fromkeys(required, extras or True) | (schema.get("properties") or {})
        # The members in the order of the document, those only required after them.
        ordered = dict.fromkeys([*(schema.get("properties") or {}), *required])
        attributes = words.python_names(ordered)
        fields = [
            read_field(name, attributes[name], properties[name], name in required, self._member(pointer))
            for name in ordered
        ]
        keep = extras is not None and extras is not False
        return s.Record(
            fields=tuple(fields),
            extras="forbid" if extras is False else "keep" if keep else "drop",
            extra=self._read(extras, f"{pointer}/additionalProperties") if isinstance(extras, dict) else None,
            xml=xml_form(schema),
            title=schema.get("title") or "",
            docs=schema.get("description") or "",
        )

    def _member(self, pointer: str) -> Callable[[str, Any], s.Shape]:
        return lambda name, schema: self._read(schema, f"{pointer}/properties/{escape(name)}")

    def _map(self, schema: Schema, pointer: str) -> s.Shape:
        extras = schema.get("additionalProperties", True)
        key: s.Shape = s.Text()
        if "key" in words.said(schema):
            key = self._read(words.said(schema)["key"], f"{pointer}/{words.OURS}/key")
        elif "propertyNames" in schema:
            names = schema["propertyNames"]
            if names is False:
                return self._json(schema)
            named = {"type": "string"} | names if isinstance(names, dict) and "$ref" not in names else names
            key = self._read(named, f"{pointer}/propertyNames")
        return s.Map(
            value=self._read(extras, f"{pointer}/additionalProperties"),
            key=key,
            length_min=read_count(schema, "minProperties"),
            length_max=read_count(schema, "maxProperties"),
        )

    def _json(self, schema: Schema) -> s.Shape:
        return s.Json(schema=self.document.bundle(schema))

    # Unions

    def _union(self, schema: Schema, pointer: str) -> s.Shape:
        word = "oneOf" if "oneOf" in schema else "anyOf"
        base = {key: value for key, value in schema.items() if key not in (word, "discriminator")}
        if {"oneOf", "anyOf"} <= schema.keys() or not isinstance(schema[word], list) or not schema[word]:
            return self._json(schema)
        own = words.said(schema)
        if "tags" in own:
            return self._own_tagged(schema, pointer)
        if "choose" in own:
            arms = [self._read(arm, f"{pointer}/{word}/{i}") for i, arm in enumerate(schema[word])]
            return s.Union(arms=tuple(arms), choose=own["choose"])
        given = [_Arm(arm, f"{pointer}/{word}/{i}") for i, arm in enumerate(schema[word]) if not self._is_null(arm)]
        nullable = len(given) < len(schema[word])
        if structural(base):
            given = [arm._replace(schema=base | {"allOf": [arm.schema]}) for arm in given]
        if not given:
            return s.Null()
        if len(given) == 1:
            return _nullable_if(nullable, self._read(*given[0]))
        shape = self._arms(given, schema.get("discriminator"))
        return _nullable_if(nullable, shape)

    def _is_null(self, schema: Any) -> bool:
        if not isinstance(schema, dict) or "$ref" in schema:
            return False
        return schema.get("type") == "null" or schema.get("enum") == [None] or schema.get("const", "") is None

    def _own_tagged(self, schema: Schema, pointer: str) -> s.Shape:
        """A tagged union as `schema_out` writes it, each arm perhaps made to say its tag."""
        arms = [arm["allOf"][0] if "allOf" in arm else arm for arm in schema["oneOf"]]
        return s.Union(
            arms=tuple(self._read(arm, f"{pointer}/oneOf/{i}") for i, arm in enumerate(arms)),
            choose="tag",
            tag_field=schema["discriminator"]["propertyName"],
            tags=tuple(words.said(schema)["tags"]),
        )

    def _arms(self, arms: list[_Arm], discriminator: Any) -> s.Shape:
        """The union of several arms, told apart by the least that does."""
        outlines = [outline(self.document, arm.schema) for arm in arms]
        shapes = [self._read(*arm) for arm in arms]
        records = [i for i, each in enumerate(outlines) if each.is_record]
        if len(records) > 1:
            found = _records(
                [shapes[i] for i in records], [arms[i].schema for i in records], [outlines[i] for i in records],
                discriminator,
            )  # fmt: skip
            if found is None:
                return _trial(shapes)
            others = [i for i in range(len(arms)) if i not in records]
            shapes = [found, *(shapes[i] for i in others)]
            outlines = [Outline(frozenset({"object"})), *(outlines[i] for i in others)]
        if len(shapes) == 1:
            return shapes[0]
        if apart_by_kind(each.kinds for each in outlines):
            return s.Union(arms=tuple(shapes))
        return _joined(shapes) or _trial(shapes)


def _trial(shapes: list[s.Shape]) -> s.Shape:
    # Authors who write `oneOf` seldom see that a value may be of several; it is let in, as for `anyOf`.
    return s.Union(arms=tuple(shapes), choose="trial")


def _records(shapes: list[s.Shape], schemas: list[Any], outlines: list[Outline], discriminator: Any) -> s.Shape | None:
    """The union of records that something tells apart, or None."""
    tagging = tags_by_discriminator(discriminator, schemas, outlines) or tags_by_constants(outlines)
    if tagging is not None:
        return _tagged(tagging, shapes)
    by_keys = all(each.is_plain for each in outlines) and all(own_names([each.names for each in outlines]))
    return s.Union(arms=tuple(shapes), choose="keys") if by_keys else None


def _joined(shapes: list[s.Shape]) -> s.Shape | None:
    """Scalar arms of one kind as the one shape that takes exactly what they take, or None."""
    if all(isinstance(shape, s.Enum) for shape in shapes):
        values = [value for shape in shapes if isinstance(shape, s.Enum) for value in shape.values]
        unique = {(type(value.wire), value.wire): value for value in values}
        return s.Enum(values=tuple(unique.values()))
    if s.Text() not in shapes or not all(map(_is_of_strings, shapes)):
        return None
    enums = [shape for shape in shapes if isinstance(shape, s.Enum)]
    return msgspec.structs.replace(enums[0], open=True) if len(enums) == 1 and len(shapes) == 2 else s.Text()


def _is_of_strings(shape: s.Shape) -> bool:
    if isinstance(shape, s.Enum):
        return all(isinstance(value.wire, str) for value in shape.values)
    if isinstance(shape, s.DateTime):
        return shape.wire == "rfc3339"
    return isinstance(shape, s.Text | s.Date | s.Time | s.Duration | s.Uuid)


def _tagged(tagging: Tagging, arms: list[s.Shape]) -> s.Shape:
    return s.Union(
        arms=tuple(arms[index] for index, _ in tagging.tags),
        choose="tag",
        tag_field=tagging.field,
        tags=tuple(tag for _, tag in tagging.tags),
    )


def _nullable_if(nullable: bool, shape: s.Shape) -> s.Shape:
    if not nullable or isinstance(shape, s.Nullable | s.Null):
        return shape
    return s.Nullable(shape=shape)


def _looks_around(schema: Schema) -> bool:
    """Whether what the schema says of members left over depends on more than its own properties."""
    left_over = schema.get("unevaluatedProperties", True)
    return not isinstance(left_over, bool) or (left_over is False and "anyOf" in schema)


def _without_null(schema: Schema) -> Schema:
    """The schema of the values that are not null."""
    out = {key: value for key, value in schema.items() if key not in ("nullable", "x-nullable")}
    if isinstance(out.get("enum"), list):
        out["enum"] = [value for value in out["enum"] if value is not None]
    return out


def _own_json(schema: Schema) -> s.Shape:
    """A schema that was a schema before, without what was put around it."""
    own = words.said(schema)
    if "boolean" in own:
        return s.Json(schema=bool(own["boolean"]))
    given = schema | {words.OURS: {word: value for word, value in own.items() if word != "kind"}}
    if not given[words.OURS]:
        del given[words.OURS]
    bare = {key: value for key, value in given.items() if key != "$id"}
    return s.Json(schema=bare if given.get("$id") == json_id(bare) else given)
