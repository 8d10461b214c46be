"""Members of one direction only: what a request may not set (`readOnly`), what a reply may not show (`writeOnly`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from entrepot.model import shape as s
from entrepot.shapes.traits import Trait
from entrepot.shapes.values import Values

Message = Literal["request", "reply"]
_ACCESS = {"request": "read", "reply": "write"}
_TRAIT = {"request": Trait.READ_ONLY, "reply": Trait.WRITE_ONLY}


def part_of(message: Message, shape: s.Shape, values: Values) -> Callable[[Any], Any] | None:
    """What takes from a value of the shape all that has no place in such a message; None when nothing is to be taken.

    The value itself stays as it is. Only classes made for records are looked at: an author's own
    have no such members.
    """
    if _TRAIT[message] not in values.codec(shape).traits:
        return None
    return _Part(values.made.records, _ACCESS[message]).of


class _Part:
    def __init__(self, records: Mapping[Any, s.Record], access: str) -> None:
        self._records = records
        self._access = access

    def of(self, value: Any) -> Any:
        if isinstance(value, msgspec.Struct):
            return self._of_struct(value)
        if isinstance(value, list | tuple):
            return type(value)(map(self.of, value))
        return {name: self.of(each) for name, each in value.items()} if type(value) is dict else value

    def _of_struct(self, value: msgspec.Struct) -> Any:
        record = self._records.get(type(value), s.Record(fields=()))
        taken = {field.attribute for field in record.fields if field.access == self._access}
        changed: dict[str, Any] = {}
        for name in value.__struct_fields__:
            member = getattr(value, name)
            kept = UNSET if name in taken else self.of(member)
            if kept is not member:
                changed[name] = kept
        return msgspec.structs.replace(value, **changed) if changed else value
