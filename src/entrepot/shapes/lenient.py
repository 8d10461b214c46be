"""Values of an upstream's replies, repaired where they are not what the contract says."""

from __future__ import annotations

import decimal
import functools
from collections.abc import Callable
from typing import Any

import msgspec

from entrepot.kit.limits import Limits
from entrepot.model import shape as s
from entrepot.model.fault import Issue
from entrepot.model.faults import Invalid
from entrepot.shapes.repair import repair
from entrepot.shapes.values import Codec, Values

Told = Callable[[tuple[Issue, ...]], bool]
"""Takes what was wrong with a value. False where nobody listens: it is refused then."""

_plain = msgspec.json.Decoder(float_hook=decimal.Decimal).decode


class LenientValues(Values):
    """As `Values`, but what is read is repaired where it has to be: for what upstreams say, never for callers."""

    def __init__(self, types: s.Types, limits: Limits, told: Told) -> None:
        super().__init__(types, limits=limits)
        self.told = told
        self._lenient: dict[bytes, Codec] = {}

    def codec(self, shape: s.Shape) -> Codec:
        """The codec of a shape; the same one for equal shapes."""
        key = msgspec.json.encode(shape)
        return self._lenient.get(key) or self._lenient.setdefault(key, _LenientCodec(shape, self))


class _LenientCodec(Codec):
    def __init__(self, shape: s.Shape, values: LenientValues) -> None:
        super().__init__(shape, values)
        self._strictly = Values.codec(values, shape)
        self._told = values.told

    @functools.cached_property
    def decode(self) -> Callable[[bytes], Any]:
        """As `Codec.decode`, for data that may need repair."""
        return self._mending(self._strictly.decode, _plain)

    @functools.cached_property
    def decode_trusted(self) -> Callable[[bytes], Any]:
        """As `Codec.decode_trusted`, for data that may need repair."""
        return self._mending(self._strictly.decode_trusted, _plain)

    @functools.cached_property
    def of_plain(self) -> Callable[[Any], Any]:
        """As `Codec.of_plain`, for data that may need repair."""
        return self._mending(self._strictly.of_plain, lambda plain: plain)

    def _mending(self, read: Callable[[Any], Any], plain_of: Callable[[Any], Any]) -> Callable[[Any], Any]:
        values, shape, told, of_plain = self._values, self.shape, self._told, self._strictly.of_plain

        def mending(given: Any) -> Any:
            try:
                return read(given)
            except Invalid:
                found = repair(shape, plain_of(given), values.types, values.limits)
                if found is None:
                    raise
                value = of_plain(found.plain)
                if not told(found.issues):
                    raise
                return value

        return mending
