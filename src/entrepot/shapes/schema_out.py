"""Shapes as JSON Schema 2020-12, the dialect of OpenAPI 3.1, OpenRPC and MCP.

What JSON Schema cannot say stands in `x-entrepot`, so that `schema_in` reads back
the very same shape. Any other reader may pass them over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import UNSET

from entrepot.kit.pointers import escape
from entrepot.model import shape as s
from entrepot.shapes import schema_words as words
from entrepot.shapes.kinds import kind_of, kinds_of
from entrepot.shapes.scalars import int_bounds
from entrepot.shapes.times import Temporal

Schema = dict[str, Any]


def schema(shape: s.Shape, types: s.Types, ref_prefix: str = "#/components/schemas/") -> Schema:
    """The JSON Schema of a shape; a named type becomes a `$ref` under `ref_prefix`."""
    return _Writer(types, ref_prefix).write(shape)


def schemas(types: s.Types, ref_prefix: str = "#/components/schemas/") -> dict[str, Schema]:
    """The JSON Schema of every named type, by its name."""
    writer = _Writer(types, ref_prefix)
    return {name: writer.write(shape) for name, shape in types.items()}


def annotated(field: s.Field, shape_schema: Schema) -> Schema:
    """The schema of a field: its shape's, with what is said of the field itself."""
    own: Schema = {}
    if field.title:
        own["title"] = field.title
    if field.docs:
        own["description"] = field.docs
    default = field.documented_default if field.default is UNSET else field.default
    is_lie = field.default is UNSET and not _may_be(default, shape_schema)
    if default is not UNSET and not is_lie:
        own |= {"default": default}
    if field.examples:
        own["examples"] = list(field.examples)
    if field.deprecated:
        own["deprecated"] = True
    if field.access != "both":
        own["readOnly" if field.access == "read" else "writeOnly"] = True
    if field.xml is not None:
        own["xml"] = _xml(field.xml)
    without_word = {
        "filled": True if field.default is not UNSET else None,
        "default": default if is_lie else None,
        "role": field.role or None,
        "read_scopes": list(field.read_scopes) or None,
        "write_scopes": list(field.write_scopes) or None,
    }
    # A record written in place may have a title and docs of its own, which the field's must not hide; and what is
    # said of a field that holds a schema as it is does not belong to that schema.
    is_schema = words.said(shape_schema).get("kind") == "json" and (own or any(without_word.values()))
    apart = not shape_schema.keys().isdisjoint(("title", "description", "xml")) or is_schema
    inner = {"allOf": [shape_schema]} if apart else shape_schema
    return words.saying(inner | own, **without_word)


def _may_be(default: Any, schema: Schema) -> bool:
    """Whether a foreign default is none that its schema forbids on the face of it, as some documents have them."""
    if default is UNSET or default is None:
        return True
    kind, kinds = kind_of(default), schema.get("type", ())
    kinds = (kinds,) if isinstance(kinds, str) else kinds
    of_type = not kinds or kind in kinds or (kind == "integer" and "number" in kinds)
    return of_type and default in schema.get("enum", (default,))


def _xml(form: s.XmlForm) -> Schema:
    """The `xml` object of OpenAPI (3.1, §4.8.26)."""
    out: Schema = {"attribute": True} if form.kind == "attribute" else {}
    if form.kind in ("text", "header"):
        out = words.saying(out, kind=form.kind)
    given = {"name": form.name, "namespace": form.namespace, "prefix": form.prefix, "wrapped": form.wrapped}
    return out | {name: value for name, value in given.items() if value}


