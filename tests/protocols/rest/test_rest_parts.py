"""Parts of multipart forms: how each is labelled, what its headers tell, and lists of them."""

from __future__ import annotations

from typing import Any

import pytest

from entrepot.http.bodies import chunks_of, read
from entrepot.http.multipart import read_multipart
from entrepot.kit.limits import Limits
from entrepot.model import shape as s
from entrepot.model.call import Call
from entrepot.model.file import File
from entrepot.model.operation import Service
from entrepot.ports.exchange import Request, Response
from entrepot.protocols.rest import PROTOCOL
from entrepot.protocols.rest.binding.check import Unbindable
from entrepot.protocols.rest.binding.data import bind
from entrepot.shapes.document import Document
from support.multipart import part
from support.openapi import comes_back, imported, of_one
from support.rest_shop import Shop, dialled, field, operation

Json = dict[str, Any]
THING: Json = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
BINARY: Json = {"type": "string", "format": "binary"}


def form(properties: Json, encoding: Json | None = None, required: list[str] | None = None) -> Json:
    """A document whose one operation takes such a form."""
    schema = {"type": "object", "properties": properties, "required": required or list(properties)}
    media = {"schema": schema, "encoding": encoding or {}}
    return of_one(requestBody={"required": True, "content": {"multipart/form-data": media}})


async def sent(service: Service, **plain: Any) -> list[tuple[str, str, str, dict[bytes, bytes]]]:
    """The parts that our client sends: names, labels, contents and headers of their own."""
    invokes, requests = dialled(Response(204, []), service=service)
    [made] = service.operations
    values = Shop(service=service).values
    value = values.codec(made.input).type(**plain)
    reply = await invokes["do"](Call(made, value))
    assert reply.fault is None, reply.fault
    [request] = requests
    label = dict(request.headers)[b"content-type"]
    parts = await read_multipart(chunks_of(request.body), label, {}, Limits())
    kept = (b"content-disposition", b"content-type")
    return [
        (each.name, each.media_type, each.content.decode(), {k: v for k, v in each.headers.items() if k not in kept})
        for each in parts
    ]


async def taken(service: Service, *parts: bytes) -> tuple[Any, Any]:
    """The input of the call that such a form makes at our server, or its problem."""
    shop = Shop(service=service)
    body = b"".join(parts) + b"--b--\r\n"
    headers = [(b"content-type", b"multipart/form-data; boundary=b")]
    response = await shop.exchange(Request("POST", b"/api/made/v1/do", b"", headers, body))
    content = await read(response.body, 10**6)
    return (shop.calls[0].input if shop.calls else None), (response.status, content)


def things(service: Service, *ids: int) -> Any:
    made = service.operations[0].input.fields[0].shape
    return Shop(service=service).values.codec(made).of_plain([{"id": each} for each in ids])


async def test_of_a_list_of_records_each_is_a_part_and_one_of_all_is_read_too() -> None:
    service = imported(form({"things": {"type": "array", "items": THING, "maxItems": 2}}))
    both = things(service, 1, 2)
    assert await sent(service, things=both) == [
        ("things", "application/json", '{"id":1}', {}), ("things", "application/json", '{"id":2}', {}),
    ]  # fmt: skip
    assert await sent(service, things=[]) == [("things", "application/json", "[]", {})]
    one, two = (part("things", b'{"id":%d}' % each, kind="application/json") for each in (1, 2))
    whole = part("things", b' [{"id":1},{"id":2}]', kind="application/json")
    for parts, wanted in (((one, two), both), ((whole,), both), ((one,), both[:1])):
        assert (await taken(service, *parts))[0].things == wanted
    broken = part("things", b'{"id":"x"}', kind="application/json")
    _, (status, problem) = await taken(service, one, broken)
    assert (status, b'"/things/1/id"' in problem) == (422, True)
    _, (status, problem) = await taken(service, one, two, one)
    assert (status, b'"length"' in problem) == (422, True)
    comes_back(form({"things": {"type": "array", "items": THING}}))


