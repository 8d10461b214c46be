"""Times that are kept as the text they came in.

Python's own times end at the microsecond, and know no leap second, no month as a span, no `-00:00`. A foreign
contract allows all of them, and what passes through must not change; so of its times only the form is checked.
The forms are those of RFC 3339 (§5.6; a span: appendix A), with what Python reads besides: a blank for the `T`, an
offset without its colon.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from entrepot.model import shape as s

Temporal = s.DateTime | s.Time | s.Duration

_LEAP_YEAR = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DAY = (
    "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    f"|02-(?:0[1-9]|1[0-9]|2[0-8]))|{_LEAP_YEAR}-02-29)"
)
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_OFFSET = "(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])"
_OFFSETS = {"aware": _OFFSET, "naive": "", "any": f"{_OFFSET}?"}
_NUMBER = r"[0-9]+(?:[.,][0-9]+)?"
_SPAN = (
    f"(?i:[+-]?P(?=[0-9T])(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}W)?(?:{_NUMBER}D)?"
    f"(?:T(?=[0-9])(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?)"
)


def is_kept(shape: s.Shape) -> bool:
    """Whether values of the shape are times that are kept as text."""
    return isinstance(shape, Temporal) and shape.precision == "any" and getattr(shape, "wire", "rfc3339") == "rfc3339"


def pattern(shape: Temporal) -> str:
    """The form of a time, as a regular expression of Python's."""
    match shape:
        case s.DateTime(zone=zone):
            form = f"{_DAY}[Tt ]{_CLOCK}{_OFFSETS[zone]}"
        case s.Time(zone=zone):
            form = f"{_CLOCK}{_OFFSETS[zone]}"
        case s.Duration():
            form = _SPAN
    return rf"\A{form}\Z"


def annotation(shape: Temporal) -> object:
    """The type by which msgspec reads a time that is kept."""
    return Annotated[str, Meta(pattern=pattern(shape))]
