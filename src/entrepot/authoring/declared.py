"""What an author has written about one service, as it was written: nothing is read or checked yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from entrepot.authoring.resources import DeclaredResource
from entrepot.kit.diagnostics import Place


class DeclaredOperation(msgspec.Struct, frozen=True, kw_only=True):
    """A function and what its decorator said."""

    function: Callable[..., Any]
    names: Mapping[str, Any]
    """What its annotations may speak of besides its module's names."""
    place: Place
    """Where the decorator stands."""
    options: Mapping[str, Any]
    method: str = ""
    """The HTTP method; "" when it has no HTTP words."""
    path: str = ""

    @property
    def name(self) -> str:
        """The operation's name: the function's own, unless an option says otherwise."""
        given = self.options.get("name")
        return given if given and isinstance(given, str) else self.function.__name__


class DeclaredLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link as the author wrote it."""

    type: type
    field: str
    operation: Callable[..., Any] | str
    arguments: Mapping[str, str]
    batch: bool
    place: Place


class Declared(msgspec.Struct, kw_only=True):
    """Everything about one service, in order."""

    options: Mapping[str, Any]
    """Its name, version, title and docs."""
    place: Place
    operations: list[DeclaredOperation] = []
    resources: list[DeclaredResource] = []
    links: list[DeclaredLink] = []
