"""The schemas of an OpenAPI document as shapes and fields, refused where they have none."""

from __future__ import annotations

import re
from collections.abc import Iterable

from entrepot.kit import names
from entrepot.model import shape
from entrepot.model.shape import Field, Record, Shape
from entrepot.protocols.rest.openapi.document import Node, Unreadable
from entrepot.shapes.schema_fields import read_field
from entrepot.shapes.schema_in import Gap, Reader
from entrepot.shapes.schema_words import python_names

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Schemas:
    """Reads the schemas of one document; named ones are gathered in `types`."""

    def __init__(self, root: Node) -> None:
        self._reader = Reader(root.value)

    @property
    def types(self) -> dict[str, Shape]:
        """The named types that were led to so far."""
        return self._reader.types

    @property
    def loosened(self) -> list[Gap]:
        """What was read more loosely than it is written."""
        return self._reader.loosened

    def shape(self, schema: Node) -> Shape:
        """The shape of a schema; none at all is any JSON value. Raises `Unreadable`."""
        if schema.value is None:
            return shape.Anything()
        reading = self._reader.read(schema.value, schema.pointer)
        if reading.refusals:
            gap = reading.refusals[0]
            raise Unreadable(Node(schema.root, None, gap.pointer), f"{gap.construct}: {gap.reason}")
        return reading.shape

    def field(self, name: str, attribute: str, schema: Node, *, required: bool) -> Field:
        """A field with what its schema says of it besides its shape. Raises `Unreadable`."""
        said = schema.value if isinstance(schema.value, dict) else {}
        found = self.shape(schema)
        return read_field(name, attribute, said, required, lambda _name, _schema: found)

    def resolved(self, part: Shape) -> Shape:
        """The shape behind references."""
        return shape.resolve(part, self.types)

    def record(self, schema: Node) -> Record | None:
        """The record that a schema is, references followed; None when it is something else. Raises `Unreadable`."""
        found = self.resolved(self.shape(schema))
        return found if isinstance(found, Record) else None

    def reachable(self, roots: Iterable[Shape]) -> dict[str, Shape]:
        """The named types that these shapes lead to, in the order they were read."""
        reached = shape.names_reached(roots, self.types)
        return {name: part for name, part in self.types.items() if name in reached}


def field_name(wire: str) -> str:
    """What a parameter is called in every protocol: its own name where that is an identifier."""
    return wire if _IDENTIFIER.fullmatch(wire) else names.snake(wire)


def attribute_name(wire: str) -> str:
    """What a parameter is called in Python."""
    return python_names([wire])[wire]