class _Writer:
    def __init__(self, types: s.Types, ref_prefix: str) -> None:
        self._types = types
        self._prefix = ref_prefix

    def write(self, shape: s.Shape) -> Schema:
        match shape:
            case s.Ref(name=name):
                return {"$ref": self._prefix + escape(name)}
            case s.Nullable(shape=inner):
                return _nullable(self.write(inner))
            case s.List():
                return {"type": "array", "items": self._item(shape)} | _given(
                    minItems=shape.length_min,
                    maxItems=shape.length_max,
                    uniqueItems=shape.unique or None,
                    xml=None if shape.xml is None else _xml(shape.xml),
                )
            case s.Tuple(items=items):
                return self._tuple(items)
            case s.Map():
                return self._map(shape)
            case s.Record():
                return self._record(shape)
            case s.Page():
                return words.saying(self._record(shape.record), kind="page")
            case s.Union():
                return self._union(shape)
            case s.Json(schema=given):
                return _json(given)
            case s.Raw(media_type=media_type):
                return words.saying({"contentMediaType": media_type}, kind="raw")
            case _:
                return _SCALARS[type(shape)](shape)

    def _item(self, shape: s.List) -> Schema:
        item = self.write(shape.item)
        if shape.item_xml is None:
            return item
        return ({"allOf": [item]} if "xml" in item else item) | {"xml": _xml(shape.item_xml)}

    def _tuple(self, items: tuple[s.Shape, ...]) -> Schema:
        if not items:
            return words.saying({"type": "array", "maxItems": 0}, kind="tuple")
        written = [self.write(item) for item in items]
        return {"type": "array", "prefixItems": written, "items": False, "minItems": len(items)}

    def _map(self, shape: s.Map) -> Schema:
        out: Schema = {"type": "object", "additionalProperties": self.write(shape.value)}
        if shape.key != s.Text():
            key = self.write(shape.key)
            if kinds_of(shape.key, self._types) == {"string"}:
                out["propertyNames"] = key
            else:
                out = words.saying(out | {"propertyNames": {"pattern": words.INTEGER_PATTERN}}, key=key)
        return out | _given(minProperties=shape.length_min, maxProperties=shape.length_max)

    def _record(self, record: s.Record) -> Schema:
        expected = words.python_names(field.name for field in record.fields)
        properties = {}
        for field in record.fields:
            python = field.attribute if field.attribute != expected[field.name] else None
            properties[field.name] = words.saying(annotated(field, self.write(field.shape)), python=python)
        out: Schema = {"type": "object", "properties": properties}
        if required := [field.name for field in record.fields if field.required]:
            out["required"] = required
        if record.extras == "forbid":
            out["additionalProperties"] = False
        elif record.extras == "keep":
            out["additionalProperties"] = True if record.extra is None else self.write(record.extra)
        xml = None if record.xml is None else _xml(record.xml)
        return out | _given(title=record.title or None, description=record.docs or None, xml=xml)

    def _union(self, union: s.Union) -> Schema:
        arms = [self.write(arm) for arm in union.arms]
        if union.choose != "tag":
            plain = union.choose == "kind" and not any(isinstance(arm, s.Null) for arm in union.arms)
            return words.saying({"anyOf": arms}, choose=None if plain else union.choose)
        pairs = list(zip(union.arms, union.tags, strict=True))
        mapping = {tag: arm["$ref"] for arm, tag in zip(arms, union.tags, strict=True) if "$ref" in arm}
        out = {
            "oneOf": [self._tagged(arm, union.tag_field, tag) for arm, tag in pairs],
            "discriminator": {"propertyName": union.tag_field} | ({"mapping": mapping} if mapping else {}),
        }
        return words.saying(out, tags=list(union.tags))

    def _tagged(self, arm: s.Shape, tag_field: str, tag: str) -> Schema:
        """An arm that says its own tag, or is made to."""
        record = s.resolve(arm, self._types)
        field = record.field(tag_field) if isinstance(record, s.Record) else None
        if field is not None and field.required and field.shape == s.Enum(values=(s.EnumValue(wire=tag),)):
            return self.write(arm)
        says = {"type": "object", "properties": {tag_field: {"const": tag}}, "required": [tag_field]}
        return {"allOf": [self.write(arm), says]}


def _given(**keywords: Any) -> Schema:
    return {name: value for name, value in keywords.items() if value is not None}


def _nullable(inner: Schema) -> Schema:
    """The schema with null let in: by its type, where nothing else in it would keep null out."""
    as_it_is = "enum" in inner or "kind" in words.said(inner)
    if isinstance(inner.get("type"), str) and inner["type"] != "null" and not as_it_is:
        return inner | {"type": [inner["type"], "null"]}
    return {"anyOf": [inner, {"type": "null"}]}


def _int(shape: s.Int) -> Schema:
    low, high = int_bounds(shape)
    prefix = "int" if shape.signed else "uint"
    width = None if shape.bits is None else f"{prefix}{shape.bits}"
    bounds = _given(minimum=low, maximum=high, multipleOf=shape.multiple_of)
    if shape.wire == "text":
        return {"type": "string", "format": width or words.UNBOUNDED_INTEGER, "pattern": words.INTEGER_PATTERN} | bounds
    return {"type": "integer"} | _given(format=width) | bounds


def _float(shape: s.Float) -> Schema:
    return {"type": "number", "format": "float" if shape.bits == 32 else "double"} | _given(
        minimum=shape.minimum,
        maximum=shape.maximum,
        exclusiveMinimum=shape.exclusive_minimum,
        exclusiveMaximum=shape.exclusive_maximum,
    )


