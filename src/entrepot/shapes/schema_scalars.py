"""The scalar schemas as shapes."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec

from entrepot.model import shape as s
from entrepot.shapes import schema_words as words
from entrepot.shapes.kinds import kind_of
from entrepot.shapes.scalars import exact, int_bounds
from entrepot.shapes.schema_document import Schema, as_list

_ENUMERABLE = ("string", "integer", "boolean", "null")


def read_enum(schema: Schema) -> s.Shape | None:
    """The shape of `enum` or `const`; None when a value is not one of the plain scalars.

    A value that the schema's own `type` forbids can never occur, and is left out.
    """
    listed = [schema["const"]] if "const" in schema else as_list(schema["enum"])
    types = as_list(schema["type"]) if "type" in schema else None
    kept = [wire for wire in listed if types is None or kind_of(wire) in types or _fits_number(wire, types)]
    unique = list({(type(wire), str(wire)): wire for wire in kept}.values())
    if not unique or any(kind_of(wire) not in _ENUMERABLE for wire in unique):
        return None
    if unique == [None]:
        return s.Null()
    nullable = None in unique and (types is not None and "null" in types)
    wires = [wire for wire in unique if wire is not None] if nullable else unique
    names, docs = _told(schema, words.VALUE_NAMES, listed), _told(schema, words.VALUE_DOCS, listed)
    values = tuple(
        s.EnumValue(wire=wire, name=names.get(_key(wire), ""), docs=docs.get(_key(wire), "")) for wire in wires
    )
    return s.Nullable(shape=s.Enum(values=values)) if nullable else s.Enum(values=values)


def _fits_number(wire: Any, types: list[Any]) -> bool:
    return kind_of(wire) == "integer" and "number" in types


def _key(wire: Any) -> tuple[type, str]:
    return type(wire), str(wire)


def _told(schema: Schema, keyword: str, listed: list[Any]) -> dict[tuple[type, str], str]:
    """What an extension says of each value, in the order of the values."""
    told = schema.get(keyword)
    if not isinstance(told, list) or len(told) != len(listed):
        return {}
    return {_key(wire): text for wire, text in zip(listed, told, strict=True) if isinstance(text, str)}


def read_count(schema: Schema, keyword: str) -> int | None:
    """A length or a number of items; None where it says nothing."""
    said = schema.get(keyword)
    if isinstance(said, bool) or not isinstance(said, int | float | Decimal) or said < 0 or said != int(said):
        return None
    return int(said) or None if keyword.startswith("min") else int(said)


def read_number(kind: str, schema: Schema) -> s.Shape:
    """The shape of `type: integer` or `type: number`."""
    format = schema.get("format")
    if words.OPEN_VALUES in schema:
        return read_open_enum(schema)
    if format in words.UNIX_TIMES:
        return msgspec.structs.replace(words.UNIX_TIMES[format], zone=words.said(schema).get("zone", "aware"))
    if kind == "integer":
        return read_int(schema, "number")
    if format in ("float", "double") and "multipleOf" not in schema:
        return s.Float(
            bits=32 if format == "float" else 64,
            minimum=_float(schema, "minimum"),
            maximum=_float(schema, "maximum"),
            exclusive_minimum=_float(schema, "exclusiveMinimum"),
            exclusive_maximum=_float(schema, "exclusiveMaximum"),
        )
    return read_decimal(schema, "number")


def read_int(schema: Schema, wire: Any) -> s.Int:
    """An integer; bounds that its width implies anyway are left out."""
    base = msgspec.structs.replace(words.INTEGERS.get(schema.get("format") or "", s.Int()), wire=wire)
    low, high = _int(schema, "minimum", round_up=True), _int(schema, "maximum", round_up=False)
    above, below = _int(schema, "exclusiveMinimum", round_up=False), _int(schema, "exclusiveMaximum", round_up=True)
    lows = [bound for bound in (low, None if above is None else above + 1) if bound is not None]
    highs = [bound for bound in (high, None if below is None else below - 1) if bound is not None]
    least, most = int_bounds(base)
    return msgspec.structs.replace(
        base,
        minimum=_unless(least, max(lows, default=None)),
        maximum=_unless(most, min(highs, default=None)),
        multiple_of=_step(schema),
    )


def _step(schema: Schema) -> int | None:
    """An integer is a multiple of 7/2 exactly when it is one of 7."""
    if "multipleOf" not in schema:
        return None
    numerator = Fraction(_bound(schema, "multipleOf")).numerator
    return numerator if numerator > 1 else None


def _unless(implied: int | None, bound: int | None) -> int | None:
    return None if bound == implied else bound


def read_decimal(schema: Schema, wire: Any) -> s.Decimal:
    """An exact decimal, with bounds as they were written."""
    return s.Decimal(
        digits=words.said(schema).get("digits"),
        scale=words.said(schema).get("scale"),
        minimum=_exact(schema, "minimum"),
        maximum=_exact(schema, "maximum"),
        exclusive_minimum=_exact(schema, "exclusiveMinimum"),
        exclusive_maximum=_exact(schema, "exclusiveMaximum"),
        multiple_of=_exact(schema, "multipleOf"),
        wire=wire,
    )


def read_string(schema: Schema) -> s.Shape:
    """The shape of `type: string`, by its format and encoding."""
    if words.OPEN_VALUES in schema:
        return read_open_enum(schema)
    own, encoding = words.said(schema), schema.get("contentEncoding")
    if encoding in ("base64", "base16"):
        plain = "hex" if encoding == "base16" else "base64"
        return s.Bytes(
            encoding=own.get("encoding", plain),
            length_min=own.get("octets_min"),
            length_max=own.get("octets_max"),
        )
    format = schema.get("format")
    known = words.STRINGS.get(format) if isinstance(format, str) else None
    match known:
        case s.Decimal():
            return read_decimal(schema, "text")
        case s.File():
            return s.File(
                media_types=tuple(own.get("media_types", ())),
                bytes_max=own.get("octets_max"),
            )
        case s.DateTime() | s.Time():
            return msgspec.structs.replace(known, zone=own.get("zone", known.zone), precision=_precision(own))
        case s.Duration():
            return msgspec.structs.replace(known, precision=_precision(own))
        case None | s.Int():
            if isinstance(format, str) and (known is not None or format in words.INTEGERS):
                return read_int(schema, "text")
            return _text(schema)
        case _:
            return known


def _precision(own: dict[str, Any]) -> s.Precision:
    return "microsecond" if own.get("precision") == "microsecond" else "any"


def _text(schema: Schema) -> s.Text:
    pattern, format = schema.get("pattern"), schema.get("format")
    return s.Text(
        length_min=read_count(schema, "minLength"),
        length_max=read_count(schema, "maxLength"),
        pattern=pattern if isinstance(pattern, str) else None,
        format=format if isinstance(format, str) else None,
    )


def read_open_enum(schema: Schema) -> s.Shape:
    """An enumeration that takes values it does not list."""
    closed = read_enum(schema | {"enum": schema[words.OPEN_VALUES]})
    if isinstance(closed, s.Enum):
        return msgspec.structs.replace(closed, open=True)
    return s.Text()


def _float(schema: Schema, keyword: str) -> float | None:
    return float(_bound(schema, keyword)) if keyword in schema else None


def _int(schema: Schema, keyword: str, *, round_up: bool) -> int | None:
    if keyword not in schema:
        return None
    bound = _bound(schema, keyword)
    return int(bound.to_integral_value("ROUND_CEILING" if round_up else "ROUND_FLOOR"))


def _exact(schema: Schema, keyword: str) -> str | None:
    if keyword not in schema:
        return None
    respelt = words.said(schema).get("exact", {})
    if keyword in respelt:
        return str(respelt[keyword])
    bound = _bound(schema, keyword)
    return str(int(bound)) if bound == bound.to_integral_value() and isinstance(schema[keyword], int) else str(bound)


def _bound(schema: Schema, keyword: str) -> Decimal:
    """Raises ValueError for what is no number."""
    said = schema[keyword]
    if isinstance(said, bool) or not isinstance(said, int | float | Decimal):
        raise ValueError(f"{keyword} is not a number")
    return exact(said)
