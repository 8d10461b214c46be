"""Which of a body's media types are read, and in which order: JSON first, then what else values are written in.

What is written otherwise, or of another schema, is left out and told. `*/*` with a schema of more than octets or text
is JSON, which it lets in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from entrepot.http.media_types import essence
from entrepot.model.shape import Shape, Types
from entrepot.protocols.rest.binding.bound import ANY, JSON
from entrepot.protocols.rest.binding.notations import NOTATIONS, notation_of, unfit
from entrepot.shapes.document import Node, Refusal

_RANGES = (ANY, "application/*")
_STRUCTURED = frozenset({"properties", "items", "allOf", "oneOf", "anyOf", "additionalProperties"})
_TYPES = ("object", "array", "integer", "number", "boolean")


class Kept(NamedTuple):
    """The media types that are read, and what is told of the others."""

    media_types: tuple[str, ...]
    gaps: tuple[Refusal, ...]


def by_name(media_types: Mapping[str, Node]) -> dict[str, Node]:
    """The media types without their parameters; a range that stands for JSON by its name."""
    found = {essence(name): media for name, media in media_types.items()}
    for each in _RANGES:
        if each in found and _is_structured(found[each]):
            media = found.pop(each)
            found.setdefault(JSON, media)
    return found


def _is_structured(media: Node) -> bool:
    """Whether the schema is of more than octets or text."""
    schema = media["schema"].value
    if not isinstance(schema, Mapping):
        return False
    said = schema.get("type", ())
    types = [said] if isinstance(said, str) else said
    return not _STRUCTURED.isdisjoint(schema) or any(each in _TYPES for each in types)


def of_values(names: Iterable[str]) -> list[str]:
    """Those in which values are written, in the order in which they are preferred."""
    found = [name for name in names if name.endswith("json") or notation_of(name) != "json"]
    return sorted(found, key=lambda name: NOTATIONS.index(notation_of(name)))


def alike(names: list[str], found: Mapping[str, Node], part: Shape, types: Types) -> Kept:
    """Of media types in which values are written the first, and those that say the same of the same value."""
    first = found[names[0]].raw("schema").value
    kept, gaps = names[:1], []
    for name in names[1:]:
        reason = unfit(notation_of(name), part, types)
        if found[name].raw("schema").value != first:
            reason = f"its schema is not that of {names[0]}"
        if reason:
            gaps.append(Refusal(found[name].pointer, name, reason))
        else:
            kept.append(name)
    return Kept(tuple(kept), tuple(gaps))


def others(kept: Iterable[str], found: Mapping[str, Node], known: Iterable[Refusal] = ()) -> list[Refusal]:
    """What is told of the media types that are none of those that are read."""
    first = next(iter(kept := list(kept)), "")
    told = {*kept, *_RANGES, *(each.construct for each in known)}
    reason = f"{first} is read and written instead"
    return [Refusal(media.pointer, name, reason) for name, media in found.items() if first and name not in told]