@pytest.mark.parametrize(
    ("content_type", "schema", "plain", "content"),
    [
        ("application/vnd.made+json", THING, {"id": 1}, '{"id":1}'),
        ("application/xml", THING | {"xml": {"name": "t"}}, {"id": 1},
         '<?xml version="1.0" encoding="UTF-8"?><t><id>1</id></t>'),
        ("text/csv", {"type": "string"}, "a,b", "a,b"),
        ("application/xml", {"type": "string"}, "<a/>", "<a/>"),
    ],
)  # fmt: skip
async def test_a_part_is_labelled_as_its_encoding_says(
    content_type: str, schema: Json, plain: Any, content: str
) -> None:
    document = form({"it": schema}, {"it": {"contentType": content_type}})
    service = imported(document)
    value = Shop(service=service).values.codec(service.operations[0].input.fields[0].shape).of_plain(plain)
    assert await sent(service, it=value) == [("it", content_type, content, {})]
    assert (await taken(service, part("it", content.encode(), kind=content_type)))[0].it == value
    own = comes_back(document)
    media = own["paths"]["/do"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert media["encoding"] == {"it": {"contentType": content_type}}


async def test_a_file_is_of_the_types_that_its_encoding_lists() -> None:
    document = form({"a": BINARY, "more": {"type": "array", "items": BINARY}}, {
        "a": {"contentType": "image/png, image/jpeg"}, "more": {"contentType": "image/*"},
    })  # fmt: skip
    service = imported(document)
    fields = service.operations[0].input.fields
    assert fields[0].shape == s.File(media_types=("image/png", "image/jpeg"))
    assert fields[1].shape == s.List(item=s.File(media_types=("image/*",)))
    good = [
        part("a", b"x", '; filename="a"', "image/jpeg"),
        part("more", b"y", '; filename="b"', "image/gif"),
    ]
    assert (await taken(service, *good))[1][0] == 204
    _, (status, problem) = await taken(service, part("a", b"x", '; filename="a"', "text/html"), good[1])
    assert (status, b"is text/html; this field takes image/png, image/jpeg" in problem) == (422, True)
    _, (status, problem) = await taken(service, *good, part("more", b"y", '; filename="b"', "text/html"))
    assert (status, b'"/more/1"' in problem) == (422, True)
    comes_back(document)


HEADERS: Json = {
    "X-Rate": {"schema": {"type": "integer"}, "required": True, "description": "How good."},
    "X-Tags": {"schema": {"type": "array", "items": {"type": "string"}}},
    "Content-Type": {"schema": {"type": "string"}},
}


async def test_headers_of_a_part_are_fields_of_their_own() -> None:
    document = form({"picture": BINARY, "note": {"type": "string"}}, {"picture": {"headers": HEADERS}})
    service = imported(document)
    assert [each.name for each in service.operations[0].input.fields] == ["picture", "x_rate", "x_tags", "note"]
    file = File.of(b"\0", name="p.png", media_type="image/png")
    assert await sent(service, picture=file, x_rate=5, x_tags=["a", "b"], note="n") == [
        ("picture", "image/png", "\0", {b"x-rate": b"5", b"x-tags": b"a,b"}), ("note", "", "n", {}),
    ]  # fmt: skip
    note = part("note", b"n")
    plain = part("picture", b"x", '; filename="p"', "image/png")
    rated = plain.replace(b"\r\n\r\n", b"\r\nX-RATE: 5\r\nx-tags: a, b\r\n\r\n", 1)
    call, _ = await taken(service, rated, note)
    assert (call.x_rate, call.x_tags) == (5, ["a", "b"])
    _, (status, problem) = await taken(service, plain, note)
    assert (status, b"is required as the header `X-Rate` of the part `picture`" in problem) == (422, True)
    _, (status, problem) = await taken(service, rated.replace(b": 5", b": x"), note)
    assert (status, b'"/x_rate"' in problem) == (422, True)
    own = comes_back(document)
    media = own["paths"]["/do"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert list(media["schema"]["properties"]) == ["picture", "note"]
    told = media["encoding"]["picture"]["headers"]
    assert (told["X-Rate"]["required"], told["X-Rate"]["description"], "Content-Type" in told) == (
        True,
        "How good.",
        False,
    )


async def test_no_header_breaks_out_of_its_line() -> None:
    service = imported(
        form({"note": {"type": "string"}}, {"note": {"headers": {"X-A": {"schema": {"type": "string"}}}}})
    )
    invokes, requests = dialled(Response(204, []), service=service)
    made = service.operations[0]
    value = Shop(service=service).values.codec(made.input).type(note="n", x_a="a\r\nX-B: b")
    reply = await invokes["do"](Call(made, value))
    assert (reply.fault and reply.fault.kind, requests) == ("invalid", [])


@pytest.mark.parametrize(
    ("properties", "encoding", "gap"),
    [
        (
            {"a": {"type": "array", "items": BINARY}}, {"a": {"headers": {"X-A": {"schema": {"type": "string"}}}}},
            ("header X-A of the part a", "of a list there are several parts"),
        ),
        (
            {"a": {"type": "string"}}, {"a": {"headers": {"X A": {"schema": {"type": "string"}}}}},
            ("header X A of the part a", "cannot be the name of a part"),
        ),
        (
            {"a": {"type": "object", "additionalProperties": {"type": "string"}}}, {"a": {"contentType": "text/xml"}},
            ("field a of the form", "it has no form in text/xml: the names of a map's members"),
        ),
        *(
            ({"a": THING}, {"a": {"contentType": label}}, ("field a of the form", "is JSON, XML or MessagePack"))
            for label in ("text/csv", "application/yaml", "application/x-www-form-urlencoded")
        ),
    ],
)  # fmt: skip
def test_what_a_part_cannot_have_is_left_out_with_its_reason(properties: Json, encoding: Json, gap: Any) -> None:
    found = PROTOCOL.client.read(Document(form(properties, encoding, ["b"]), "specs/x.json"), "made")
    [refusal] = found.refusals
    assert (refusal.construct, gap[1] in refusal.reason) == (gap[0], True)


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"a": {"in": "form"}, "h": {"in": "part", "part": "x"}}, "no part of a multipart form"),
        ({"a": {"in": "form"}, "h": {"in": "part"}}, "names none"),
        ({"a": {"in": "form"}, "h": {"in": "form", "part": "a"}}, "is no header of a part"),
        ({"a": {"in": "form", "media_type": "image/png"}, "h": {"in": "form"}}, "a media type of its own"),
        ({"a": {"in": "form"}, "h": {"in": "part", "part": "a", "name": "X A"}}, "cannot be the name of a part"),
        (
            {"a": {"in": "form"}, "h": {"in": "form", "style": "json", "media_type": "text/csv"}},
            "has no form in text/csv",
        ),
    ],
)
def test_a_header_of_nothing_is_refused(parameters: Json, reason: str) -> None:
    made = operation(
        "do", field("a", s.File()), field("h", s.Text()), rest={"method": "POST", "parameters": parameters}
    )
    with pytest.raises(Unbindable, match=reason):
        bind(made, {})


