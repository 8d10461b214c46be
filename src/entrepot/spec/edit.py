"""Adding to a declaration as text, so that its comments and its layout stay as they are.

One member is put into one map of the top level. The result is read again and compared with what
was meant; when they differ, nothing is written and the person is told what to add by hand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import yaml

from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.kit.pointers import pointer
from entrepot.spec import codes
from entrepot.spec.yaml import read

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*")
_RESERVED = {"true", "false", "null"}


def add_member(text: str, section: str, key: str, value: Mapping[str, str], file: str) -> str:
    """The text with `key: {value}` added to the map `section`, which is made when there is none.

    Raises `Refused` when the text is not a map, or when it could not be added to safely.
    """
    parsed = read(text.encode(), file)
    before = parsed.value or {}
    meant = {**before, section: {**(before.get(section) or {}), key: dict(value)}} if isinstance(before, dict) else None
    edited = _edited(text, section, f"{key}: {_flow(value)}")
    if meant is None or _value(edited, file) != meant:
        message = f"`{key}` could not be added to `{section}` without changing something else"
        remedy = f"Add it by hand, under `{section}:`   {key}: {_flow(value)}"
        raise Refused([Diagnostic(codes.EDIT_UNSAFE, message, parsed.positions.key(pointer([section])), remedy)])
    return edited


def _value(text: str, file: str) -> Any:
    try:
        return read(text.encode(), file).value
    except Refused:
        return None


def _flow(value: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {scalar(text)}" for key, text in value.items()) + "}"


def scalar(text: str) -> str:
    """Text as YAML writes it inside a flow map: bare where that is certain, else in double quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    return msgspec.json.encode(text).decode()


def _edited(text: str, section: str, member: str) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    found = _find(text, section)
    if found is None:
        end = "" if not text or text.endswith("\n") else newline
        return f"{text}{end}{section}:{newline}  {member}{newline}"
    if found.flow_end is not None:
        return text[: found.flow_end] + (", " if found.filled else "") + member + text[found.flow_end :]
    line = f"{' ' * found.indent}{member}{newline}"
    if found.last_end == len(text) and not text.endswith("\n"):
        line = newline + line
    return text[: found.last_end] + line + text[found.last_end :]


class _Section(msgspec.Struct, frozen=True):
    """Where a map of the top level stands in the text."""

    filled: bool
    """It has members."""
    indent: int
    """Columns before its keys."""
    last_end: int
    """The start of the line after its last member."""
    flow_end: int | None
    """For a map in braces: where the closing one stands."""


def _find(text: str, section: str) -> _Section | None:
    """The map with this name at the top level, as the parser's events tell."""
    events = [event for event in yaml.parse(text, Loader=yaml.SafeLoader) if not isinstance(event, _FRAMES)]
    depth = 0
    at_key = True
    for index, event in enumerate(events):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth == 1 and index > 0:
            if at_key and isinstance(event, yaml.ScalarEvent) and event.value == section:
                return _section(text, events, index)
            at_key = not at_key
    return None


_FRAMES = (yaml.StreamStartEvent, yaml.StreamEndEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent)


def _section(text: str, events: list[Any], key: int) -> _Section:
    value: Any = events[key + 1]
    if not isinstance(value, yaml.MappingStartEvent):
        return _Section(False, events[key].start_mark.column + 2, _line_after(text, events[key].end_mark.index), None)
    end = _closing(events, key + 1)
    content = [event for event in events[key + 2 : end] if not _is_block_end(event)]
    if value.flow_style:
        return _Section(bool(content), 0, 0, events[end].start_mark.index)
    return _Section(True, content[0].start_mark.column, _line_after(text, content[-1].end_mark.index), None)


def _closing(events: list[Any], opening: int) -> int:
    """The index of the event that ends the map or list begun at `opening`."""
    depth = 0
    for index in range(opening, len(events)):
        depth += isinstance(events[index], yaml.CollectionStartEvent)
        depth -= isinstance(events[index], yaml.CollectionEndEvent)
        if depth == 0:
            return index
    raise ValueError("the map has no end")


def _is_block_end(event: Any) -> bool:
    """Whether it ends a map or list without a bracket: told only when the next thing begins, comments later."""
    width = event.end_mark.index - event.start_mark.index
    return width == 0 and isinstance(event, yaml.CollectionEndEvent)


def _line_after(text: str, index: int) -> int:
    if index and text[index - 1] == "\n":
        return index
    end = text.find("\n", index)
    return len(text) if end < 0 else end + 1
