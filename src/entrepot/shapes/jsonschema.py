"""Values under a JSON Schema that has no typed shape: checked by the `jsonschema-rs` package.

The package is the extra `jsonschema`: its compiled library is many times the size of the
platform, and few contracts need it. It is loaded when the first such schema is.
"""

from __future__ import annotations

import decimal
import importlib.util
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from entrepot.kit.pointers import pointer as pointer_of
from entrepot.model.fault import Issue
from entrepot.shapes.schema_drafts import is_draft_4, modern
from entrepot.shapes.schema_trials import trials

_validators: dict[bytes, Any] = {}
_VALIDATORS_MAX = 256
_BACKTRACKS_MAX = 10_000
"""Most steps back of a pattern that looks around; of the others the package needs none."""
_TRIALS_MAX = 1000
"""Most ways to be held against a schema for which the errors of a value are looked for one by one."""
_MASK = "the value"
"""What messages say in place of a value, which may be long or secret."""
_exact = msgspec.json.Decoder(float_hook=decimal.Decimal)
_exactly = msgspec.json.Encoder(decimal_format="number")


def is_installed() -> bool:
    """Whether the package is there, without loading it."""
    return importlib.util.find_spec("jsonschema_rs") is not None


def unchecked(schema: Mapping[str, Any] | bool) -> bool:
    """Whether the schema takes every value, so that nothing needs to be installed for it."""
    return schema is True or schema == {}


def accepts(schema: Mapping[str, Any] | bool, plain: Any) -> bool:
    """Whether plain data is valid under the schema."""
    if unchecked(schema):
        return True
    try:
        return bool(validator(schema).is_valid(plain))
    except ValueError:  # a key that is no text, say, or a subclass of what JSON has
        return bool(validator(schema).is_valid(_as_written(plain)))


def issues(schema: Mapping[str, Any] | bool, plain: Any, pointer: str) -> Iterator[Issue]:
    """Each error of plain data under the schema; one for all where looking for each might take for ever."""
    if accepts(schema, plain):
        return
    if trials(schema) > _TRIALS_MAX:
        yield Issue(pointer, "variant", "is not valid under its schema")
        return
    for error in validator(schema).iter_errors(_as_written(plain)):
        yield Issue(pointer + pointer_of(error.instance_path), _CODES.get(_keyword(error), "variant"), error.message)


def validator(schema: Mapping[str, Any] | bool) -> Any:
    """The compiled schema. Raises TypeError when the extra is missing or the schema is not one."""
    key = msgspec.json.encode(schema)
    found = _validators.get(key)
    if found is None:
        found = _compile(schema)
        if len(_validators) >= _VALIDATORS_MAX:
            _validators.pop(next(iter(_validators)))
        _validators[key] = found
    return found


def _compile(schema: Mapping[str, Any] | bool) -> Any:
    try:
        import jsonschema_rs
    except ModuleNotFoundError:
        raise TypeError(
            "a JSON Schema without a typed shape needs the jsonschema-rs package: install entrepot[jsonschema]"
        ) from None
    document = modern(schema) if is_draft_4(schema) else schema if isinstance(schema, bool) else dict(schema)
    patterns = jsonschema_rs.FancyRegexOptions(backtrack_limit=_BACKTRACKS_MAX)
    try:
        # Offline, or a `$schema` or `$id` of the document's choosing would be fetched.
        return jsonschema_rs.Draft202012Validator(document, mask=_MASK, offline=True, pattern_options=patterns)
    except ValueError as error:
        raise TypeError(f"not a JSON Schema: {error}") from None


def _as_written(plain: Any) -> Any:
    """The same data as it is once it has been JSON text."""
    return _exact.decode(_exactly.encode(plain))


def _keyword(error: Any) -> str:
    path = [str(part) for part in error.schema_path]
    return path[-1] if path else ""


_CODES = {
    "type": "type",
    "required": "missing",
    "additionalProperties": "unknown",
    "unevaluatedProperties": "unknown",
    "enum": "enum",
    "const": "enum",
    "minLength": "length",
    "maxLength": "length",
    "minItems": "length",
    "maxItems": "length",
    "minProperties": "length",
    "maxProperties": "length",
    "minimum": "range",
    "maximum": "range",
    "exclusiveMinimum": "range",
    "exclusiveMaximum": "range",
    "multipleOf": "range",
    "pattern": "pattern",
    "format": "format",
    "uniqueItems": "unique",
}