async def test_parts_of_a_mixed_body_have_names_too() -> None:
    schema = {"type": "object", "properties": {"it": THING, "file": BINARY}, "required": ["it"]}
    document = of_one(requestBody={"required": True, "content": {"multipart/mixed": {"schema": schema}}})
    service = imported(document)
    value = Shop(service=service).values.codec(service.operations[0].input.fields[0].shape).of_plain({"id": 1})
    assert await sent(service, it=value) == [("it", "application/json", '{"id":1}', {})]
    shop = Shop(service=service)
    named = part("it", b'{"id":1}', kind="application/json")
    for body, status in ((named, 204), (named.replace(b"form-data", b"attachment"), 204), (b"--b\r\n\r\n{}\r\n", 400)):
        headers = [(b"content-type", b"multipart/mixed; boundary=b")]
        response = await shop.exchange(Request("POST", b"/api/made/v1/do", b"", headers, body + b"--b--\r\n"))
        assert response.status == status
    assert [call.input.it.id for call in shop.calls] == [1, 1]
    assert list(comes_back(document)["paths"]["/do"]["post"]["requestBody"]["content"]) == ["multipart/mixed"]


def test_parts_without_names_are_passed_on_and_told() -> None:
    schema = {"type": "object", "properties": {"it": THING}}
    document = of_one(requestBody={"content": {"multipart/related": {"schema": schema}}})
    found = PROTOCOL.client.read(Document(document, "specs/x.json"), "made")
    [refusal] = found.refusals
    assert (refusal.construct, "have names" in refusal.reason) == ("multipart/related", True)
    assert found.service.operations[0].input.fields[0].shape == s.File(media_types=("multipart/related",))


def test_forms_of_other_schemas_are_told() -> None:
    content = {"multipart/form-data": {"schema": THING}, "multipart/mixed": {"schema": THING | {"description": "x"}}}
    found = PROTOCOL.client.read(Document(of_one(requestBody={"content": content}), "specs/x.json"), "made")
    assert [(each.construct, each.reason) for each in found.refusals] == [
        ("multipart/mixed", "multipart/form-data is read and written instead"),
    ]  # fmt: skip
