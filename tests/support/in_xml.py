"""Contracts in words that XML has."""

from __future__ import annotations

import msgspec

from entrepot.model import shape as s
from support.strategies import Contract


class Sayable:
    """A contract with plain names, and optional lists wrapped, so that none and no items differ."""

    def __init__(self, contract: Contract) -> None:
        self.shape = self._of(contract.shape)
        self.types = {name: self._of(part) for name, part in contract.types.items()}

    def _of(self, part: s.Shape) -> s.Shape:
        replace = msgspec.structs.replace
        match part:
            case s.Record(fields=fields):
                inside = [replace(each, shape=self._of(each.shape)) for each in fields]
                return replace(
                    part, fields=tuple(replace(each, xml=self._form(at, each)) for at, each in enumerate(inside))
                )
            case s.List(item=item) | s.Page(item=item):
                return replace(part, item=self._of(item))
            case s.Nullable(shape=inner):
                return replace(part, shape=self._of(inner))
            case s.Union(arms=arms):
                return replace(part, arms=tuple(map(self._of, arms)))
            case _:
                return part

    def _field(self, at: int, each: s.Field) -> s.Field:
        return msgspec.structs.replace(each, shape=self._of(each.shape), xml=self._form(at, each))

    def _form(self, at: int, each: s.Field) -> s.XmlForm:
        forms = [{}, {"namespace": "urn:a"}, {"namespace": "urn:b", "prefix": "b"}]
        kind = "attribute" if each.name in ("class", "keys") and isinstance(each.shape, s.Int | s.Text) else "element"
        form = forms[at % 3] if kind == "element" else {}
        name = f"m{sum(each.name.encode())}"
        return s.XmlForm(kind=kind, name=name, wrapped=not each.required, **form)  # type: ignore[arg-type]
