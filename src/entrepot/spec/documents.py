"""Foreign interface documents as plain values: JSON or YAML, told apart by how they begin."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from entrepot.kit.diagnostics import Diagnostic, Place, Refused
from entrepot.shapes.document import Document
from entrepot.spec import codes
from entrepot.spec.units import decimal

if TYPE_CHECKING:
    from entrepot.spec.yaml import Parsed

BYTES_MAX = 32 * 1024 * 1024
"""Longest document that is read."""

_BYTE_OFFSET = re.compile(r"\(byte (\d+)\)")


def read(content: bytes, source: str) -> Document:
    """A document from outside, every duplicate key refused. Raises `Refused`. Decimals stay exact."""
    return Document(read_yaml(content, source).value if not is_json(content) else _read_json(content, source), source)


def _read_json(content: bytes, source: str) -> Any:
    _check_size(content, source)
    try:
        return json.loads(content, parse_float=decimal, parse_constant=_no_number, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise Refused([_unreadable(source, _json_reason(error), json_place(content, source, error))]) from None


def read_pinned(content: bytes, source: str) -> Document:
    """The same for a document whose bytes `read` has seen before: several times faster."""
    if not is_json(content):
        return Document(read_yaml(content, source).value, source)
    _check_size(content, source)
    try:
        return Document(_DECODER.decode(content), source)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Refused([_unreadable(source, _json_reason(error), json_place(content, source, error))]) from None


def is_json(content: bytes) -> bool:
    """Whether a document is JSON rather than YAML, by its first character."""
    return content.lstrip()[:1] in (b"{", b"[")


_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=decimal)


def read_yaml(content: bytes, source: str) -> Parsed:
    """A document that is YAML, with the place of each of its parts. Raises `Refused`."""
    from entrepot.spec import yaml  # JSON needs none of it

    return yaml.read(content, source, yaml.YamlLimits(bytes_max=BYTES_MAX))


def _check_size(content: bytes, source: str) -> None:
    if len(content) > BYTES_MAX:
        raise Refused([_unreadable(source, f"it is longer than {BYTES_MAX} bytes", Place(source, 1, 1))])


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise ValueError(f"the key {twice!r} is given twice in one object")
    return members


def _no_number(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")


def _json_reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return error.msg
    return _BYTE_OFFSET.sub("", str(error)).strip()


def json_place(content: bytes, source: str, error: Exception) -> Place:
    """Where a decoder stopped; the whole document when it does not tell."""
    if isinstance(error, json.JSONDecodeError):
        return Place(source, error.lineno, error.colno)
    if isinstance(error, UnicodeDecodeError):
        return _place_at(content, source, error.start)
    found = _BYTE_OFFSET.search(str(error))
    if found is None:
        return Place(source, 1, 1)
    return _place_at(content, source, int(found[1]))


def _place_at(content: bytes, source: str, index: int) -> Place:
    before = content[:index].decode(errors="replace")
    return Place(source, before.count("\n") + 1, len(before) - before.rfind("\n"))


def _unreadable(source: str, reason: str, place: Place) -> Diagnostic:
    return Diagnostic(
        codes.DOCUMENT_UNREADABLE,
        f"the document cannot be read: {reason}",
        place,
        f"Correct {source}, or import it again from where it came.",
    )
