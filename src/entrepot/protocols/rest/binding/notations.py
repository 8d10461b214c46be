"""The ways to write one value: JSON, MessagePack, XML, a form. Which one a body is in, its media type says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from entrepot.http.media_types import essence, is_json
from entrepot.model.shape import Record, Shape, Types, resolve
from entrepot.shapes import msgpack, xml

Notation = Literal["json", "msgpack", "xml", "form"]
NOTATIONS: tuple[Notation, ...] = get_args(Notation)
"""In the order in which they are preferred."""

MSGPACK = ("application/msgpack", "application/vnd.msgpack", "application/x-msgpack")
"""One notation by its usual name, by that of its registration, and by that from before."""
XML = ("application/xml", "text/xml")
"""Another by its names, which mean the same (RFC 7303, §4.1); any that ends with `+xml` is in it, too."""
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
"""A record as a form, which is read, and sent by no client of ours: every other notation goes before it."""


def notation_of(media_type: str) -> Notation:
    """The notation of a body with this label; it is JSON unless the label says otherwise."""
    label = essence(media_type)
    if label in MSGPACK:
        return "msgpack"
    if label in FORMS:
        return "form"
    return "xml" if label in XML or label.endswith("+xml") else "json"


def unfit(notation: Notation, part: Shape, types: Types) -> str:
    """Why values of a shape cannot be written in a notation; "" when they can."""
    match notation:
        case "msgpack":
            return msgpack.unfit(part, types)
        case "xml":
            return xml.unfit(part, types)
        case "form":
            return _unfit_for_form(part, types)
        case _:
            return ""


def unfit_as_part(media_type: str, part: Shape, types: Types) -> str:
    """Why values of a shape that is no text cannot be a part of a form with this label; "" when they can."""
    notation = notation_of(media_type)
    if notation == "form" or (notation == "json" and not is_json(essence(media_type))):
        return "a part that is no text is JSON, XML or MessagePack"
    return unfit(notation, part, types)


def _unfit_for_form(part: Shape, types: Types) -> str:
    record = resolve(part, types)
    if not isinstance(record, Record):
        return "a form is an object with members"
    return "members of any name are not kept in a form" if record.extras == "keep" else ""


def always(media_types: Sequence[str]) -> tuple[str, ...]:
    """The media types of a contract, and the one that is there without being named."""
    return tuple(dict.fromkeys((*media_types, MSGPACK[0])))


def others(media_types: Sequence[str]) -> tuple[str, ...]:
    """The media types, those of the contract and those that are always there, in another notation than the first's."""
    usual = notation_of(media_types[0])
    synonyms = XML if not set(XML).isdisjoint(media_types) else ()
    every = dict.fromkeys((*media_types, *synonyms, *MSGPACK))
    return tuple(each for each in every if notation_of(each) != usual)
