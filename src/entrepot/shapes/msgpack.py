"""Values as MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md): the data of JSON, octets as octets.

MessagePack has no decimals and no integer beyond 64 bits: where the shape has them, they are text. A number of which
nothing but that is known is a double where that holds it exactly, else text as well.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import datetime
import decimal
import functools
from collections.abc import Callable
from typing import Any

import msgspec

from entrepot.kit.pointers import escape
from entrepot.model import shape as s
from entrepot.model.fault import Issue
from entrepot.model.faults import Invalid, Malformed
from entrepot.shapes import guard, msgpack_scan
from entrepot.shapes.arms import Candidates
from entrepot.shapes.collisions import refuse_colliding
from entrepot.shapes.explain import fits
from entrepot.shapes.kinds import kinds_of
from entrepot.shapes.scalars import INTEGER, NUMBER, exact
from entrepot.shapes.traits import Trait
from entrepot.shapes.unsayable import Unsayable
from entrepot.shapes.values import Codec, Values

_read = msgspec.msgpack.Decoder().decode
_write = msgspec.msgpack.Encoder().encode
_LOW, _HIGH = -(2**63), 2**64 - 1
"""The integers that MessagePack has."""


class MsgPack:
    """Reads and writes values of one shape. Raises `Unsayable` for a shape that MessagePack cannot carry."""

    def __init__(self, codec: Codec, values: Values) -> None:
        self._codec = codec
        self._values = values
        if reason := unfit(codec.shape, values.types):
            raise Unsayable(reason)
        self._as_json = not any(map(_is_apart, s.reachable(codec.shape, values.types)))

    @functools.cached_property
    def decode(self) -> Callable[[bytes], Any]:
        """The value written in these octets. Raises `Malformed`, or `Invalid` with every issue and its pointer."""
        limits, shape, as_json, walk = self._values.limits, self._codec.shape, self._as_json, _Reading(self._values)
        of_plain, height = self._codec.of_plain, self._values.made.heights.of(self._codec.shape)
        hashed = Trait.HASHED in self._codec.traits
        as_json = as_json and not hashed and height is not None and height <= limits.depth_max

        def decode(data: bytes) -> Any:
            try:
                raw = _read(data)
                if len(_write(raw)) != len(data) or msgpack_scan.may_hold_times(data):
                    msgpack_scan.scan(data, limits)
                if as_json:
                    with contextlib.suppress(Invalid):
                        return of_plain(raw)
                plain = walk.whole(shape, raw)
            except RecursionError:
                raise _malformed(guard.too_deep(limits)) from None
            except (msgspec.DecodeError, UnicodeDecodeError, TypeError, ValueError, OverflowError) as broken:
                raise _malformed(Issue("", "syntax", f"is not MessagePack: {broken}")) from None
            if hashed:
                refuse_colliding(plain)
            return of_plain(plain)

        return decode

    @property
    def decode_trusted(self) -> Callable[[bytes], Any]:
        """As `decode`."""
        return self.decode

    @functools.cached_property
    def encode(self) -> Callable[[Any], bytes]:
        """The value as MessagePack. Raises `Unsayable` for a number that has no place in it."""
        to_plain, shape, as_json, walk = self._codec.to_plain, self._codec.shape, self._as_json, _Writing(self._values)

        def encode(value: Any) -> bytes:
            plain = to_plain(value)
            if as_json:
                with contextlib.suppress(OverflowError):
                    return _write(plain)
            return _write(walk.of(shape, plain, ""))

        return encode


def _is_apart(part: s.Shape) -> bool:
    """Whether values of a shape are written otherwise than in JSON, but for integers beyond 64 bits."""
    match part:
        case s.Bytes() | s.Anything() | s.Json() | s.Decimal(wire="number") | s.DateTime(wire="unix" | "unix_ms"):
            return True
        case s.Map(key=key):
            return not isinstance(key, s.Text)
        case s.Record():
            return part.extras == "keep" and part.extra is None
        case _:
            return False


def unfit(shape: s.Shape, types: s.Types) -> str:
    """Why values of a shape cannot be written as MessagePack; "" when they can."""
    mixed = any(isinstance(part, s.Union) and _is_mixed(part, types) for part in s.reachable(shape, types))
    return "MessagePack has no decimals, and beside text one would be taken for text" if mixed else ""


def _is_mixed(union: s.Union, types: s.Types) -> bool:
    """Whether a decimal that is a number stands beside text."""
    kinds = [kinds_of(arm, types) for arm in union.arms]
    decimals = any(isinstance(s.unwrap(arm, types), s.Decimal) for arm in union.arms)
    return decimals and any("number" in each for each in kinds) and any("string" in each for each in kinds)


def _malformed(issue: Issue) -> Malformed:
    return Malformed("the MessagePack could not be read", issues=(issue,))


class _Walk:
    def __init__(self, values: Values) -> None:
        self._types = values.types
        self._limits = values.limits
        self._candidates: dict[int, tuple[s.Union, Candidates]] = {}

    def _arms(self, union: s.Union, plain: Any) -> Any:
        found = self._candidates.get(id(union))
        if found is None:
            found = self._candidates[id(union)] = (union, Candidates(union, self._types))
        return found[1].of(plain)

    def _fits(self, shape: s.Shape, plain: Any) -> bool:
        return fits(shape, plain, self._types, self._limits)


class _Reading(_Walk):
    """What was read as the plain data that JSON would give; what is not of its shape stays what it is."""

    def __init__(self, values: Values) -> None:
        super().__init__(values)
        self._known: dict[tuple[int, int], Any] = {}
        """By union and by what was read, for as long as that is read: arms within arms would double at every level."""

    def whole(self, shape: s.Shape, raw: Any) -> Any:
        """All that was read."""
        try:
            return self.of(shape, raw, self._limits.depth_max)
        finally:
            self._known = {}

    def of(self, shape: s.Shape, raw: Any, left: int) -> Any:
        shape = s.resolve(shape, self._types)
        if isinstance(raw, dict | list):
            left -= 1
            if left < 0:
                raise RecursionError
        match shape, raw:
            case s.Nullable(shape=inner), _:
                return None if raw is None else self.of(inner, raw, left + isinstance(raw, dict | list))
            case s.Page(record=record), dict():
                return self._record(record, raw, left)
            case s.Record(), dict():
                return self._record(shape, raw, left)
            case s.Map(value=value), dict():
                return {key: self.of(value, each, left) for key, each in _members(raw).items()}
            case s.List(item=item), list():
                return [self.of(item, each, left) for each in raw]
            case s.Tuple(items=items), list() if len(items) == len(raw):
                return [self.of(item, each, left) for item, each in zip(items, raw, strict=True)]
            case s.Union(), _:
                return self._union(shape, raw, left)
            case s.Bytes(encoding="hex"), bytes():
                return raw.hex()
            case ((s.Decimal(wire="number") | s.DateTime(wire="unix" | "unix_ms")), str()) if NUMBER.fullmatch(raw):
                return exact(raw)
            case s.Int(wire="number"), str() if INTEGER.fullmatch(raw) and len(raw) <= self._limits.number_digits_max:
                number = int(raw)
                return raw if _LOW <= number <= _HIGH else number
            case _:
                return self._loose(raw, left)

    def _record(self, record: s.Record, raw: dict[Any, Any], left: int) -> dict[str, Any]:
        shapes = {field.name: field.shape for field in record.fields}
        extra = record.extra or s.Anything()
        return {name: self.of(shapes.get(name, extra), each, left) for name, each in _members(raw).items()}

    def _union(self, union: s.Union, raw: Any, left: int) -> Any:
        key = id(union), id(raw)
        if key not in self._known:
            self._known[key] = self._of_union(union, raw, left)
        return self._known[key]

    def _of_union(self, union: s.Union, raw: Any, left: int) -> Any:
        around = left + isinstance(raw, dict | list)
        loose = self._loose(raw, left)
        arms = self._arms(union, loose)
        if len(arms) == 1:
            return self.of(arms[0], raw, around)
        read = ((arm, self.of(arm, raw, around)) for arm in arms)
        return next((plain for arm, plain in read if self._fits(arm, plain)), loose)

    def _loose(self, raw: Any, left: int) -> Any:
        match raw:
            case dict():
                return {name: self.of(_ANYTHING, each, left) for name, each in _members(raw).items()}
            case list():
                return [self.of(_ANYTHING, each, left) for each in raw]
            case bytes():
                return base64.b64encode(raw).decode()
            case float():
                return exact(raw) if raw - raw == 0 else raw
            case datetime.datetime():
                return msgspec.to_builtins(raw)
            case _:
                return raw


_ANYTHING = s.Anything()


def _members(raw: dict[Any, Any]) -> dict[str, Any]:
    """By name, which may have been an integer."""
    if not all(type(key) is str or type(key) is int for key in raw):
        raise ValueError("a name is text or an integer")
    named = {str(key): each for key, each in raw.items()}
    if len(named) < len(raw):
        raise ValueError("a name is given more than once")
    return named


class _Writing(_Walk):
    """Plain data as MessagePack has it."""

    def of(self, shape: s.Shape, plain: Any, pointer: str) -> Any:
        shape = s.resolve(shape, self._types)
        match shape, plain:
            case s.Nullable(shape=inner), _:
                return None if plain is None else self.of(inner, plain, pointer)
            case s.Page(record=record), dict():
                return self._record(record, plain, pointer)
            case s.Record(), dict():
                return self._record(shape, plain, pointer)
            case s.Map(value=value), dict():
                return {name: self.of(value, each, f"{pointer}/{escape(name)}") for name, each in plain.items()}
            case s.List(item=item), list():
                return [self.of(item, each, f"{pointer}/{index}") for index, each in enumerate(plain)]
            case s.Tuple(items=items), list():
                pairs = enumerate(zip(items, plain, strict=True))
                return [self.of(item, each, f"{pointer}/{index}") for index, (item, each) in pairs]
            case s.Union(), _:
                return self._union(shape, plain, pointer)
            case s.Bytes(encoding=encoding), str():
                return _octets(plain, encoding)
            case s.Decimal(wire="number"), int() | decimal.Decimal():
                return str(plain)
            case _:
                return _loosely(plain)

    def _record(self, record: s.Record, plain: dict[str, Any], pointer: str) -> dict[str, Any]:
        shapes = {field.name: field.shape for field in record.fields}
        extra = record.extra or _ANYTHING
        return {
            name: self.of(shapes.get(name, extra), each, f"{pointer}/{escape(name)}") for name, each in plain.items()
        }

    def _union(self, union: s.Union, plain: Any, pointer: str) -> Any:
        arms = self._arms(union, plain)
        arm = arms[0] if len(arms) == 1 else next((arm for arm in arms if self._fits(arm, plain)), _ANYTHING)
        written = self.of(arm, plain, pointer)
        if isinstance(written, str) and not isinstance(plain, str) and "string" in kinds_of(union, self._types):
            raise Unsayable("MessagePack has no such number, and beside text it would be taken for text", pointer)
        return written


def _octets(text: str, encoding: str) -> bytes | str:
    try:
        return bytes.fromhex(text) if encoding == "hex" else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return text


def _loosely(plain: Any) -> Any:
    match plain:
        case dict():
            return {name: _loosely(each) for name, each in plain.items()}
        case list():
            return [_loosely(each) for each in plain]
        case int() if not _LOW <= plain <= _HIGH:
            return str(plain)
        case decimal.Decimal():
            nearest = float(plain)
            return nearest if nearest - nearest == 0 and exact(nearest) == plain else str(plain)
        case _:
            return plain
