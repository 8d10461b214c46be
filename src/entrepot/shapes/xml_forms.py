"""How the plain data of each shape stands in an element: what reads it, and what writes it. Compiled once."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape as escaped

import msgspec

from entrepot.kit.pointers import escape
from entrepot.model import shape as s
from entrepot.model.fault import Issue
from entrepot.shapes import text
from entrepot.shapes.arms import Candidates
from entrepot.shapes.scalars import SCALARS
from entrepot.shapes.unsayable import Unsayable
from entrepot.shapes.xml_names import PLAIN, Scope, Tag, attribute, element, over
from entrepot.shapes.xml_tree import BLANKS, has_text, is_nil, text_of

Read = Callable[[Element, str, list[Issue]], Any]
"""The plain data that an element stands for, which has this pointer; adds what is wrong with it as XML."""
Write = Callable[[Any, Tag, list[str], str], None]
"""Writes plain data, which has this pointer, as an element."""

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_NIL = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document holds, however they are written (XML 1.0, §2.2)."""
_IN_TEXT = {"\r": "&#13;"}
_IN_ATTRIBUTE = {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;", '"': "&quot;"}
"""What a parser would make something else of."""
SCOPES_MAX = 64
"""In how many sets of namespaces one type may stand: with prefixes they double at every type."""


class Form(NamedTuple):
    """How one shape stands in an element."""

    read: Read
    write: Write


class _Member(NamedTuple):
    """A field that is an element, or one for each item of a list."""

    name: str
    tag: Tag
    form: Form
    repeats: bool = False
    nullable: bool = False
    """Of what repeats: whether one element that is nil is null instead of a list."""
    empty: bool = False
    """Of what repeats: whether no element is a list without items."""


class _Attribute(NamedTuple):
    """A field that is an attribute."""

    name: str
    tag: Tag
    read: Callable[[str], Any]


class Forms:
    """Compiles the shapes of one service."""

    def __init__(self, types: s.Types) -> None:
        self._types = types
        self._named: dict[tuple[str, Scope, str], list[Form]] = {}
        self._uncompiled: deque[tuple[str, Scope, str]] = deque()
        self._scopes: dict[str, set[Scope]] = {}

    def of(self, shape: s.Shape, scope: Scope, around: str) -> Form:
        """The form of a shape inside these namespaces, in an element called `around`. Raises `Unsayable`."""
        form = self._of(shape, scope, around)
        while self._uncompiled:
            key = self._uncompiled.popleft()
            self._named[key].append(self._of(self._types[key[0]], key[1], key[2]))
        return form

    def _of(self, shape: s.Shape, scope: Scope, around: str) -> Form:
        match shape:
            case s.Ref(name=name):
                return self._ref((name, scope, around if isinstance(s.unwrap(shape, self._types), s.List) else ""))
            case s.Nullable(shape=inner):
                return _nullable(self._of(inner, scope, around), s.unwrap(inner, self._types), self._types)
            case s.List(item=item):
                tag, inside = self._item(shape, PLAIN, around, scope)
                return _list(tag, self._of(item, inside, around))
            case s.Page():
                return self._record(shape.record, scope)
            case s.Record():
                return self._record(shape, scope)
            case s.Union(choose="tag"):
                return self._tagged(shape, scope)
            case s.Union(choose="keys"):
                return self._by_keys(shape, scope)
            case _ if isinstance(shape, SCALARS):
                return _scalar(shape)
            case _:
                raise Unsayable(_REASONS.get(type(shape), "XML has no word for it"))

    def _ref(self, key: tuple[str, Scope, str]) -> Form:
        if key not in self._named:
            self._named[key] = []
            self._uncompiled.append(key)
            scopes = self._scopes.setdefault(key[0], set())
            scopes.add(key[1])
            if len(scopes) > SCOPES_MAX:
                raise Unsayable(f"{key[0]} stands inside too many sets of namespaces")
        found = self._named[key]
        return Form(
            lambda element, pointer, issues: found[0].read(element, pointer, issues),
            lambda plain, tag, out, pointer: found[0].write(plain, tag, out, pointer),
        )

    def _item(self, part: s.List, form: s.XmlForm, around: str, scope: Scope) -> tuple[Tag, Scope]:
        """The element of each item: as the item says, else as `form` and the element around are called."""
        said = over(part.item_xml, own_form(part.item, self._types))
        return element(around, over(said, form), scope)

    def _record(self, record: s.Record, scope: Scope) -> Form:
        return _record(self._parts(record, scope), forbids=record.extras == "forbid")

    def _parts(self, record: s.Record, scope: Scope) -> _Parts:
        if record.extras == "keep":
            raise Unsayable("members of any name have no elements")
        parts = _Parts([], [])
        for field in record.fields:
            form = field.xml or PLAIN
            if form.kind == "attribute":
                parts.attributes.append(self._attribute(field, form, scope))
            elif form.kind == "element":
                parts.members.append(self._member(field, form, scope))
            else:
                raise Unsayable(f"{field.name} is a {form.kind}, which only SOAP has")
        marks = parts.marks
        if twice := next((mark for mark in marks if marks.count(mark) > 1), None):
            raise Unsayable(f"two members are called {twice.name}")
        return parts

    def _attribute(self, field: s.Field, form: s.XmlForm, scope: Scope) -> _Attribute:
        part = s.resolve(field.shape, self._types)
        if not isinstance(part, SCALARS) or isinstance(part, s.Null):
            raise Unsayable(f"{field.name} is an attribute and no text, or may be null")
        return _Attribute(field.name, attribute(field.name, form, scope), _reader(part))

    def _member(self, field: s.Field, form: s.XmlForm, scope: Scope) -> _Member:
        part = s.unwrap(field.shape, self._types)
        if not isinstance(part, s.List) or form.wrapped or (part.xml or PLAIN).wrapped:
            tag, inner = element(field.name, form, scope)
            return _Member(field.name, tag, self._of(field.shape, inner, form.name or field.name))
        nullable = isinstance(s.resolve(field.shape, self._types), s.Nullable)
        if nullable and isinstance(s.resolve(part.item, self._types), s.Nullable | s.Null | s.Enum):
            raise Unsayable(f"of {field.name} null and a list of one null look alike; it would have to be wrapped")
        if not field.required and field.default not in (msgspec.UNSET, []):
            raise Unsayable(f"{field.name} without items would be its default; it would have to be wrapped")
        tag, inner = self._item(part, form, field.name, scope)
        item = self._of(part.item, inner, field.name)
        return _Member(field.name, tag, item, repeats=True, nullable=nullable, empty=field.must_be_present)

    def _arms(self, union: s.Union, scope: Scope) -> list[tuple[s.Record, _Parts]]:
        records = [s.resolve(arm, self._types) for arm in union.arms]
        if not all(isinstance(record, s.Record) for record in records):
            raise Unsayable("of a union with anything but records XML does not tell the arms apart")
        return [(record, self._parts(record, scope)) for record in records if isinstance(record, s.Record)]

    def _tagged(self, union: s.Union, scope: Scope) -> Form:
        """The arm is told by the element, or attribute, of the tag, which is the same in all."""
        arms = self._arms(union, scope)
        marks = {parts.mark(union.tag_field) for _, parts in arms}
        forms: dict[str, Form] = {}
        for tag, (record, parts) in zip(union.tags, arms, strict=True):
            forms.setdefault(tag, _record(parts, forbids=record.extras == "forbid"))
        [mark] = marks if len(marks) == 1 else [None]
        if mark is None:
            raise Unsayable(f"{union.tag_field}, by which the arms of a union are told apart, is not the same in all")

        def read(element: Element, pointer: str, issues: list[Issue]) -> Any:
            if is_nil(element):
                return None
            said = mark.of(element)
            form = forms.get("" if said is None else said)
            return {union.tag_field: said} if form is None else form.read(element, pointer, issues)

        def write(plain: Any, tag: Tag, out: list[str], pointer: str) -> None:
            forms[plain[union.tag_field]].write(plain, tag, out, pointer)

        return Form(read, write)

    def _by_keys(self, union: s.Union, scope: Scope) -> Form:
        """The arm is told by what it requires and no other has."""
        arms = self._arms(union, scope)
        every = [frozenset(parts.marks) for _, parts in arms]
        own = [
            frozenset(mark for mark in parts.marks if _is_certain(record, parts, mark))
            - frozenset().union(*(other for other in every if other is not mine))
            for (record, parts), mine in zip(arms, every, strict=True)
        ]
        if not all(own):
            raise Unsayable("no element tells the arms of a union apart")
        candidates = Candidates(union, self._types)
        forms = [_record(parts, forbids=record.extras == "forbid") for record, parts in arms]

        def read(element: Element, pointer: str, issues: list[Issue]) -> Any:
            if is_nil(element):
                return None
            form = next((form for form, marks in zip(forms, own, strict=True) if _any_of(marks, element)), None)
            return {} if form is None else form.read(element, pointer, issues)

        def write(plain: Any, tag: Tag, out: list[str], pointer: str) -> None:
            [arm] = candidates.of(plain)
            forms[union.arms.index(arm)].write(plain, tag, out, pointer)

        return Form(read, write)


def own_form(shape: s.Shape, types: s.Types) -> s.XmlForm | None:
    """What a shape says of how it is called, wherever it stands."""
    found = s.unwrap(shape, types)
    return found.xml if isinstance(found, s.Record | s.List) else None


_REASONS: dict[type, str] = {
    s.Map: "the names of a map's members are data, and not those of elements",
    s.Tuple: "the items of a tuple have no names",
    s.Anything: "of a value of any type XML does not say which it is",
    s.Json: "of a value under a schema without a typed shape XML does not say of which type it is",
    s.Union: "of several types, or of records with nothing of their own, XML does not say which a value has",
    s.File: "octets are a body of their own",
    s.Raw: "octets are a body of their own",
}


class _Mark(NamedTuple):
    """An element or an attribute by its name."""

    name: str
    is_attribute: bool

    def of(self, element: Element) -> str | None:
        """Its text in this element, None where there is none."""
        if self.is_attribute:
            return element.get(self.name)
        found = element.find(self.name)
        return None if found is None else text_of(found)


class _Parts(NamedTuple):
    """A record's attributes and elements."""

    attributes: list[_Attribute]
    members: list[_Member]

    @property
    def marks(self) -> list[_Mark]:
        """The names of all."""
        in_tag = [_Mark(each.tag.name, True) for each in self.attributes]
        return in_tag + [_Mark(each.tag.name, False) for each in self.members]

    def mark(self, name: str) -> _Mark | None:
        """That of the field of this name."""
        names = [each.name for each in self.attributes] + [each.name for each in self.members]
        return self.marks[names.index(name)] if name in names else None


def _is_certain(record: s.Record, parts: _Parts, mark: _Mark) -> bool:
    """Whether the field of this name is in every element: it is required, and no list that may be no element at all."""
    lists = [member.name for member in parts.members if member.repeats]
    return any(field.required and field.name not in lists and parts.mark(field.name) == mark for field in record.fields)


def _any_of(marks: frozenset[_Mark], element: Element) -> bool:
    return any(mark.of(element) is not None for mark in marks)


def _record(parts: _Parts, *, forbids: bool) -> Form:
    attributes = {each.tag.name: each for each in parts.attributes}
    members = {each.tag.name: each for each in parts.members}
    lists = [each for each in parts.members if each.repeats]
    places = {each.name: f"/{escape(each.name)}" for each in parts.members}

    def read(element: Element, pointer: str, issues: list[Issue]) -> Any:
        if is_nil(element):
            return None
        plain: dict[str, Any] = {}
        for name, said in element.items():
            if (known := attributes.get(name)) is not None:
                plain[known.name] = known.read(said)
            elif forbids and not name.startswith(_XSI):
                plain[f"@{name}"] = None
        for child in element:
            member = members.get(child.tag)
            if member is not None:
                _take(member, child, plain, pointer + places[member.name], issues)
            elif forbids:
                plain[child.tag] = None  # which is told to be unknown
        for each in lists:
            _settle(each, plain)
        if has_text(element):
            issues.append(Issue(pointer, "type", "holds text beside its elements"))
        return plain

    def write(plain: Any, tag: Tag, out: list[str], pointer: str) -> None:
        out.append(tag.start)
        for each in parts.attributes:
            if each.name in plain:
                said = _said(plain[each.name], f"{pointer}/{escape(each.name)}", _IN_ATTRIBUTE)
                out.append(f"{each.tag.start}{said}{each.tag.end}")
        out.append(">")
        for member in parts.members:
            if member.name in plain:
                _write_member(member, plain[member.name], out, pointer + places[member.name])
        out.append(tag.end)

    return Form(read, write)


def _take(member: _Member, child: Element, plain: dict[str, Any], here: str, issues: list[Issue]) -> None:
    if member.repeats:
        items = plain.setdefault(member.name, [])
        items.append(member.form.read(child, f"{here}/{len(items)}", issues))
    elif member.name in plain:
        issues.append(Issue(here, "duplicate", "is given more than once"))
    else:
        plain[member.name] = member.form.read(child, here, issues)


def _settle(member: _Member, plain: dict[str, Any]) -> None:
    items = plain.get(member.name)
    if items is None and member.empty:
        plain[member.name] = []
    elif items == [None] and member.nullable:
        plain[member.name] = None


def _write_member(member: _Member, plain: Any, out: list[str], pointer: str) -> None:
    if not member.repeats:
        member.form.write(plain, member.tag, out, pointer)
    elif plain is None:
        out.append(f"{member.tag.start}{_NIL}")
    else:
        for index, each in enumerate(plain):
            member.form.write(each, member.tag, out, f"{pointer}/{index}")


def _list(tag: Tag, item: Form) -> Form:
    def read(element: Element, pointer: str, issues: list[Issue]) -> Any:
        if is_nil(element):
            return None
        if has_text(element):
            issues.append(Issue(pointer, "type", "holds text beside its elements"))
        found: list[Any] = []
        for child in element:
            if child.tag == tag.name:
                found.append(item.read(child, f"{pointer}/{len(found)}", issues))
            else:
                issues.append(Issue(pointer, "unknown", f"holds the element {child.tag}, and its items are {tag.name}"))
        return found

    def write(plain: Any, around: Tag, out: list[str], pointer: str) -> None:
        out.append(f"{around.start}>")
        for index, each in enumerate(plain):
            item.write(each, tag, out, f"{pointer}/{index}")
        out.append(around.end)

    return Form(read, write)


def _nullable(inner: Form, part: s.Shape, types: s.Types) -> Form:
    """No text is null, too, where it would be nothing else: some write null so."""
    by_absence = isinstance(part, SCALARS) and not text.may_be_empty(part, types)

    def read(element: Element, pointer: str, issues: list[Issue]) -> Any:
        if is_nil(element) or (by_absence and not element.text and not len(element)):
            return None
        return inner.read(element, pointer, issues)

    def write(plain: Any, tag: Tag, out: list[str], pointer: str) -> None:
        if plain is None:
            out.append(f"{tag.start}{_NIL}")
        else:
            inner.write(plain, tag, out, pointer)

    return Form(read, write)


def _scalar(shape: Any) -> Form:
    read_text = _reader(shape)

    def read(element: Element, pointer: str, issues: list[Issue]) -> Any:
        if is_nil(element):
            return None
        if len(element):
            issues.append(Issue(pointer, "type", "holds elements, where text is expected"))
        return read_text(text_of(element))

    def write(plain: Any, tag: Tag, out: list[str], pointer: str) -> None:
        out.append(f"{tag.start}>{_said(plain, pointer, _IN_TEXT)}{tag.end}")

    return Form(read, write)


def _reader(shape: Any) -> Callable[[str], Any]:
    """What a text stands for as plain data. Blanks around it are its own only where it is free text."""
    match shape:
        case s.Text():
            return lambda said: said
        case s.Bytes():
            return lambda said: text.plain(shape, "".join(said.split()))
        case s.Enum(values=values):
            spelt = [text.spelling(value.wire) for value in values]
            if len(set(spelt)) < len(spelt):
                raise Unsayable("two values of an enumeration have one text")
            if shape.open and not all(isinstance(each.wire, str) for each in values):
                raise Unsayable("of a value that an enumeration does not list XML does not say whether it is text")
            return lambda said: text.plain(shape, said if said in spelt or shape.open else said.strip(BLANKS))
        case _:
            return lambda said: text.plain(shape, said.strip(BLANKS))


def _said(plain: Any, pointer: str, marks: dict[str, str]) -> str:
    """Scalar data as the text of an element or an attribute."""
    said = text.spelling(plain)
    if not isinstance(plain, str):
        return said
    if (odd := _NOT_XML.search(said)) is not None:
        raise Unsayable(f"XML has no word for the character U+{ord(odd[0]):04X}", pointer)
    return escaped(said, marks)
