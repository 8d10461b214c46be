"""What an annotation can say about a field besides its type: `Annotated[int, Version()]`."""

from __future__ import annotations

import msgspec


class Version(msgspec.Struct, frozen=True):
    """The field changes whenever its record does; protocols with conditions make an ETag of it."""


class Cursor(msgspec.Struct, frozen=True):
    """The field is a position: of an item in a stream, or of the next part of a long list."""
