"""What our processes log, for a person at a terminal: one line, and the traceback as Python shows it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click

from entrepot.cli.output import on_one_line, visible

_COLOURS = {"error": "red", "critical": "red", "warning": "yellow"}
_STATUS_COLOURS = {"2": "green", "3": "cyan", "4": "yellow", "5": "red"}
_EVENT = {"time", "level", "message"}
_REQUEST = {"time", "method", "path", "status", "duration_ms"}
_ABOUT = {"operation": "in", "trace_id": "trace"}


def readable(line: str) -> str:
    """A line of a process's output as a person reads it; what is no log record of ours stays as it is."""
    record = _record(line)
    if record.keys() >= _EVENT:
        return _event(record)
    return _request(record) if record.keys() >= _REQUEST else line


def _event(record: dict[str, Any]) -> str:
    level = str(record["level"])
    about = [f"{word} {record[name]}" for name, word in _ABOUT.items() if record.get(name)]
    said = str(record["message"]) + (f" ({', '.join(about)})" if about else "")
    told = f"{_clock(str(record['time']))} {click.style(level, fg=_COLOURS.get(level))} {on_one_line(said)}"
    return "\n".join([told, *(f"  {visible(each)}" for each in str(record.get("traceback", "")).split("\n"))]).rstrip()


def _request(record: dict[str, Any]) -> str:
    """A request that the edge has answered: method, path, status, milliseconds."""
    status = str(record["status"])
    shown = click.style(status, fg=_STATUS_COLOURS.get(status[:1]))
    asked = on_one_line(f"{record['method']} {record['path']}")
    return f"{_clock(str(record['time']))} {asked} {shown} {record['duration_ms']} ms"


def _record(line: str) -> dict[str, Any]:
    """The members of a line that is a JSON object; none of any other."""
    try:
        record: dict[str, Any] = json.loads(line) if line.startswith("{") else {}
    except (ValueError, RecursionError):
        return {}
    return record


def _clock(time: str) -> str:
    """The time of day, here."""
    try:
        return f"{datetime.fromisoformat(time).astimezone():%H:%M:%S}"
    except ValueError:
        return time
