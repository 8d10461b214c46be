"""The words that the JSON Schema writer and reader share: formats, patterns, our own keywords."""

from __future__ import annotations

import keyword
from collections.abc import Iterable

from entrepot.kit import names
from entrepot.model import shape as s

KIND = "x-entrepot-kind"
"""Which shape this is, where JSON Schema has no word for it: text, raw, tuple, page, json."""
ID = "x-entrepot-id"
"""The `$id` of a schema that stands in a document, where its references are the document's."""
ID_PREFIX = "urn:entrepot:schema:"
"""What the `$id` begins with that is given to a schema which has none."""
CHOOSE = "x-entrepot-choose"
TAGS = "x-entrepot-tags"
KEY = "x-entrepot-key"
ROLE = "x-entrepot-role"
PYTHON = "x-entrepot-python"
FILLED = "x-entrepot-filled"
"""The default is filled in where the member is absent; a foreign default is only told."""
READ_SCOPES = "x-entrepot-read-scopes"
WRITE_SCOPES = "x-entrepot-write-scopes"
XML_KIND = "x-entrepot-xml-kind"
ZONE = "x-entrepot-zone"
ENCODING = "x-entrepot-encoding"
MEDIA_TYPES = "x-entrepot-media-types"
OCTETS_MIN = "x-entrepot-octets-min"
OCTETS_MAX = "x-entrepot-octets-max"
DIGITS = "x-entrepot-digits"
SCALE = "x-entrepot-scale"
EXACT = "x-entrepot-exact"
"""Bounds of a decimal that a JSON number would respell, as text."""
BOOLEAN = "x-entrepot-boolean"
OPEN_VALUES = "x-extensible-enum"
VALUE_NAMES = "x-enum-varnames"
VALUE_DOCS = "x-enum-descriptions"

INTEGER_PATTERN = r"^-?(0|[1-9][0-9]{0,999})$"
DECIMAL_PATTERN = r"^-?(0|[1-9][0-9]{0,499})(\.[0-9]{1,500})?([eE][+-]?[1-4]?[0-9]{1,2})?$"
"""Written out, no such decimal has more digits than the usual `Limits.number_digits_max`."""
BASE64_PATTERN = r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
HEX_PATTERN = r"^([0-9a-fA-F]{2})*$"
DURATION_PATTERN = r"^[+-]?P([0-9]+D|([0-9]+D)?T([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]{1,6})?S)?)$"

INTEGERS: dict[str, s.Int] = {
    f"{'' if signed else 'u'}int{bits}": s.Int(bits=bits, signed=signed)
    for bits in (8, 16, 32, 64)
    for signed in (True, False)
}  # fmt: skip
UNBOUNDED_INTEGER = "integer"
"""The format of an integer in a string that has no width."""
STRINGS: dict[str, s.Shape] = {
    "date": s.Date(),
    "date-time": s.DateTime(zone="aware"),
    "date-time-local": s.DateTime(zone="naive"),
    "time": s.Time(zone="aware"),
    "time-local": s.Time(zone="naive"),
    "duration": s.Duration(),
    "uuid": s.Uuid(),
    "byte": s.Bytes(),
    "binary": s.File(),
    "decimal": s.Decimal(wire="text"),
    UNBOUNDED_INTEGER: s.Int(wire="text"),
}
"""What a string of each format is; any other format is only an annotation."""
UNIX_TIMES: dict[str, s.DateTime] = {
    "unix-time": s.DateTime(wire="unix"),
    "unix-time-ms": s.DateTime(wire="unix_ms"),
}


UNTYPED = frozenset(
    {
        "not", "if", "then", "else", "patternProperties", "contains", "minContains", "maxContains",
        "dependentSchemas", "dependentRequired", "dependencies", "unevaluatedItems", "$dynamicRef", "$recursiveRef",
    }
)  # fmt: skip
"""Keywords of logic that no typed shape has; a schema with one of them stays a schema."""


def is_typed_format(format: str | None) -> bool:
    """Whether a string of this format is more than text."""
    return format in STRINGS or format in INTEGERS


def python_names(wire_names: Iterable[str]) -> dict[str, str]:
    """The attribute for each name of a record: the name itself where Python takes it, else in snake_case."""
    taken: set[str] = set()
    found: dict[str, str] = {}
    for name in wire_names:
        usable = name.isidentifier() and name.isascii() and not keyword.iskeyword(name) and not name.startswith("_")
        candidate = name if usable and name == name.lower() else names.snake(name)
        found[name] = names.unique(candidate, taken)
    return found
