"""How deep arrays and objects can be nested in values of a shape.

Found once for all named types together, as their traits are.
"""

from __future__ import annotations

import functools
from collections import deque

from entrepot.model import shape as s


class Heights:
    """The heights of the shapes of one service."""

    def __init__(self, types: s.Types) -> None:
        self._types = types

    def of(self, shape: s.Shape) -> int | None:
        """The most levels, or None when nothing bounds them: the shape is recursive, or holds untyped values."""
        own, inner = _written_here(shape)
        return None if own is None else _with_inner(own, inner, self._of_names)

    @functools.cached_property
    def _of_names(self) -> dict[str, int]:
        """The heights that are bounded."""
        found: dict[str, int] = {}
        used_by: dict[str, list[str]] = {}
        written = {name: _written_here(shape) for name, shape in self._types.items()}
        missing = {name: len({used for used, _ in inner}) for name, (_, inner) in written.items()}
        for name, (_, inner) in written.items():
            for used in {used for used, _ in inner}:
                used_by.setdefault(used, []).append(name)
        # A type is settled once all that it leads to are, which those of a circle never are.
        pending = deque(name for name, count in missing.items() if not count)
        while pending:
            name = pending.popleft()
            own, inner = written[name]
            height = None if own is None else _with_inner(own, inner, found)
            if height is None:
                continue
            found[name] = height
            for user in used_by.get(name, ()):
                missing[user] -= 1
                if not missing[user]:
                    pending.append(user)
        return found


def _with_inner(own: int, inner: list[tuple[str, int]], known: dict[str, int]) -> int | None:
    heights = [own]
    for name, level in inner:
        if name not in known:
            return None
        heights.append(level + known[name])
    return max(heights)


def _written_here(shape: s.Shape) -> tuple[int | None, list[tuple[str, int]]]:
    """The levels up to the next references, and the references, each with the levels around it."""
    most, inner, pending = 0, list[tuple[str, int]](), [(shape, 0)]
    while pending:
        part, level = pending.pop()
        match part:
            case s.Ref(name=name):
                inner.append((name, level))
            case s.Anything() | s.Json() | s.Record(extras="keep", extra=None):
                return None, inner
            case s.Nullable(shape=wrapped):
                pending.append((wrapped, level))
            case s.Union(arms=arms):
                pending.extend((arm, level) for arm in arms)
            case s.List() | s.Tuple() | s.Map() | s.Record():
                most = max(most, level + 1)
                pending.extend((each, level + 1) for each in s.parts(part))
            case s.Page(item=item):
                most = max(most, level + 2)
                pending.append((item, level + 2))
            case _:
                pass
    return most, inner
