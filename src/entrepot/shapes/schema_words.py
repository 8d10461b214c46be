"""The words that the JSON Schema writer and reader share: formats, patterns, our own keywords."""

from __future__ import annotations

import keyword
from collections.abc import Iterable
from typing import Any

from entrepot.kit import names
from entrepot.model import shape as s

OURS = "x-entrepot"
"""The member for all that a contract language has no word for: in schemas, and wherever else in a contract.

In a schema it says, where JSON Schema cannot: `kind`, which shape this is (text, raw, tuple, page, json), with
`id` the `$id` of a schema whose references are the document's, and `boolean` one that is true or false; of a union
`choose` and `tags`; of a map `key`; of a field `role`, `python`, `read_scopes`, `write_scopes`, and `filled`, that
its default is filled in where the member is absent (a foreign default is only told), and `default`, a foreign
one that its own schema forbids; of scalars `zone`,
`precision` (of a time that is taken to the microsecond only), `encoding`, `media_types`, `octets_min`, `octets_max`,
`digits`, `scale`, and `exact`, bounds of a decimal as text that a JSON number would respell."""
ITEM_SCHEMA = "x-item-schema"
"""In a media type: the schema of one item of a stream (OpenAPI 3.2 calls it `itemSchema`)."""
ID_PREFIX = "urn:entrepot:schema:"
"""What the `$id` begins with that is given to a schema which has none."""
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
    "date-time": s.DateTime(zone="aware", precision="any"),
    "date-time-local": s.DateTime(zone="naive", precision="any"),
    "time": s.Time(zone="aware", precision="any"),
    "time-local": s.Time(zone="naive", precision="any"),
    "duration": s.Duration(precision="any"),
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


def said(schema: Any) -> dict[str, Any]:
    """What a schema says in the member of ours."""
    found = schema.get(OURS) if isinstance(schema, dict) else None
    return found if isinstance(found, dict) else {}


def saying(schema: dict[str, Any], **words: Any) -> dict[str, Any]:
    """The schema with these words in the member of ours too; a word of None is not said."""
    own = said(schema) | {word: value for word, value in words.items() if value is not None}
    return schema | {OURS: own} if own else schema


def is_typed_format(format: str | None) -> bool:
    """Whether a string of this format is more than text."""
    return format in STRINGS or format in INTEGERS


def python_names(wire_names: Iterable[str]) -> dict[str, str]:
    """The attribute for each name of a record: the name itself where Python takes it, else in snake_case."""
    taken: dict[str, int] = {}
    found: dict[str, str] = {}
    for name in wire_names:
        usable = name.isidentifier() and name.isascii() and not keyword.iskeyword(name) and not name.startswith("_")
        candidate = name if usable and name == name.lower() else names.snake(name)
        found[name] = names.unique(candidate, taken)
    return found
