"""What our processes log, for a person at a terminal: one line, and the traceback as Python shows it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click

from entrepot.cli.output import on_one_line, visible

_COLOURS = {"error": "red", "critical": "red", "warning": "yellow"}
_ABOUT = {"operation": "in", "trace_id": "trace"}


def readable(line: str) -> str:
    """A line of a process's output as a person reads it; what is no log record of ours stays as it is."""
    record = _record(line)
    if record is None:
        return line
    level = str(record["level"])
    about = [f"{word} {record[name]}" for name, word in _ABOUT.items() if record.get(name)]
    said = str(record["message"]) + (f" ({', '.join(about)})" if about else "")
    told = f"{_clock(str(record['time']))} {click.style(level, fg=_COLOURS.get(level))} {on_one_line(said)}"
    return "\n".join([told, *(f"  {visible(each)}" for each in str(record.get("traceback", "")).split("\n"))]).rstrip()


def _record(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if {"time", "level", "message"} <= record.keys() else None


def _clock(time: str) -> str:
    """The time of day, here."""
    try:
        return f"{datetime.fromisoformat(time).astimezone():%H:%M:%S}"
    except ValueError:
        return time
