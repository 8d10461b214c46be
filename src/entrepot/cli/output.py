"""How commands answer: text for people, one JSON value for programs.

Results go to standard output; progress, diagnostics and errors to standard error. With `--json`,
standard output holds one JSON value and nothing else.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from entrepot.kit.diagnostics import Diagnostic

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal obeys instead of showing it, reorders a line by, or cannot take; neither tab nor newline."""

_SEVERITY_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


class Output:
    """One command's voice."""

    def __init__(self, as_json: bool = False) -> None:
        self.as_json = as_json

    def text(self, line: str = "") -> None:
        """A line of the result, for people."""
        if not self.as_json:
            click.echo(visible(line), color=colours(sys.stdout))

    def json(self, value: Mapping[str, Any]) -> None:
        """The result, for programs."""
        if self.as_json:
            click.echo(visible(json.dumps(value, indent=2, ensure_ascii=False)))

    def progress(self, line: str) -> None:
        """What is being done, for a person who waits; shown on a terminal alone."""
        if not self.as_json and sys.stderr.isatty():
            click.echo(click.style(visible(line), dim=True), err=True, color=colours(sys.stderr))

    def notice(self, line: str) -> None:
        """Something that a person should know, beside the result."""
        if not self.as_json:
            click.echo(visible(line), err=True, color=colours(sys.stderr))

    def diagnostics(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Located messages, for people; `--json` puts them into the result instead."""
        if not self.as_json:
            for diagnostic in diagnostics:
                click.echo(_styled(diagnostic), err=True, color=colours(sys.stderr))

    def error(self, message: str) -> None:
        """Why the command failed."""
        line = f"{click.style('error', fg='red', bold=True)}: {visible(message)}"
        click.echo(line, err=True, color=colours(sys.stderr))
        self.json({"ok": False, "error": message})


def visible(text: str) -> str:
    """Text whose control characters stand as JSON escapes them: it may come from a document or a caller."""
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def on_one_line(text: str) -> str:
    """The same, newlines included, where another line would pass for one of ours."""
    return visible(text).replace("\n", "\\n")


def colours(stream: TextIO) -> bool:
    """Whether a stream takes colours: a terminal does, unless NO_COLOR is set (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def plain(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """Diagnostics as plain JSON values."""
    return [
        {
            "severity": diagnostic.severity,
            "code": diagnostic.code,
            "message": diagnostic.message,
            "file": diagnostic.place.file,
            "line": diagnostic.place.line,
            "column": diagnostic.place.column,
            "pointer": diagnostic.place.pointer,
            "remedy": diagnostic.remedy,
        }
        for diagnostic in diagnostics
    ]


def table(rows: Sequence[Sequence[str]], indent: str = "") -> list[str]:
    """Rows as lines with aligned columns."""
    rows = [[on_one_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def count(number: int, noun: str) -> str:
    """A number with its noun: `1 error`, `2 errors`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _styled(diagnostic: Diagnostic) -> str:
    from msgspec.structs import replace

    place = diagnostic.place
    place = replace(place, file=on_one_line(place.file), pointer=on_one_line(place.pointer))
    shown = replace(diagnostic, place=place, message=on_one_line(diagnostic.message), remedy=visible(diagnostic.remedy))
    severity = click.style(shown.severity, fg=_SEVERITY_COLOURS[shown.severity], bold=True)
    return str(shown).replace(f"{shown.severity} {shown.code}", f"{severity} {shown.code}", 1)
