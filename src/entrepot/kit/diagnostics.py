"""Located messages about what an author wrote.

A diagnostic is for the person who wrote a declaration or a document; a fault is for the
caller of an operation. Diagnostics are gathered, never thrown one at a time, so that a
person sees every mistake in one run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

Severity = Literal["error", "warning", "note"]


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where something stands: a file position, a JSON pointer into a document, or both.

    `line` and `column` count from 1; 0 means unknown. As text the pointer stands only where the line
    is unknown, so that a terminal or an editor can follow it.
    """

    file: str = ""
    line: int = 0
    column: int = 0
    pointer: str = ""

    def __str__(self) -> str:
        column = f":{self.column}" if self.column else ""
        position = f":{self.line}{column}" if self.line else ""
        pointer = f"#{self.pointer}" if self.pointer else ""
        return f"{self.file}{position or pointer}"


NOWHERE = Place()


class Diagnostic(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message: a stable code (`E101`), what is wrong, where, and what to do about it."""

    code: str
    message: str
    place: Place = NOWHERE
    remedy: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        where = f"{self.place}: " if str(self.place) else ""
        remedy = f"\n    {self.remedy}" if self.remedy else ""
        return f"{where}{self.severity} {self.code}: {self.message}{remedy}"


class Refused(Exception):
    """Work stopped because of what an author wrote; carries every diagnostic, errors first."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(sorted(diagnostics, key=lambda d: d.severity != "error"))
        super().__init__("\n".join(map(str, self.diagnostics)))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """True when at least one diagnostic is an error rather than a warning or a note."""
    return any(diagnostic.severity == "error" for diagnostic in diagnostics)
