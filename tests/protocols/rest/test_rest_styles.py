"""The styles of parameters: what our own server reads, and what our client then writes, is the same text."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from entrepot.model import shape as s
from entrepot.model.faults import Invalid
from entrepot.ports.exchange import Response
from entrepot.ports.protocol import Imported
from entrepot.protocols.rest import PROTOCOL
from entrepot.protocols.rest.binding.check import Unbindable
from entrepot.protocols.rest.binding.data import bind
from entrepot.protocols.rest.parameters.head import HeadWriter
from entrepot.shapes.document import Document
from entrepot.shapes.values import Values
from support.openapi import Upstream, comes_back, imported
from support.rest_shop import field, operation

Json = dict[str, Any]

TEXT = {"type": "string"}
LIST = {"type": "array", "items": TEXT}
COLOUR = {"type": "object", "properties": {"R": {"type": "integer"}, "G": TEXT, "B": TEXT}, "required": ["R"]}
FREE = {"type": "object", "additionalProperties": TEXT}


def behind(content: Json) -> Upstream:
    upstream = Upstream(imported(content))
    upstream.answer = Response(204)
    return upstream


def document(where: str, schema: Json, path: str = "/things", **said: Any) -> Json:
    """A document of one operation with one parameter, `color`."""
    parameter = {"name": "color", "in": where, "schema": schema, **said}
    parameter |= {"required": True} if where == "path" else {}
    get = {"operationId": "get", "parameters": [parameter], "responses": {"204": {"description": ""}}}
    return {"openapi": "3.1.0", "info": {"title": "Made", "version": "1"}, "paths": {path: {"get": get}}}


# The table of OpenAPI 3.1.1, §4.8.12.4, row by row


@pytest.mark.parametrize("path", ["/x/{color}", "/x/{color}/y", "/x{color}z"])
@pytest.mark.parametrize(
    ("style", "explode", "schema", "written"),
    [
        ("matrix", False, TEXT, ";color=blue"),
        ("matrix", False, LIST, ";color=blue,black,brown"),
        ("matrix", False, COLOUR, ";color=R,100,G,200,B,150"),
        ("matrix", True, TEXT, ";color=blue"),
        ("matrix", True, LIST, ";color=blue;color=black;color=brown"),
        ("matrix", True, COLOUR, ";R=100;G=200;B=150"),
        ("matrix", True, FREE, ";R=100;G=200;B=150"),
        ("label", False, TEXT, ".blue"),
        ("label", False, LIST, ".blue,black,brown"),
        ("label", False, COLOUR, ".R,100,G,200,B,150"),
        ("label", True, TEXT, ".blue"),
        ("label", True, TEXT, ".1.5"),
        ("label", True, LIST, ".blue.black.brown"),
        ("label", True, COLOUR, ".R=100.G=200.B=150"),
        ("simple", False, TEXT, "blue"),
        ("simple", False, LIST, "blue,black,brown"),
        ("simple", True, LIST, "blue,black,brown"),
        ("simple", False, COLOUR, "R,100,G,200,B,150"),
        ("simple", True, COLOUR, "R=100,G=200,B=150"),
        ("simple", True, FREE, "R=100,G=200,B=150"),
    ],
)
async def test_in_a_path(style: str, explode: bool, schema: Json, written: str, path: str) -> None:
    content = document("path", schema, path, style=style, explode=explode)
    upstream, sent = behind(content), path.replace("{color}", written)
    assert (await upstream.asked("GET", sent))[0].status == 204
    assert upstream.requests[-1].path == sent.encode()
    comes_back(content)


@pytest.mark.parametrize(
    ("style", "explode", "schema", "written"),
    [
        ("form", False, LIST, b"color=blue,black,brown"),
        ("form", False, COLOUR, b"color=R,100,G,200,B,150"),
        ("form", True, LIST, b"color=blue&color=black&color=brown"),
        ("form", True, COLOUR, b"R=100&G=200&B=150"),
        ("spaceDelimited", False, LIST, b"color=blue+black+brown"),
        ("spaceDelimited", False, COLOUR, b"color=R+100+G+200+B+150"),
        ("pipeDelimited", False, LIST, b"color=blue%7Cblack%7Cbrown"),
        ("pipeDelimited", False, COLOUR, b"color=R%7C100%7CG%7C200%7CB%7C150"),
        ("pipeDelimited", False, FREE, b"color=R%7C100%7CG%7C"),
        ("deepObject", True, COLOUR, b"color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150"),
    ],
)
async def test_in_a_query(style: str, explode: bool, schema: Json, written: bytes) -> None:
    content = document("query", schema, style=style, explode=explode)
    upstream = behind(content)
    for query in (written, written.replace(b"+", b"%20")):
        assert (await upstream.asked("GET", "/things", query))[0].status == 204
        assert upstream.requests[-1].query == written
    comes_back(content)


@pytest.mark.parametrize(
    ("where", "explode", "schema", "written"),
    [
        ("header", False, LIST, "blue,black,brown"),
        ("header", False, COLOUR, "R,100,G,200,B,150"),
        ("header", True, COLOUR, "R=100,G=200,B=150"),
        ("header", True, FREE, "R=a=b,G="),
        ("cookie", False, LIST, "color=blue%2Cblack"),
        ("cookie", False, COLOUR, "color=R%2C100%2CG%2C200%2CB%2C150"),
        ("cookie", True, LIST, "color=blue; color=black%2Cbrown; color="),
        ("cookie", True, LIST, "color="),
        ("cookie", True, COLOUR, "R=100; G=200; B=150"),
    ],
)
async def test_in_a_header(where: str, explode: bool, schema: Json, written: str) -> None:
    content = document(where, schema, explode=explode)
    upstream, name = behind(content), "color" if where == "header" else "cookie"
    assert (await upstream.asked("GET", "/things", **{name: written}))[0].status == 204
    assert upstream.got(name.encode()) == [written.encode()]
    comes_back(content)


@pytest.mark.parametrize(
    ("schema", "written", "value"),
    [
        (LIST, "color=a; color=b", {"color": ["a", "b"]}),
        (LIST, "color=", {"color": []}),
        (LIST, "", {}),
        (TEXT, "color=a; color=b", {"color": "a"}),
        (COLOUR, "R=1; R=2; x=y", {"R": 1}),
    ],
)
async def test_of_a_list_every_cookie_is_meant(schema: Json, written: str, value: Any) -> None:
    upstream = behind(document("cookie", schema))
    assert (await upstream.asked("GET", "/things", cookie=written))[0].status == 204
    service = imported(document("cookie", schema))
    values = Values(service.types)
    sent = HeadWriter(bind(service.operations[0], service.types), values, "").write(
        values.codec(service.operations[0].input).of_plain(value)
    )
    assert upstream.got(b"cookie") == [content for _, content in sent[2]]


@pytest.mark.parametrize(
    ("style", "explode", "schema", "items", "written"),
    [  # from RFC 6570, §3.2.2, §3.2.5 and §3.2.7; a dot alone is escaped, which is the same (RFC 3986, §6.2.2.2)
        ("simple", False, FREE, {"semi": ";", "dot": ".", "comma": ","}, "/semi,%3B,dot,%2E,comma,%2C"),
        ("simple", True, FREE, {"semi": ";", "dot": ".", "comma": ","}, "/semi=%3B,dot=%2E,comma=%2C"),
        ("matrix", False, FREE, {"semi": ";", "dot": ".", "comma": ","}, "/;color=semi,%3B,dot,%2E,comma,%2C"),
        ("matrix", True, FREE, {"semi": ";", "dot": ".", "comma": ","}, "/;semi=%3B;dot=%2E;comma=%2C"),
        ("label", False, FREE, {"semi": ";", "dot": ".", "comma": ","}, "/.semi,%3B,dot,%2E,comma,%2C"),
        ("label", True, FREE, {"semi": ";", "comma": ","}, "/.semi=%3B.comma=%2C"),
        ("matrix", False, TEXT, "/foo/here", "/;color=%2Ffoo%2Fhere"),
        ("label", False, TEXT, "50%", "/.50%25"),
        ("matrix", True, LIST, ["1=2", "", ";"], "/;color=1%3D2;color=;color=%3B"),
    ],
)
async def test_what_separates_is_escaped_where_it_is_data(
    style: str, explode: bool, schema: Json, items: Any, written: str
) -> None:
    service = imported(document("path", schema, "/{color}", style=style, explode=explode))
    values = Values(service.types)
    writer = HeadWriter(bind(service.operations[0], service.types), values, "")
    assert writer.write(values.codec(service.operations[0].input).of_plain({"color": items}))[0] == written.encode()
    upstream = behind(document("path", schema, "/{color}", style=style, explode=explode))
    assert (await upstream.asked("GET", written))[0].status == 204
    assert upstream.requests[-1].path == written.encode()


# What is refused


@pytest.mark.parametrize(
    ("style", "explode", "schema", "sent", "pointer", "message"),
    [
        ("label", False, TEXT, "/blue", "/color", "expected '.' before the value"),
        ("matrix", False, TEXT, "/;colour=blue", "/color", "expected ';color=' before the value"),
        ("matrix", False, TEXT, "/;color", "/color", "expected ';color=' before the value"),
        ("matrix", True, LIST, "/;color=a;b=c", "/color", "expected 'color=' before each item"),
        ("matrix", True, LIST, "/;color=a;b", "/color", "expected a name and a value with '=' between them"),
        ("matrix", True, COLOUR, "/;R=x", "/color/R", "expected an integer"),
        ("matrix", True, COLOUR, "/;R=1;R=2", "/color/R", "this is given more than once"),
        ("matrix", True, COLOUR, "/;G=x", "/color/R", "is required"),
        ("simple", False, COLOUR, "/R,1,G", "/color", "expected names and values in turn"),
        ("simple", True, COLOUR, "/R,1", "/color", "expected a name and a value with '=' between them"),
    ],
)
async def test_what_is_not_in_its_style_is_named(
    style: str, explode: bool, schema: Json, sent: str, pointer: str, message: str
) -> None:
    upstream = behind(document("path", schema, "/{color}", style=style, explode=explode))
    response, body = await upstream.asked("GET", sent)
    [issue] = msgspec.json.decode(body)["errors"]
    assert (response.status, issue["pointer"], upstream.requests) == (422, pointer, [])
    assert message in issue["message"]


@pytest.mark.parametrize(
    ("where", "style", "explode", "schema", "value", "reason"),
    [
        ("path", "label", True, LIST, ["a.b"], "'a.b' cannot stand in a value whose parts have dots between them"),
        ("path", "label", True, FREE, {"a.b": "c"}, "'a.b' cannot stand"),
        ("path", "label", True, LIST, ["", ""], "lead to another path"),
        ("path", "label", False, TEXT, ".", "lead to another path"),
        ("path", "label", False, TEXT, "", "cannot be empty"),
        ("path", "matrix", False, LIST, [], "cannot be empty"),
        ("path", "matrix", True, FREE, {}, "cannot be empty"),
        ("query", "form", False, FREE, {"a": "b,c"}, "cannot stand in an object that is written with ','"),
        ("query", "spaceDelimited", False, FREE, {"a b": "c"}, "cannot stand in an object that is written with ' '"),
        ("query", "pipeDelimited", False, FREE, {"a": "b|c"}, "cannot stand in an object that is written with '|'"),
        ("header", "simple", True, FREE, {"a=b": "c"}, "cannot stand before '='"),
        ("header", "simple", True, FREE, {"a": " b"}, "cannot stand in an object"),
        ("cookie", "form", True, LIST, [""], "a lone empty item"),
        ("cookie", "form", False, FREE, {"a": "b,c"}, "cannot stand in an object that is written with ','"),
    ],
)
def test_a_value_that_its_style_cannot_tell_is_not_sent(
    where: str, style: str, explode: bool, schema: Json, value: Any, reason: str
) -> None:
    path = "/{color}" if where == "path" else "/things"
    service = imported(document(where, schema, path, style=style, explode=explode))
    values = Values(service.types)
    writer = HeadWriter(bind(service.operations[0], service.types), values, "")
    with pytest.raises(Invalid) as refused:
        writer.write(values.codec(service.operations[0].input).of_plain({"color": value}))
    [issue] = refused.value.issues
    assert (issue.pointer, issue.code) == ("/color", "encoding")
    assert reason in issue.message


NULLABLE = {"type": "object", "properties": {"a": {"type": ["string", "null"]}}}


def test_a_member_that_is_null_is_not_sent() -> None:
    service = imported(document("header", NULLABLE))
    values = Values(service.types)
    writer = HeadWriter(bind(service.operations[0], service.types), values, "")
    with pytest.raises(Invalid) as refused:
        writer.write(values.codec(service.operations[0].input).of_plain({"color": {"a": None}}))
    assert "the member 'a' is null" in refused.value.issues[0].message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (document("query", TEXT, style="label"), "the style label belongs to paths"),
        (document("header", TEXT, style="matrix"), "the style matrix belongs to paths"),
        (document("query", COLOUR, style="spaceDelimited", explode=True), "is not carried in this style"),
        (document("header", FREE | {"additionalProperties": LIST}), "members that are no texts"),
        (document("header", COLOUR | {"properties": {"R": COLOUR}}), "members that are no texts"),
        (document("cookie", FREE), "is not carried in this style"),
        (document("cookie", {"type": "object", "properties": {"a b": TEXT}}), "cannot be the name of a cookie"),
        (document("path", TEXT, "/{color}.{ext}", style="label"), "no other variable may share its segment"),
    ],
)
def test_what_has_no_such_style_is_refused_with_its_place(content: Json, reason: str) -> None:
    found: Imported = PROTOCOL.client.read(Document(content, "specs/x.json"), "made")
    [refusal] = found.refusals
    assert reason in refusal.reason
    assert refusal.pointer.startswith("/paths/")


@pytest.mark.parametrize(
    ("where", "style", "shape", "reason"),
    [
        ("query", "label", s.Text(), "belongs to paths"),
        ("path", "pipe", s.List(item=s.Text()), "which paths do not have"),
        ("path", "matrix", s.List(item=s.List(item=s.Text())), "no list of scalars and no object of them"),
        ("query", "repeat", s.Map(value=s.Text()), "no list of scalars, so"),
    ],
)
def test_a_style_fits_its_place_and_its_shape(where: str, style: str, shape: s.Shape, reason: str) -> None:
    path = "/x/{color}" if where == "path" else "/x"
    rest = {"method": "GET", "path": path, "parameters": {"color": {"in": where, "style": style}}}
    with pytest.raises(Unbindable, match=reason):
        bind(operation("x", field("color", shape), rest=rest), {})


# Words of a query


RESERVED = {"allowReserved": True}


@pytest.mark.parametrize(
    ("schema", "said", "value", "written"),
    [
        (TEXT, {}, "a/b?c:@!$'()*,;=", b"color=a%2Fb%3Fc%3A%40%21%24%27%28%29%2A%2C%3B%3D"),
        (TEXT, RESERVED, "a/b?c:@!$'()*,;=", b"color=a/b?c:@!$'()*,;="),
        (TEXT, RESERVED, "&+#[]%2F \u00e9", b"color=%26%2B%23%5B%5D%252F+%C3%A9"),
        (LIST, RESERVED, ["/", "&"], b"color=/&color=%26"),
        (LIST, RESERVED | {"explode": False}, ["/", "="], b"color=/,="),
        (COLOUR, RESERVED, {"R": 1, "G": "/"}, b"R=1&G=/"),
        (COLOUR, RESERVED | {"style": "deepObject"}, {"R": 1, "G": "/"}, b"color%5BR%5D=1&color%5BG%5D=/"),
    ],
)
async def test_what_is_reserved_stays_as_it_is_where_it_is_read_the_same(
    schema: Json, said: Json, value: Any, written: bytes
) -> None:
    content = document("query", schema, **said)
    service = imported(content)
    values = Values(service.types)
    writer = HeadWriter(bind(service.operations[0], service.types), values, "")
    plain = value if schema is COLOUR and "style" not in said else {"color": value}
    assert writer.write(values.codec(service.operations[0].input).of_plain(plain))[1] == written
    upstream = behind(content)
    assert (await upstream.asked("GET", "/things", written))[0].status == 204
    assert upstream.requests[-1].query == written
    [parameter, *_] = comes_back(content)["paths"]["/things"]["get"]["parameters"]
    assert parameter.get("allowReserved", False) is bool(said)


@pytest.mark.parametrize(
    ("schema", "query", "sent"),
    [
        ({"type": "boolean"}, b"color", b"color"),
        ({"type": "boolean"}, b"color=", b"color="),
        ({"type": "boolean"}, b"color=true", b"color=true"),
        ({"type": "integer", "minimum": 1}, b"color", b"color"),
        ({"type": "string", "enum": ["a"]}, b"color", b"color"),
        (TEXT | {"minLength": 1}, b"color", b"color"),
        (TEXT, b"color=", b"color="),
        (TEXT, b"color", b"color="),
        (LIST, b"color", b"color"),
    ],
)
async def test_a_name_may_stand_without_a_value_where_the_contract_allows_it(
    schema: Json, query: bytes, sent: bytes
) -> None:
    content = document("query", schema, allowEmptyValue=True)
    upstream = behind(content)
    assert (await upstream.asked("GET", "/things", query))[0].status == 204
    assert upstream.requests[-1].query == (b"color" if sent == b"color=" and schema != TEXT else sent)
    comes_back(content)


async def test_a_name_without_a_value_is_refused_where_nothing_allows_it() -> None:
    upstream = behind(document("query", {"type": "boolean"}))
    assert (await upstream.asked("GET", "/things", b"color"))[0].status == 422


@pytest.mark.parametrize("word", ["reserved", "empty"])
def test_words_of_a_query_stand_nowhere_else(word: str) -> None:
    rest = {"method": "GET", "path": "/x", "parameters": {"color": {"in": "header", word: True}}}
    with pytest.raises(Unbindable, match="only a query"):
        bind(operation("x", field("color", s.Text()), rest=rest), {})
