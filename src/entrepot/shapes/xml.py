"""Values as XML, by the `xml` object of OpenAPI (3.1, §4.8.26): shapes as elements, and back.

A record is an element with an element for each member, or an attribute where its form says so; a list is an element
for each item, inside one of its own where it is `wrapped`. Scalars are the texts of JSON without quotes, so every digit
stays. Null is `xsi:nil`, absence the absence of the element. A list that is not wrapped and has no items is absent.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from entrepot.model import shape as s
from entrepot.model.fault import Issue
from entrepot.model.faults import Invalid
from entrepot.shapes import xml_tree
from entrepot.shapes.collisions import refuse_colliding
from entrepot.shapes.traits import Trait
from entrepot.shapes.unsayable import Unsayable
from entrepot.shapes.values import Codec, Values
from entrepot.shapes.xml_forms import Forms, own_form
from entrepot.shapes.xml_names import PLAIN, Scope, element, over

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


class Xml:
    """Reads and writes values of one shape. Raises `Unsayable` for a shape that XML cannot carry.

    The root is called as its shape says, else by the shape's name, else `name`; where the shape does not say it, a root
    of any name is read.
    """

    def __init__(self, codec: Codec, values: Values, name: str, form: s.XmlForm | None = None) -> None:
        self._codec = codec
        self._values = values
        form = over(form, own_form(codec.shape, values.types))
        self._tag, scope = element(_name_of(codec.shape) or name, form, Scope())
        self._is_named = bool(form.name)
        self._form = Forms(values.types).of(codec.shape, scope, form.name or _name_of(codec.shape) or "item")

    @functools.cached_property
    def decode(self) -> Callable[[bytes], Any]:
        """The value written in this document. Raises `Malformed`, or `Invalid` with every issue and its pointer."""
        of_plain, limits, read = self._codec.of_plain, self._values.limits, self._form.read
        hashed = Trait.HASHED in self._codec.traits
        expected = self._tag.name if self._is_named else ""
        height = self._values.made.heights.of(self._codec.shape)
        bounded = height is not None and height <= limits.depth_max

        def decode(data: bytes) -> Any:
            root = xml_tree.parse(data, limits, bounded=bounded)
            issues: list[Issue] = []
            if expected and root.tag != expected:
                issues.append(Issue("", "type", f"the root element is {root.tag}, where {expected} is expected"))
            plain = read(root, "", issues) if not issues else None
            if issues:
                raise Invalid("the input does not fit its type", issues=tuple(issues[: limits.issues_max]))
            if hashed:
                refuse_colliding(plain)
            return of_plain(plain)

        return decode

    @property
    def decode_trusted(self) -> Callable[[bytes], Any]:
        """As `decode`."""
        return self.decode

    @functools.cached_property
    def encode(self) -> Callable[[Any], bytes]:
        """The value as a document. Raises `Unsayable` for a text that XML has no word for."""
        to_plain, tag, write = self._codec.to_plain, self._tag, self._form.write

        def encode(value: Any) -> bytes:
            out = [_DECLARATION]
            write(to_plain(value), tag, out, "")
            return "".join(out).encode()

        return encode


def _name_of(shape: s.Shape) -> str:
    while isinstance(shape, s.Nullable):
        shape = shape.shape
    return shape.name if isinstance(shape, s.Ref) else ""


def unfit(shape: s.Shape, types: s.Types, form: s.XmlForm | None = None) -> str:
    """Why values of a shape cannot be written as XML; "" when they can."""
    try:
        form = over(form, own_form(shape, types))
        _, scope = element(_name_of(shape) or "item", form or PLAIN, Scope())
        Forms(types).of(shape, scope, "item")
    except Unsayable as unsayable:
        return unsayable.reason
    return ""
