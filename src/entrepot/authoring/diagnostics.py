"""What is found wrong with a service written in Python, gathered so that a person sees all of it in one run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from entrepot.authoring.annotations import hints_of
from entrepot.authoring.mistakes import UNREADABLE_ANNOTATION, Mistake
from entrepot.authoring.places import place_of
from entrepot.kit.diagnostics import Diagnostic, Place


class Diagnostics:
    """Everything found wrong so far."""

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []

    def add(self, mistake: Mistake, where: Place | Callable[..., Any], parameter: str = "", /, **words: object) -> None:
        """Take note and go on. `words` fill in the mistake's message and remedy.

        `where` is a place, or a function that is at fault, with `parameter` one of its parameters or its `RESULT`.
        """
        place = where if isinstance(where, Place) else place_of(where, parameter)
        words = {"function": getattr(where, "__name__", ""), "parameter": parameter, **words}
        message, remedy = mistake.message.format_map(words), mistake.remedy.format_map(words)
        self.found.append(Diagnostic(mistake.code, message, place, remedy))

    def hints_of(self, function: Callable[..., Any], names: Mapping[str, Any]) -> dict[str, Any] | None:
        """The function's annotations, as `annotations.hints_of` reads them; None when one cannot be read."""
        try:
            return hints_of(function, names)
        except Exception as error:  # evaluating an annotation runs the author's code
            self.add(UNREADABLE_ANNOTATION, function, error=error)
            return None
