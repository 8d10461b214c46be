"""The values of a service: a class for each shape, and codecs compiled once.

This is the way in to the room. Everything is made on first use and kept for the life of the
`Values`, so a large contract costs only what is called.
"""

from __future__ import annotations

import decimal
import functools
import hashlib
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model import shape as s
from entrepot.model.fault import Issue
from entrepot.model.faults import Invalid, Malformed
from entrepot.shapes import authored, doubts, guard
from entrepot.shapes.class_defaults import filled
from entrepot.shapes.classes import Classes
from entrepot.shapes.collisions import colliding
from entrepot.shapes.explain import explain
from entrepot.shapes.integers import Integers
from entrepot.shapes.later import later
from entrepot.shapes.plain import UNREADABLE, malformed, plain_of
from entrepot.shapes.plain import read as read_plain
from entrepot.shapes.plain import write as write_plain
from entrepot.shapes.traits import Trait
from entrepot.shapes.wire_form import WireForms

Read = Callable[[Any], Any]


class Codec:
    """Reads and writes values of one shape as JSON.

    Each of its methods is compiled when it is first asked for. All but `type` raise TypeError
    for a shape that has no JSON form, because it holds a file or a raw body.
    """

    def __init__(self, shape: s.Shape, values: Values) -> None:
        self.shape = shape
        self._values = values

    @functools.cached_property
    def type(self) -> Any:
        """The Python type of the shape's values."""
        return self._values.made.value_class(self.shape)

    @functools.cached_property
    def decode(self) -> Callable[[bytes], Any]:
        """The value written in JSON bytes.

        Raises `Malformed` (not JSON, not UTF-8, a repeated name, too deep) or `Invalid` with
        every issue and its pointer, relative to the value.
        """
        return self._soon(lambda: self._decoder(trusted=False), lambda data: self._read_slowly(data, trusted=False))

    @functools.cached_property
    def decode_trusted(self) -> Callable[[bytes], Any]:
        """As `decode`, but faster: repeated names and depth are not looked for.

        For replies of upstreams, not for callers' requests: of a repeated name the last wins.
        """
        return self._soon(lambda: self._decoder(trusted=True), lambda data: self._read_slowly(data, trusted=True))

    @functools.cached_property
    def encode(self) -> Callable[[Any], bytes]:
        """The value as JSON. Raises TypeError on a value that has no JSON form. It checks nothing else."""
        self._refuse_without_json()
        write = msgspec.json.Encoder(enc_hook=_write_hook, decimal_format=self._decimal_format).encode
        rewrite = self._rewrite
        return write if rewrite is None else lambda value: write(rewrite(value))

    @functools.cached_property
    def of_plain(self) -> Callable[[Any], Any]:
        """The value for plain JSON data (dicts, lists, scalars, Decimals), checked as `decode` does."""
        shape, values = self.shape, self._values
        return self._soon(self._of_plain, lambda plain: values.assembled(shape, plain))

    def _of_plain(self) -> Callable[[Any], Any]:
        read, shape, values = self._read, self.shape, self._values

        def of_plain(plain: Any) -> Any:
            try:
                value = read(plain)
            except (ValueError, TypeError, RecursionError):
                return values.read_thoroughly(shape, plain)
            if (
                guard.may_be_unsound(plain, values.limits)
                and (fault := values.fault_in_plain(shape, plain)) is not None
            ):
                raise fault
            return value

        return of_plain

    @functools.cached_property
    def to_plain(self) -> Callable[[Any], Any]:
        """The value as plain JSON data; absent members are absent, decimal numbers stay Decimals."""
        self._refuse_without_json()
        rewrite = self._rewrite
        kept = (decimal.Decimal,) if self._decimal_format == "number" else ()

        def to_plain(value: Any) -> Any:
            value = value if rewrite is None else rewrite(value)
            return msgspec.to_builtins(value, builtin_types=kept, str_keys=True, enc_hook=_write_hook)

        return to_plain

    def accepts(self, value: Any) -> bool:
        """Whether a Python value made by a handler is of this shape, all the way down. Slow: for tests and `dev`."""
        return not self.issues(value)

    def issues(self, value: Any) -> list[Issue]:
        """What is wrong with a Python value, as `explain` says it of its plain form."""
        try:
            plain = self.to_plain(value)
        except (TypeError, ValueError, AttributeError) as error:
            return [Issue("", "type", str(error))]
        if self._takes(plain):
            return []
        issues = explain(self.shape, plain, self._values.types, self._values.limits)
        if not issues and write_plain(self._values.respelt(self.shape, plain)) != write_plain(plain):
            return [Issue("", "type", "holds a float or a decimal where an integer is expected")]
        return issues

    def _takes(self, plain: Any) -> bool:
        """Whether plain data is of the shape; it may be so all the same when this says no."""
        try:
            self._read(plain)
        except (ValueError, TypeError, RecursionError):
            return False
        return not guard.may_be_unsound(plain, self._values.limits)

    @functools.cached_property
    def holds(self) -> Callable[[Any], bool]:
        """Whether a value can be of the shape, as far as its Python types say: what tells the arms of a union apart."""
        return WireForms(self._values.made, decimals_mixed=False).is_of(self.shape)

    @functools.cached_property
    def _read(self) -> Callable[[Any], Any]:
        self._refuse_without_json()
        return self._values.made.reader(self.shape)

    def _soon(self, compiled: Callable[[], Read], slowly: Read) -> Read:
        """What `compiled` makes; while that would take long, the slow way to the same."""
        self._refuse_without_json()
        if self._values.made.is_soon_ready(self.shape):
            return compiled()
        read = slowly

        def compile_it() -> None:
            nonlocal read
            read = compiled()

        later(compile_it)
        return lambda given: read(given)

    def _read_slowly(self, data: bytes, *, trusted: bool) -> Any:
        values = self._values
        if (fault := values.fault_in(self.shape, data, trusted=trusted)) is not None:
            raise fault
        if Trait.HASHED in self.traits and (issue := colliding(data)) is not None:
            raise malformed(issue)
        return values.made.assembly.of(self.shape, plain_of(data, values.limits))

    def _decoder(self, *, trusted: bool) -> Callable[[bytes], Any]:
        self._refuse_without_json()
        values, shape, limits = self._values, self.shape, self._values.limits
        made = values.made
        number = guard.number_hook(limits) if Trait.UNTYPED in self.traits else decimal.Decimal
        read = msgspec.json.Decoder(made.of(shape), dec_hook=made.read_hook, float_hook=number).decode
        fills, hashed = Trait.CLASS_DEFAULTS in self.traits, Trait.HASHED in self.traits
        check, doubt = made.checks.of(shape), self._doubt(trusted)

        def decode(data: bytes) -> Any:
            try:
                if hashed and (issue := colliding(data)) is not None:
                    raise malformed(issue)
                value = read(data)
                suspect = doubt(data, value) or (check is not None and not check(read_plain(data)))
            except UNREADABLE:
                if (fault := values.fault_in(shape, data, trusted=trusted)) is not None:
                    raise fault from None
                return values.read_thoroughly(shape, plain_of(data, limits))
            if fills:
                filled(value)
            if suspect and (found := values.fault_in(shape, data, trusted=trusted)) is not None:
                raise found
            return value

        return decode

    def _doubt(self, trusted: bool) -> doubts.Doubt:
        made, limits = self._values.made, self._values.limits
        if trusted:
            return doubts.of_reply(self.traits, limits)
        # An author's own class may write itself at a price, or not at all.
        write = None if made.has_pydantic else self.encode
        return doubts.of_request(self.traits, made.heights.of(self.shape), limits, write)

    @functools.cached_property
    def traits(self) -> Trait:
        """What is true of the shape or of anything it leads to."""
        return self._values.made.checks.traits.of(self.shape)

    @functools.cached_property
    def _decimal_format(self) -> Any:
        return "number" if self.traits & (Trait.DECIMAL_NUMBER | Trait.UNTYPED) else "string"

    @functools.cached_property
    def _rewrite(self) -> Callable[[Any], Any] | None:
        return WireForms(self._values.made, decimals_mixed=self._decimal_format == "number").of(self.shape)

    def _refuse_without_json(self) -> None:
        if Trait.BINARY in self.traits:
            raise TypeError("the shape holds a file or a raw body, which has no JSON form")


