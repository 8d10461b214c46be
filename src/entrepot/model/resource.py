"""Things a handler needs that must be opened and closed: sessions, clients, outboxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

Scope = Literal["application", "call"]


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """A generator that opens something, yields it once, and closes it.

    A call's resources are closed before its reply is acknowledged; when closing one fails
    (a commit, say), the call fails.
    """

    provides: Any
    """The type by which a parameter asks for it."""
    factory: Callable[..., Any]
    """A generator function, async or plain; its parameters are other resources, by type."""
    scope: Scope = "call"
    needs: Mapping[str, Any] = {}
    """Parameter of the factory → type of the resource it gets."""
