"""A function as the runtime needs to know it: what it takes, and how it answers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal

import msgspec

Source = Literal["input", "principal", "context", "conditions", "stream", "resource"]


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of a handler, and where its argument comes from."""

    name: str
    source: Source
    """input: the attribute of this name. stream: the inbound items. resource: of type `provides`.
    The others: that part of the call's context."""
    provides: Any = None
    has_default: bool = False
    """An absent input is left out of the call, so that the function's own default holds."""
    keyword_only: bool = False


class Handler(msgspec.Struct, frozen=True, kw_only=True):
    """The function behind an operation."""

    function: Callable[..., Any]
    parameters: tuple[Parameter, ...] = ()

    @property
    def is_async(self) -> bool:
        """Runs in the event loop rather than in a thread."""
        return inspect.iscoroutinefunction(self.function) or inspect.isasyncgenfunction(self.function)

    @property
    def is_generator(self) -> bool:
        """Calling it runs nothing yet and gives an iterator."""
        return inspect.isasyncgenfunction(self.function) or inspect.isgeneratorfunction(self.function)
