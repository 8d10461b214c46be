"""Whether what one operation gives could be what another takes."""

from __future__ import annotations

from entrepot.model import shape as s
from entrepot.shapes.kinds import kind_of, kinds_of


def may_be(given: s.Shape, taken: s.Shape, types: s.Types) -> bool:
    """Whether a value of the shape `given` could be one of `taken`, null apart.

    Constraints are not weighed against each other: which value it is, only the call tells.
    """
    return _Fitting(types).may_be(given, taken)


class _Fitting:
    def __init__(self, types: s.Types) -> None:
        self._types = types
        self._known: dict[tuple[int, int], bool] = {}
        """By pair of shapes; while one is looked at, whatever leads back to it finds it fit."""

    def may_be(self, given: s.Shape, taken: s.Shape) -> bool:
        given, taken = s.unwrap(given, self._types), s.unwrap(taken, self._types)
        pair = id(given), id(taken)
        if pair not in self._known:
            self._known[pair] = True
            self._known[pair] = self._is_fit(given, taken)
        return self._known[pair]

    def _is_fit(self, given: s.Shape, taken: s.Shape) -> bool:
        match given, taken:
            case (s.Anything() | s.Json(), _) | (_, s.Anything() | s.Json()):
                return True
            case s.Union(arms=arms), _:
                return any(self.may_be(arm, taken) for arm in arms)
            case _, s.Union(arms=arms):
                return any(self.may_be(given, arm) for arm in arms)
            case s.Enum(), s.Enum():
                return given.open or taken.open or not _wires(given).isdisjoint(_wires(taken))
            case (s.Enum(values=values), other) | (other, s.Enum(values=values)):
                return not kinds_of(other, self._types).isdisjoint(kind_of(each.wire) for each in values)
            case s.Tuple(items=ours), s.Tuple(items=theirs):
                return len(ours) == len(theirs) and all(map(self.may_be, ours, theirs))
            case s.Record(), s.Record():
                return all(self._gives(given, field) for field in taken.fields)
            case (s.List(), s.List()) | (s.Page(), s.Page()) | (s.Map(), s.Map()):
                return all(map(self.may_be, s.parts(given), s.parts(taken)))
            case (s.DateTime(zone=one), s.DateTime(zone=other)) | (s.Time(zone=one), s.Time(zone=other)):
                return one == other or "any" in (one, other)
            case _:
                return type(given) is type(taken) or (
                    isinstance(given, s.Int) and isinstance(taken, s.Float | s.Decimal)
                )

    def _gives(self, record: s.Record, field: s.Field) -> bool:
        own = record.field(field.name)
        return not field.required if own is None else self.may_be(own.shape, field.shape)


def _wires(enum: s.Enum) -> set[object]:
    return {(type(each.wire), each.wire) for each in enum.values}
