"""How fields of an author's own types are written in XML."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
import pytest

from entrepot import Body
from entrepot.model import shape as s
from entrepot.shapes.class_fields import NoShape
from entrepot.shapes.reflect import Reflector
from entrepot.shapes.values import Values
from entrepot.shapes.xml import Xml as InXml


class Item(msgspec.Struct):
    """Something."""

    id: Annotated[int, Body.Xml(attribute=True)]
    tags: Annotated[list[str], Body.Xml(wrapped=True, item="tag")]
    note: Annotated[str, Body.Xml(name="remark", namespace="urn:n", prefix="n")] | None = None


@dataclass
class Plain:
    """The same of another kind."""

    names: Annotated[list[str], Body.Xml(item="name")] = field(default_factory=list)


def test_marks_become_forms_of_fields() -> None:
    reflector = Reflector()
    reflector.shape(Item)
    item = reflector.types["Item"]
    assert isinstance(item, s.Record)
    assert [each.xml for each in item.fields] == [
        s.XmlForm(kind="attribute"), s.XmlForm(wrapped=True), s.XmlForm(name="remark", namespace="urn:n", prefix="n"),
    ]  # fmt: skip
    assert item.fields[1].shape == s.List(item=s.Text(), item_xml=s.XmlForm(name="tag"))


def test_values_of_own_types_are_written_so() -> None:
    reflector = Reflector()
    shapes = [reflector.shape(each) for each in (Item, Plain)]
    values = Values(reflector.types, reflector.classes)
    written = [
        InXml(values.codec(shape), values, "x").encode(value).partition(b"?>")[2]
        for shape, value in zip(shapes, (Item(1, ["a"], "n"), Plain(["b", "c"])), strict=True)
    ]
    assert written == [
        b'<Item id="1"><tags><tag>a</tag></tags><n:remark xmlns:n="urn:n">n</n:remark></Item>',
        b"<Plain><name>b</name><name>c</name></Plain>",
    ]
    for shape, value in zip(shapes, (Item(1, []), Plain([])), strict=True):
        both = InXml(values.codec(shape), values, "x")
        assert both.decode(both.encode(value)) == value


@pytest.mark.parametrize("mark", [Body.Xml(wrapped=True), Body.Xml(item="x")])
def test_what_is_no_list_has_no_items(mark: Any) -> None:
    with pytest.raises(NoShape, match="is no list"):
        Reflector().shape(Annotated[int, mark])
