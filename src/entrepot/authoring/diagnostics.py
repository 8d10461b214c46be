"""The codes of what may be wrong with a service written in Python, each stable for ever: E8xx."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from entrepot.authoring.annotations import hints_of
from entrepot.authoring.places import place_of
from entrepot.kit.diagnostics import Diagnostic, Place

BAD_NAME = "E801"
"""A name that no protocol could carry."""
DUPLICATE_OPERATION = "E802"
"""Two operations of one name."""
UNANNOTATED = "E803"
"""A parameter or a result without a type."""
UNKNOWN_NAME = "E804"
"""An annotation names something that does not exist."""
UNSUPPORTED_TYPE = "E805"
"""A type that cannot travel and that no resource provides."""
UNSUPPORTED_PARAMETER = "E806"
"""A form of parameter that has no name on a wire: `*args`, `**kwargs`, positional only."""
BAD_DEFAULT = "E807"
"""A default that is not of its parameter's type."""
UNKNOWN_TEMPLATE_NAME = "E808"
"""A path template names no parameter."""
BAD_STREAM = "E809"
"""Streams that one function cannot take or give."""
BAD_FAULT = "E810"
"""A declared fault that is none, or that differs from another of its name."""
BAD_OPTION = "E811"
"""A timeout that leaves no time, or a status that tells no success."""
BAD_PATH = "E812"
"""A path that is no path template."""
BAD_RESOURCE = "E820"
"""A resource that is not a generator of one annotated type."""
DUPLICATE_RESOURCE = "E821"
"""Two resources of one type."""
MISSING_RESOURCE = "E822"
"""A resource needs what nothing provides, or what lives shorter than it."""
CIRCULAR_RESOURCE = "E823"
"""Resources that wait for each other."""
BAD_LINK = "E830"
"""A link whose type, field, operation or arguments do not exist."""


class Diagnostics:
    """Everything found wrong so far."""

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []

    def add(self, code: str, message: str, where: Place | Callable[..., Any], remedy: str, parameter: str = "") -> None:
        """Take note and go on, so that a person sees all of it in one run.

        `where` is a function that is at fault, with `parameter` one of its parameters or its `RESULT`.
        """
        place = where if isinstance(where, Place) else place_of(where, parameter)
        self.found.append(Diagnostic(code, message, place, remedy))

    def hints_of(self, function: Callable[..., Any], names: Mapping[str, Any]) -> dict[str, Any] | None:
        """The function's annotations, as `annotations.hints_of` reads them; None when one cannot be read."""
        try:
            return hints_of(function, names)
        except Exception as error:  # evaluating an annotation runs the author's code
            self.add(
                UNKNOWN_NAME,
                f"an annotation of {function.__name__} cannot be read: {error}",
                function,
                "Import or define the name in the module, at its top level.",
            )
            return None
