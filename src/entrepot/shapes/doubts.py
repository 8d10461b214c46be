"""Whether what was read from a JSON text may be other than what the text says.

What msgspec does not notice (`guard`) is looked for by tests that are cheap and never say no
wrongly. The cheapest: a value that is written as it came repeats no name, and has lost nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from entrepot.kit.limits import Limits
from entrepot.shapes import guard
from entrepot.shapes.traits import Trait

Doubt = Callable[[bytes, Any], bool]
"""Whether a text, and the value that was read from it, must be looked at more closely."""

_BY_HAND = Trait.UNION | Trait.REWRITTEN
"""Where we read numbers from exact ones, which fit what a 64-bit one does not."""


def of_reply(traits: Trait, limits: Limits) -> Doubt:
    """For what an upstream says: of a repeated name the last wins, and depth is its own affair."""
    times, numbers, short = Trait.TIME in traits, _numbers(traits, limits), _short(traits, limits)

    def doubt(data: bytes, _: Any) -> bool:
        return (times and guard.may_cut_time(data)) or (len(data) > short and numbers(data))

    return doubt


def of_request(traits: Trait, height: int | None, limits: Limits, write: Callable[[Any], bytes] | None) -> Doubt:
    """For what a caller says. `height` is the most levels of such a value, `write` what writes it, if that is cheap."""
    times, numbers, short = Trait.TIME in traits, _numbers(traits, limits), _short(traits, limits)
    is_low = height is not None and height <= limits.depth_max

    def doubt_all(data: bytes, _: Any) -> bool:
        return (
            guard.may_repeat_names(data)
            or guard.is_too_deep(data, limits)
            or (times and guard.may_cut_time(data))
            or (len(data) > short and numbers(data))
        )

    if write is None:
        return doubt_all
    is_filled, bare = Trait.FILLED in traits, write

    def doubt(data: bytes, value: Any) -> bool:
        written = bare(value)
        if written == data:
            return (not is_low and guard.is_too_deep(data, limits)) or (len(data) > short and numbers(data))
        if is_filled or not guard.has_as_many_members(data, written) or (times and guard.may_alter_time(data)):
            return doubt_all(data, value)
        return (not is_low and guard.is_too_deep(data, limits)) or (len(data) > short and numbers(data))

    return doubt


def _short(traits: Trait, limits: Limits) -> int:
    """Texts up to this length hold no number that is too long or too large."""
    return 0 if _may_overflow(traits) else limits.number_digits_max


def _may_overflow(traits: Trait) -> bool:
    return Trait.FLOAT in traits and bool(traits & _BY_HAND)


def _numbers(traits: Trait, limits: Limits) -> Callable[[bytes], bool]:
    if not _may_overflow(traits):
        return lambda data: guard.may_have_endless_numbers(data, limits)
    return lambda data: guard.may_have_endless_numbers(data, limits) or guard.may_overflow(data)
