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
    """The registered API client behind the call."""
    scopes: frozenset[str] = frozenset()
    claims: Mapping[str, Any] = {}

    @property
    def anonymous(self) -> bool:
        """Nobody was identified."""
        return not self.subject


ANONYMOUS = Principal()