def _decimal(shape: s.Decimal) -> Schema:
    out: Schema = {"type": "number"}
    if shape.wire == "text":
        out = {"type": "string", "format": "decimal", "pattern": words.DECIMAL_PATTERN}
    bounds = _given(
        minimum=shape.minimum,
        maximum=shape.maximum,
        exclusiveMinimum=shape.exclusive_minimum,
        exclusiveMaximum=shape.exclusive_maximum,
        multipleOf=shape.multiple_of,
    )
    numbers = {name: _number(text) for name, text in bounds.items()}
    respelt = {name: text for name, text in bounds.items() if str(numbers[name]) != text}
    return words.saying(out | numbers, digits=shape.digits, scale=shape.scale, exact=respelt or None)


def _number(text: str) -> int | float:
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() and abs(number.adjusted()) < 300 else float(number)


def _text(shape: s.Text) -> Schema:
    rules = _given(format=shape.format, minLength=shape.length_min, maxLength=shape.length_max, pattern=shape.pattern)
    return words.saying({"type": "string"} | rules, kind="text" if words.is_typed_format(shape.format) else None)


def _bytes(shape: s.Bytes) -> Schema:
    in_hex = shape.encoding == "hex"
    out = {
        "type": "string",
        "contentEncoding": "base16" if in_hex else "base64",
        "pattern": words.HEX_PATTERN if in_hex else words.BASE64_PATTERN,
    }
    encoding = "raw" if shape.encoding == "raw" else None
    return words.saying(out, encoding=encoding, octets_min=shape.length_min, octets_max=shape.length_max)


def _file(shape: s.File) -> Schema:
    out = {"type": "string", "format": "binary"}
    return words.saying(out, media_types=list(shape.media_types) or None, octets_max=shape.bytes_max)


def _datetime(shape: s.DateTime) -> Schema:
    if shape.wire != "rfc3339":
        out = {"type": "number", "format": "unix-time" if shape.wire == "unix" else "unix-time-ms"}
        return words.saying(out, zone=None if shape.zone == "aware" else shape.zone)
    return _zoned("date-time", shape)


def _zoned(format: str, shape: s.DateTime | s.Time) -> Schema:
    zone = "any" if shape.zone == "any" else None
    out = {"type": "string", "format": f"{format}-local" if shape.zone == "naive" else format}
    return _precise(words.saying(out, zone=zone), shape)


def _precise(out: Schema, shape: Temporal) -> Schema:
    return words.saying(out, precision=None if shape.precision == "any" else shape.precision)


def _duration(shape: s.Duration) -> Schema:
    out = {"type": "string", "format": "duration"}
    return out if shape.precision == "any" else _precise(out | {"pattern": words.DURATION_PATTERN}, shape)


def _enum(shape: s.Enum) -> Schema:
    wires = [value.wire for value in shape.values]
    kinds = {kind_of(wire) for wire in wires}
    typed: Schema = {"type": kinds.pop()} if len(kinds) == 1 else {}
    out = typed | {"enum": wires}
    if shape.open:
        out = typed | {words.OPEN_VALUES: wires}
    if any(value.name for value in shape.values):
        out[words.VALUE_NAMES] = [value.name for value in shape.values]
    if any(value.docs for value in shape.values):
        out[words.VALUE_DOCS] = [value.docs for value in shape.values]
    return out


def _json(given: Any) -> Schema:
    if isinstance(given, bool):
        return words.saying({} if given else {"not": {}}, kind="json", boolean=given)
    out = words.saying(dict(given), kind="json")
    if "$defs" in given and "$id" not in given:
        # Its references are into itself, wherever it now stands.
        out["$id"] = json_id(given)
    return out


def json_id(given: Any) -> str:
    """The `$id` that is given to a schema with definitions of its own."""
    return f"{words.ID_PREFIX}{hashlib.sha256(msgspec.json.encode(given)).hexdigest()[:16]}"


_SCALARS: dict[type, Callable[[Any], Schema]] = {
    s.Anything: lambda _: {},
    s.Null: lambda _: {"type": "null"},
    s.Bool: lambda _: {"type": "boolean"},
    s.Int: _int,
    s.Float: _float,
    s.Decimal: _decimal,
    s.Text: _text,
    s.Bytes: _bytes,
    s.File: _file,
    s.Date: lambda _: {"type": "string", "format": "date"},
    s.Time: lambda shape: _zoned("time", shape),
    s.DateTime: _datetime,
    s.Duration: _duration,
    s.Uuid: lambda _: {"type": "string", "format": "uuid"},
    s.Enum: _enum,
}