class Values:
    """Classes and codecs for the shapes of one service.

    `classes` are the author's own Python classes by type name; a shape without one gets a
    class made for it.
    """

    def __init__(
        self, types: s.Types, classes: Mapping[str, Any] | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self.types = types
        self.classes = classes or {}
        self.limits = limits
        self.made = _classes(types, self.classes, limits)
        self._codecs: dict[bytes, Codec] = {}

    def codec(self, shape: s.Shape) -> Codec:
        """The codec of a shape; the same one for equal shapes."""
        key = msgspec.json.encode(shape)
        codec = self._codecs.get(key)
        if codec is None:
            codec = self._codecs[key] = Codec(shape, self)
        return codec

    def fault_in(self, shape: s.Shape, data: bytes, *, trusted: bool) -> Malformed | Invalid | None:
        """The fault for JSON bytes, if anything is wrong with them: the slow and thorough way."""
        try:
            plain = plain_of(data, self.limits)
        except Malformed as fault:
            return fault
        if not trusted and (issues := guard.issues(data, self.limits)):
            return malformed(*issues)
        return self.fault_in_plain(shape, plain)

    def fault_in_plain(self, shape: s.Shape, plain: Any) -> Invalid | None:
        """The fault for plain data, if it is not of the shape."""
        issues = explain(shape, plain, self.types, self.limits)
        return _invalid(*issues) if issues else None

    def assembled(self, shape: s.Shape, plain: Any) -> Any:
        """The value for plain data, without msgspec. Raises `Invalid` with every issue."""
        if (fault := self.fault_in_plain(shape, plain)) is not None:
            raise fault
        return self.made.assembly.of(shape, plain)

    def respelt(self, shape: s.Shape, plain: Any) -> Any:
        """Plain data that is of the shape, with its integers spelt as integers."""
        return Integers(self.types, self.limits).respelt(shape, plain)

    def read_thoroughly(self, shape: s.Shape, plain: Any) -> Any:
        """The value for plain data that was refused at first: right it may be, if an integer is spelt `1.0`.

        Raises `Invalid` with every issue. What breaks a rule of an author's own class
        (`__post_init__`, a validator) has one, with that rule's message and no place.
        """
        if (fault := self.fault_in_plain(shape, plain)) is not None:
            raise fault from None
        try:
            return self.made.reader(shape)(self.respelt(shape, plain))
        except (ValueError, TypeError, RecursionError) as error:
            raise _invalid(Issue("", "format", str(error))) from None


_shared: weakref.WeakValueDictionary[bytes, Classes] = weakref.WeakValueDictionary()


def _classes(types: s.Types, classes: Mapping[str, Any], limits: Limits) -> Classes:
    """The classes of these types: the same ones for equal types.

    msgspec and typing keep classes in caches of their own, so a contract that is loaded again
    must not make new ones.
    """
    if classes:
        return Classes(types, classes, limits)
    key = hashlib.sha256(msgspec.json.encode((types, limits))).digest()
    made = _shared.get(key)
    if made is None:
        made = _shared[key] = Classes(types, classes, limits)
    return made


def _invalid(*issues: Issue) -> Invalid:
    return Invalid("the input does not fit its type", issues=issues)


def _write_hook(value: Any) -> Any:
    if authored.is_pydantic(type(value)):
        return authored.dump_pydantic(value)
    raise TypeError(f"a {type(value).__qualname__} has no JSON form")
