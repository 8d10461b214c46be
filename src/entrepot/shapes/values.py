"""The values of a service: a class for each shape, and codecs compiled once.

This is the way in to the room. Everything is made on first use and kept for the life of the
`Values`, so a large contract costs only what is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model.shape import Shape, Types


class Codec:
    """Reads and writes values of one shape as JSON."""

    shape: Shape
    type: Any
    """The Python type of its values."""

    def decode(self, data: bytes) -> Any:
        """The value written in `data`. Raises `Malformed` (not JSON, not UTF-8, duplicate key, too deep)
        or `Invalid` with every issue and its pointer, relative to the value."""
        raise NotImplementedError

    def encode(self, value: Any) -> bytes:
        """The value as JSON. Raises TypeError on a value that has no JSON form."""
        raise NotImplementedError

    def of_plain(self, plain: Any) -> Any:
        """The value for plain JSON data (dicts, lists, scalars, Decimals), checked as `decode` does."""
        raise NotImplementedError

    def to_plain(self, value: Any) -> Any:
        """The value as plain JSON data; absent members are absent."""
        raise NotImplementedError

    def accepts(self, value: Any) -> bool:
        """Whether a Python value made by a handler is of this shape, all the way down."""
        raise NotImplementedError


class Values:
    """Classes and codecs for the shapes of one service.

    `classes` are the author's own Python classes by type name; a shape without one gets a
    class made for it.
    """

    def __init__(self, types: Types, classes: Mapping[str, Any] | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        raise NotImplementedError

    def codec(self, shape: Shape) -> Codec:
        """The codec of a shape; the same one for equal shapes."""
        raise NotImplementedError
