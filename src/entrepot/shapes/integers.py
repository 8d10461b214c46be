"""Integers that are spelt like other numbers.

For JSON Schema `1.0` and `1e2` are integers; msgspec takes neither for one. Hardly anybody writes
them, so they are looked for only in a value that was refused.
"""

from __future__ import annotations

from typing import Any

from entrepot.kit.limits import Limits
from entrepot.model import shape as s
from entrepot.shapes.arms import choose
from entrepot.shapes.explain import Known, fits
from entrepot.shapes.scalars import integral


class Integers:
    """Spells the integers of plain data as integers. The data must be of its shape, as `explain` says it."""

    def __init__(self, types: s.Types, limits: Limits) -> None:
        self._types = types
        self._limits = limits
        self._known: Known = {}

    def respelt(self, shape: s.Shape, plain: Any) -> Any:
        """The same data; what the shape does not call an integer stays as it is spelt."""
        match s.resolve(shape, self._types):
            case s.Int(wire="number") | s.Enum():
                return integral(plain, self._limits)
            case s.Nullable(shape=inner):
                return None if plain is None else self.respelt(inner, plain)
            case s.List(item=item):
                return [self.respelt(item, each) for each in plain]
            case s.Tuple(items=items):
                return [self.respelt(item, each) for item, each in zip(items, plain, strict=True)]
            case s.Map(value=value):
                return {name: self.respelt(value, each) for name, each in plain.items()}
            case s.Record() as record:
                return self._record(record, plain)
            case s.Page() as page:
                return self._record(page.record, plain)
            case s.Union() as union:
                arm = choose(union, plain, self._types, self._fits)
                return plain if arm is None else self.respelt(arm, plain)
            case _:
                return plain

    def _record(self, record: s.Record, plain: dict[str, Any]) -> dict[str, Any]:
        shapes = {field.name: field.shape for field in record.fields}
        extra = record.extra or s.Anything()
        return {name: self.respelt(shapes.get(name, extra), each) for name, each in plain.items()}

    def _fits(self, shape: s.Shape, plain: Any) -> bool:
        return fits(shape, plain, self._types, self._limits, self._known)
