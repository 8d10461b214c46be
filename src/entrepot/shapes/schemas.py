"""The schemas that a contract names one by one, as shapes and fields."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from entrepot.model import shape as s
from entrepot.shapes.document import Node, Refusal, Tree, Unreadable
from entrepot.shapes.schema_fields import read_field
from entrepot.shapes.schema_in import Reader


class Schemas:
    """Reads the schemas of one document; named ones are gathered in `types`."""

    def __init__(self, tree: Tree) -> None:
        self._reader = Reader(tree)

    @property
    def types(self) -> dict[str, s.Shape]:
        """The named types that were led to so far."""
        return self._reader.types

    @property
    def loosened(self) -> list[Refusal]:
        """What was read more loosely than it is written."""
        return self._reader.loosened

    def shape(self, schema: Node) -> s.Shape:
        """The shape of a schema; none at all is any JSON value. Raises `Unreadable`."""
        if not schema:
            return s.Anything()
        reading = self._reader.read(schema.value, schema.pointer)
        for refusal in reading.refusals:
            raise Unreadable(refusal.construct, refusal.reason, refusal.pointer)
        return reading.shape

    def field(self, name: str, schema: Node, beside: Node, *, required: bool, attribute: str = "") -> s.Field:
        """A field of this schema, with what it and the object beside it say besides. Raises `Unreadable`."""
        said = schema.value if isinstance(schema.value, dict) else {}
        found = self.shape(schema)
        field = read_field(name, attribute, said, required, lambda _name, _schema: found)
        return msgspec.structs.replace(
            field,
            docs=beside["description"].text or field.docs,
            deprecated=field.deprecated or beside["deprecated"].is_true,
        )

    def resolved(self, part: s.Shape) -> s.Shape:
        """The shape behind references."""
        return s.resolve(part, self.types)

    def record(self, schema: Node) -> s.Record | None:
        """The record that a schema is, references followed; None when it is something else. Raises `Unreadable`."""
        found = self.resolved(self.shape(schema))
        return found if isinstance(found, s.Record) else None

    def reachable(self, roots: Iterable[s.Shape]) -> dict[str, s.Shape]:
        """The named types that these shapes lead to, in the order they were read."""
        reached = frozenset(s.names_reached(roots, self.types))
        return {name: part for name, part in self.types.items() if name in reached}
