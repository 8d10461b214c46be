"""Values as XML: what comes back is what was written, names are those of the schema, and no document does harm."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, reject, settings
from hypothesis import strategies as st

from entrepot.kit.limits import Limits
from entrepot.model import shape as s
from entrepot.model.faults import Invalid, Malformed, TooLarge
from entrepot.shapes.unsayable import Unsayable
from entrepot.shapes.values import Values
from entrepot.shapes.xml import Xml, unfit
from support.in_xml import Sayable
from support.strategies import Contract, contracts, values_of

law = settings(max_examples=400, suppress_health_check=list(HealthCheck))
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def xml(shape: s.Shape, types: dict[str, s.Shape] | None = None, limits: Limits | None = None) -> Xml:
    values = Values(types or {}, limits=limits or Limits())
    return Xml(values.codec(shape), values, "thing")


def record(*fields: s.Field, **more: Any) -> s.Record:
    return s.Record(fields=fields, **more)


def field(name: str, shape: s.Shape, **more: Any) -> s.Field:
    form = {key: more.pop(key) for key in ("kind", "namespace", "prefix", "wrapped") if key in more}
    called = {"name": more.pop("called")} if "called" in more else {}
    return s.Field(name=name, shape=shape, xml=s.XmlForm(**form, **called) if form or called else None, **more)


def written(shape: s.Shape, plain: Any, types: dict[str, s.Shape] | None = None) -> str:
    """The document of plain data, without its declaration, which is read as the same again."""
    values = Values(types or {})
    codec = values.codec(shape)
    both = Xml(codec, values, "thing")
    value = codec.of_plain(plain)
    document = both.encode(value)
    assert both.decode(document) == value
    return document.decode().removeprefix('<?xml version="1.0" encoding="UTF-8"?>')


@given(st.data(), contracts())
@law
def test_a_value_survives_being_written_and_read(data: st.DataObject, contract: Contract) -> None:
    sayable = Sayable(contract)
    note(f"{sayable.shape} {sayable.types}")
    values = Values(sayable.types)
    codec = values.codec(sayable.shape)
    reason = unfit(sayable.shape, sayable.types)
    try:
        both = Xml(codec, values, "thing")
        value = codec.of_plain(data.draw(values_of(sayable.shape, sayable.types)))
        document = both.encode(value)
    except Unsayable as unsayable:
        known = unsayable.reason == reason or "character" in unsayable.reason
        if known:
            reject()
        raise
    assert not reason
    note(document.decode())
    assert both.decode(document) == value


PARTS = [
    "<a>", "</a>", "<b/>", "<b>1</b>", "<b>x</b>", "&amp;", "&x;", "&#0;", "<!--", "-->", "<?x?>", "<![CDATA[", "]]>",
    " c='1'", "<!DOCTYPE a>", "\xff", "<", ">", "é", " ", "<a xmlns='u'>", f"<b {XSI} xsi:nil='1'/>",
]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS), max_size=12).map(lambda parts: "".join(parts).encode("latin-1")) | st.binary())
@settings(max_examples=1500)
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    with contextlib.suppress(Malformed, Invalid):
        xml(record(field("b", s.List(item=s.Nullable(shape=s.Int()))), extras="forbid")).decode(octets)


TEXTS = s.List(item=s.Text())


def listed(item: str = "", **more: Any) -> s.List:
    return s.List(item=s.Text(), item_xml=s.XmlForm(name=item) if item else None, **more)


@pytest.mark.parametrize(
    ("part", "document"),
    [
        # The examples of OpenAPI 3.1, §4.8.26.
        (field("animals", s.Text()), "<animals>a</animals>"),
        (field("animals", s.Text(), called="animal"), "<animal>a</animal>"),
        (field("animals", TEXTS), "<animals>a</animals><animals>b</animals>"),
        (field("animals", listed("animal")), "<animal>a</animal><animal>b</animal>"),
        (field("animals", TEXTS, wrapped=True), "<animals><animals>a</animals><animals>b</animals></animals>"),
        (field("animals", listed("animal"), called="aliens"), "<animal>a</animal><animal>b</animal>"),
        (
            field("animals", listed("animal"), called="aliens", wrapped=True),
            "<aliens><animal>a</animal><animal>b</animal></aliens>",
        ),
        (
            field("animals", TEXTS, called="aliens", wrapped=True),
            "<aliens><aliens>a</aliens><aliens>b</aliens></aliens>",
        ),
        (
            field("animals", s.Text(), namespace="urn:x", prefix="sample"),
            '<sample:animals xmlns:sample="urn:x">a</sample:animals>',
        ),
        (field("animals", s.Text(), namespace="urn:x"), '<animals xmlns="urn:x">a</animals>'),
    ],
)
def test_members_are_elements_as_the_schema_calls_them(part: s.Field, document: str) -> None:
    plain = ["a", "b"] if isinstance(part.shape, s.List) else "a"
    assert written(record(part), {"animals": plain}) == f"<thing>{document}</thing>"


def test_attributes_namespaces_and_prefixes() -> None:
    inner = record(
        field("id", s.Int(bits=64), kind="attribute"),
        field("lang", s.Text(), kind="attribute", prefix="p", required=False),
        field("name", s.Text(), prefix="p"),
        xml=s.XmlForm(name="person", namespace="urn:p", prefix="p"),
    )
    types: dict[str, s.Shape] = {"Person": inner}
    plain = {"id": 2**63 - 1, "lang": 'a"\n', "name": "<A&B>"}
    assert written(s.Ref(name="Person"), plain, types) == (
        '<p:person xmlns:p="urn:p" id="9223372036854775807" p:lang="a&quot;&#10;">'
        "<p:name>&lt;A&amp;B&gt;</p:name></p:person>"
    )


def test_a_member_is_called_by_its_field_and_an_item_by_its_type() -> None:
    types: dict[str, s.Shape] = {"Tag": record(field("id", s.Int()), xml=s.XmlForm(name="tag"))}
    shape = record(
        field("first", s.Ref(name="Tag")), field("all", s.List(item=s.Ref(name="Tag")), wrapped=True),
        xml=s.XmlForm(name="w", namespace="urn:w"),
    )  # fmt: skip
    assert written(shape, {"first": {"id": 1}, "all": [{"id": 2}]}, types) == (
        '<w xmlns="urn:w"><first><id>1</id></first><all><tag><id>2</id></tag></all></w>'
    )


@pytest.mark.parametrize(
    ("shape", "plain", "inside"),
    [
        (s.Nullable(shape=s.Int()), None, f'<a {XSI} xsi:nil="true"/>'),
        (s.Nullable(shape=s.Text()), "", "<a></a>"),
        (s.Nullable(shape=TEXTS), None, f'<a {XSI} xsi:nil="true"/>'),
        (s.Nullable(shape=TEXTS), [], ""),
        (s.List(item=s.Nullable(shape=s.Int())), [1, None], f'<a>1</a><a {XSI} xsi:nil="true"/>'),
        (s.List(item=TEXTS), [["x", "y"], []], "<a><a>x</a><a>y</a></a><a></a>"),
        (s.Decimal(wire="number"), Decimal("1.10"), "<a>1.10</a>"),
        (s.Int(), 10**40, f"<a>{10**40}</a>"),
        (s.Float(), 1e300, "<a>1e300</a>"),
        (s.Bool(), True, "<a>true</a>"),
        (s.Text(), " x\r\n\t", "<a> x&#13;\n\t</a>"),
        (s.Bytes(), "AP8=", "<a>AP8=</a>"),
        (s.Enum(values=(s.EnumValue("x"), s.EnumValue(1), s.EnumValue(False))), 1, "<a>1</a>"),
        (s.DateTime(wire="unix"), 1700000000, "<a>1700000000</a>"),
        (s.DateTime(), "2024-01-31T10:00:00.250000+02:00", "<a>2024-01-31T10:00:00.250000+02:00</a>"),
    ],
)
def test_every_scalar_and_null_stays_what_it_is(shape: s.Shape, plain: Any, inside: str) -> None:
    assert written(record(field("a", shape)), {"a": plain}) == f"<thing>{inside}</thing>"


def test_absent_is_no_element() -> None:
    shape = record(field("a", s.Nullable(shape=s.Text()), required=False), field("b", TEXTS, required=False))
    assert written(shape, {}) == "<thing></thing>"


CAT = record(field("kind", s.Enum(values=(s.EnumValue("cat"),)), kind="attribute"), field("lives", s.Int()))
DOG = record(field("kind", s.Enum(values=(s.EnumValue("dog"),)), kind="attribute"), field("tricks", TEXTS))


def test_arms_are_told_by_their_tag_or_by_what_only_they_have() -> None:
    tagged = s.Union(arms=(CAT, DOG), choose="tag", tag_field="kind", tags=("cat", "dog"))
    assert written(tagged, {"kind": "dog", "tricks": ["sit"]}) == '<thing kind="dog"><tricks>sit</tricks></thing>'
    by_keys = s.Union(arms=(record(field("a", s.Int())), record(field("b", s.Int()))), choose="keys")
    assert written(by_keys, {"b": 1}) == "<thing><b>1</b></thing>"
    for document in (b"<thing/>", b'<thing kind="cow"/>'):
        for union in (tagged, by_keys):
            with pytest.raises(Invalid) as raised:
                xml(union).decode(document)
            assert [each.code for each in raised.value.issues] == ["variant"]


def test_a_recursive_type_is_written_as_deep_as_it_goes() -> None:
    types: dict[str, s.Shape] = {"Node": record(field("id", s.Int()), field("in", s.Ref(name="Node"), required=False))}
    plain = {"id": 1, "in": {"id": 2, "in": {"id": 3}}}
    assert written(s.Ref(name="Node"), plain, types) == (
        "<Node><id>1</id><in><id>2</id><in><id>3</id></in></in></Node>"
    )


def test_the_root_is_called_by_its_schema_or_as_anybody_likes() -> None:
    called = record(field("a", s.Int()), xml=s.XmlForm(name="pet"))
    with pytest.raises(Invalid, match="type"):
        xml(called).decode(b"<dog><a>1</a></dog>")
    assert xml(record(field("a", s.Int()))).decode(b"<dog><a> 1\n</a></dog>").a == 1
    assert (
        written(s.List(item=s.Int(), xml=s.XmlForm(name="ns"), item_xml=s.XmlForm(name="n")), [1])
        == "<ns><n>1</n></ns>"
    )


@pytest.mark.parametrize(
    ("document", "code", "words"),
    [
        (b"", "syntax", "no element found"),
        (b"<a>", "syntax", "line 1, column 3"),
        (b"<!DOCTYPE a><a/>", "syntax", "document type"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><!-- ? -->\n<?b c?><!DOCTYPE a><a/>", "syntax", "document type"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "syntax", "document type"),
        (b"<a>&x;</a>", "syntax", "undefined entity"),
        (b'<?xml version="1.0" encoding="latin-1"?><a/>', "encoding", "only UTF-8"),
        (b"<a>\xff</a>", "syntax", "line 1"),
        ("<a/>".encode("utf-16"), "encoding", "not UTF-8"),
        (b"<a>" * 65 + b"</a>" * 65, "depth", "64 deep"),
        (b"<a>" * 100_000 + b"</a>" * 100_000, "depth", "64 deep"),
        (b"<a b='1' b='2'/>", "syntax", "duplicate attribute"),
        (b"<a/><b/>", "syntax", "junk"),
        (b"<x:a/>", "syntax", "unbound prefix"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(document: bytes, code: str, words: str) -> None:
    types: dict[str, s.Shape] = {"Node": record(field("a", s.Ref(name="Node"), required=False))}
    with pytest.raises(Malformed) as raised:
        xml(s.Ref(name="Node"), types).decode(document)
    [issue] = raised.value.issues
    assert issue.code == code
    assert words in issue.message


LONG = b"u" * 100_000
MANY = b"".join(b" p:b%d=''" % number for number in range(1000))


@pytest.mark.parametrize(
    "document",
    [
        b"<a xmlns='%s'>%s</a>" % (LONG, b"<b/>" * 1000),
        b"<a xmlns:p='%s'%s/>" % (LONG, MANY),
        b'<a xmlns:p = "%s"%s/>' % (LONG, MANY),
        b"<a c='1'\n\txmlns:%s%s='%s'%s/>" % (b"p" * 500, b" " * 500, LONG, MANY),
        b"<a>%s<c xmlns:p%s='%s'/></a>" % (b"<b/>" * 1000, b" " * 500, LONG),
    ],
)
def test_a_long_namespace_of_many_names_is_too_large(document: bytes) -> None:
    with pytest.raises(TooLarge, match="a namespace of the XML is longer than"):
        xml(record()).decode(document)


def test_long_values_and_long_namespaces_of_few_names_are_read() -> None:
    both = xml(record(field("b", s.List(item=s.Text())), field("c", s.Text(), kind="attribute")))
    items = b"<b>x='%s</b>" % LONG + b"<b/>" * 1000
    assert len(both.decode(b"<thing xmlns:p='u' c='%s'>%s</thing>" % (LONG, items)).b) == 1001
    assert both.decode(b"<thing xmlns:p='%s' c=''><b>1</b></thing>" % LONG).b == ["1"]


def test_a_document_type_is_text_where_it_is_text() -> None:
    assert xml(s.Text()).decode(b"<a><![CDATA[<!DOCTYPE html>]]></a>") == "<!DOCTYPE html>"


def test_a_document_of_endless_marks_is_too_large() -> None:
    with pytest.raises(TooLarge, match="1000000 marks"):
        xml(s.Int()).decode(b"<a>" + b"<b/>" * 1_000_000 + b"</a>")


STRICT = record(
    field("id", s.Int(), kind="attribute"),
    field("a", s.Int()),
    field("b", s.List(item=s.Int()), wrapped=True),
    extras="forbid",
)


@pytest.mark.parametrize(
    ("inside", "issues"),
    [
        ("<a>x</a><b/>", [("/a", "type")]),
        ("<a>1</a><a>2</a><b/>", [("/a", "duplicate")]),
        ("<a><c/></a><b><c/>x</b>", [("/a", "type"), ("/b", "type"), ("/b", "unknown")]),
        ("<a>1</a><b><b>1</b><b>x</b></b>", [("/b/1", "type")]),
        ("<a>1</a><b/>x", [("", "type")]),
        ("<a>1</a><b/><c/>", [("/c", "unknown")]),
        ("<b/>", [("/a", "missing")]),
        (f"<a {XSI} xsi:nil='true'/><b/>", [("/a", "null")]),
        ('<a xmlns="urn:x">1</a><b/>', [("/a", "missing"), ("/{urn:x}a", "unknown")]),
    ],
)
def test_what_is_not_of_the_shape_is_told_with_its_place(inside: str, issues: list[tuple[str, str]]) -> None:
    with pytest.raises(Invalid) as raised:
        xml(STRICT).decode(f'<thing id="1">{inside}</thing>'.encode())
    assert sorted((each.pointer, each.code) for each in raised.value.issues) == sorted(issues)


def test_unknown_elements_and_attributes_are_read_over_where_unknown_members_are() -> None:
    shape = record(field("a", s.Int()))
    assert xml(shape).decode(b'<x y="1"><z><a>2</a></z><a>1</a><!-- n --><?p i?></x>').a == 1


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        (s.Map(value=s.Int()), "the names of a map's members are data"),
        (s.Anything(), "of a value of any type"),
        (s.Tuple(items=(s.Int(),)), "items of a tuple"),
        (s.Union(arms=(s.Int(), s.Text())), "which a value has"),
        (s.Union(arms=(CAT, s.Text()), choose="keys"), "anything but records"),
        (record(field("a b", s.Int())), "'a b' can be the name of no element"),
        (record(field("a", s.Int()), field("b", s.Int(), called="a")), "two members are called a"),
        (record(field("a", s.Int()), extras="keep"), "members of any name"),
        (record(field("a", TEXTS, kind="attribute")), "no text, or may be null"),
        (record(field("a", s.Int(), kind="text")), "only SOAP has"),
        (record(field("a", s.Int(), prefix="p")), "which namespace the prefix p"),
        (record(field("a", s.Int(), kind="attribute", namespace="urn:x")), "has no prefix"),
        (record(field("a", s.Nullable(shape=s.List(item=s.Nullable(shape=s.Int()))))), "look alike"),
        (record(field("a", TEXTS, required=False, default=["x"])), "would be its default"),
        (s.Enum(values=(s.EnumValue("1"), s.EnumValue(1))), "have one text"),
        (s.Enum(values=(s.EnumValue("a"), s.EnumValue(1)), open=True), "does not list"),
    ],
)
def test_what_xml_cannot_hold_is_refused_with_the_reason(shape: s.Shape, reason: str) -> None:
    assert reason in unfit(shape, {})
    with pytest.raises(Unsayable):
        xml(shape)


def test_a_character_that_xml_does_not_have_is_refused_with_its_place() -> None:
    values = Values({})
    codec = values.codec(record(field("a", TEXTS)))
    with pytest.raises(Unsayable, match="U\\+0000") as raised:
        Xml(codec, values, "thing").encode(codec.of_plain({"a": ["x", "\0"]}))
    assert raised.value.pointer == "/a/1"


def test_types_in_ever_more_namespaces_are_refused() -> None:
    names = [f"T{number}" for number in range(24)]
    fields = [field(each, s.Ref(each), required=False, prefix=each, namespace=f"urn:{each}") for each in names]
    assert "too many sets of namespaces" in unfit(s.Ref("T0"), dict.fromkeys(names, record(*fields)))
