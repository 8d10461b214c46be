"""Who is calling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Principal(msgspec.Struct, frozen=True, omit_defaults=True):
    """The identified caller, as the edge vouches for it. Declare a parameter of this type to receive it."""

    subject: str = ""
    """The caller's stable name; "" when anonymous."""
    consumer: str = ""
    """The registered API client behind the call. No protocol or policy uses it yet."""
    scopes: frozenset[str] = frozenset()
    claims: Mapping[str, Any] = {}
    """What else is said of the caller. No protocol or policy uses it yet."""

    @property
    def anonymous(self) -> bool:
        """Nobody was identified."""
        return not self.subject


ANONYMOUS = Principal()
