"""Which of a body's media types are read, and in which order: JSON first, then what else values are written in.

What is of another schema is left out and told; what is only another way to write the same, is left out. `*/*` with a
schema of more than octets or text is JSON, which it lets in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from entrepot.http.media_types import essence, is_json
from entrepot.model.shape import Shape, Types
from entrepot.protocols.rest.binding.bound import ANY, JSON, MULTIPARTS, Binding
from entrepot.protocols.rest.binding.notations import NOTATIONS, notation_of, unfit
from entrepot.shapes.document import Node, Refusal, Unreadable
from entrepot.shapes.schemas import Schemas

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


def _schema(media: Node) -> object:
    return media.raw("schema").value


def _has_parts(media: Node) -> bool:
    """Whether the schema says anything of what is inside; XML of which it does not is text."""
    schema = media["schema"].value
    return isinstance(schema, Mapping) and not _STRUCTURED.isdisjoint(schema)


def of_values(found: Mapping[str, Node], schemas: Schemas) -> Kept:
    """Those in which values are written, in the order in which they are preferred; none of XML that it cannot hold."""
    names = [name for name in found if is_json(name) or notation_of(name) != "json"]
    said = [_schema(found[name]) for name in names if is_json(name)]
    xml = [name for name in names if notation_of(name) == "xml"]
    text = {name for name in xml if not _has_parts(found[name]) and _schema(found[name]) not in said}
    names = [name for name in names if name not in text]
    names.sort(key=lambda name: (NOTATIONS.index(notation_of(name)), name != JSON, "*" in name))
    if not names or notation_of(names[0]) == "form":
        return Kept((), ())
    reason = _unfit(found[names[0]], schemas) if notation_of(names[0]) == "xml" else ""
    if not reason:
        return Kept(tuple(names), ())
    return Kept((), tuple(Refusal(found[name].pointer, name, f"it is passed on as text: {reason}") for name in names))


def _unfit(media: Node, schemas: Schemas) -> str:
    """Why the schema of a media type has no XML."""
    try:
        return unfit("xml", schemas.shape(media.raw("schema")), schemas.types)
    except Unreadable as unreadable:
        return str(unreadable)


def alike(names: Sequence[str], found: Mapping[str, Node], part: Shape, types: Types) -> Kept:
    """Of media types in which values are written the first, and those that say the same of the same value."""
    first = _schema(found[names[0]])
    kept, gaps = [*names[:1]], []
    for name in names[1:]:
        reason = unfit(notation_of(name), part, types)
        if _schema(found[name]) != first:
            reason = f"its schema is not that of {names[0]}"
        if reason:
            gaps.append(Refusal(found[name].pointer, name, reason))
        else:
            kept.append(name)
    return Kept(tuple(kept), tuple(gaps))


def others(kept: Iterable[str], found: Mapping[str, Node], known: Iterable[Refusal] = ()) -> list[Refusal]:
    """What is told of the media types that are none of those that are read: those that say something else."""
    first = next(iter(kept := list(kept)), "")
    told = {*kept, *_RANGES, *(each.construct for each in known)}
    reason = f"{first} is read and written instead"
    return [
        Refusal(media.pointer, name, reason)
        for name, media in found.items()
        if first and name not in told and _schema(media) != _schema(found[first])
    ]


def of_upstream(binding: Binding) -> dict[str, list[str]]:
    """By member of a binding: the media types of values of which none is JSON, in which we serve them as well."""
    found = {}
    if binding.body in ("object", "value") and not has_json(binding.accepts):
        found["accepts"] = [*binding.accepts]
    if binding.answer in ("value", "arms") and not has_json(binding.produces):
        found["produces"] = [*binding.produces]
    return found


def has_json(media_types: Sequence[str]) -> bool:
    """Whether one of them is JSON, or no notation at all."""
    return any(notation_of(each) == "json" for each in media_types)


def of_one_schema(names: Sequence[str], found: Mapping[str, Node]) -> list[str]:
    """The first of these media types, and those that have its schema."""
    return [name for name in names if _schema(found[name]) == _schema(found[names[0]])]


def unnamed(found: Mapping[str, Node]) -> list[Refusal]:
    """What is told of multipart bodies whose parts have no names: their schemas do not say which part is which."""
    others = {name: each for name, each in found.items() if name.startswith("multipart/") and name not in MULTIPARTS}
    reason = "it is passed on as it is: only the parts of multipart/form-data and multipart/mixed have names"
    return [Refusal(each.pointer, name, reason) for name, each in others.items() if _has_parts(each)]
