"""How often one value may have to be held against parts of a JSON Schema before all its errors are known.

Whoever looks for errors follows every arm of a union, and every arm of the unions inside it. Where
two arms lead back to the schema they stand in, that doubles with every level of the value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_ALTERNATIVES = ("oneOf", "anyOf", "allOf")
_CONDITIONS = ("not", "if", "then", "else")


class _Count(NamedTuple):
    trials: float = 1
    returns: int = 0
    """References to schemas that are being counted."""


def trials(schema: Mapping[str, Any] | bool) -> float:
    """The number for one place of a value; infinite when it grows with the value's depth.

    References are to the schema's own `$defs`, as `SchemaDocument.bundle` writes them.
    """
    return _Counter(schema["$defs"] if isinstance(schema, Mapping) and "$defs" in schema else {}).count(schema).trials


class _Counter:
    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._known: dict[str, _Count] = {}

    def count(self, part: Any) -> _Count:
        """All that the same value is held against adds up; of different members only the worst one counts."""
        if isinstance(part, list):
            return _worst(map(self.count, part))
        if not isinstance(part, Mapping):
            return _Count()
        same = list(self._of_the_same_value(part))
        apart = {"$ref", "$defs", *_ALTERNATIVES, *_CONDITIONS}
        same.append(_worst(self.count(value) for key, value in part.items() if key not in apart))
        return _Count(max(1, sum(each.trials for each in same)), sum(each.returns for each in same))

    def _of_the_same_value(self, part: Mapping[str, Any]) -> Iterator[_Count]:
        for keyword in _ALTERNATIVES:
            arms = part.get(keyword)
            yield from map(self.count, arms if isinstance(arms, list) else ())
        yield from (self.count(part[keyword]) for keyword in _CONDITIONS if keyword in part)
        if isinstance(part.get("$ref"), str):
            yield self._behind(part["$ref"].rpartition("/")[2])

    def _behind(self, name: str) -> _Count:
        if name not in self._known:
            self._known[name] = _Count(returns=1)  # as long as it is being counted
            found = self.count(self._definitions.get(name))
            self._known[name] = _Count(math.inf if found.returns > 1 else found.trials, found.returns)
        return self._known[name]


def _worst(counts: Iterator[_Count]) -> _Count:
    trials, returns = 0.0, 0
    for each in counts:
        trials, returns = max(trials, each.trials), max(returns, each.returns)
    return _Count(trials, returns)
