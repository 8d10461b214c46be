"""An upload as people send it: the file itself, or the one field of a form."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest

from entrepot import Body, File, Media, Service
from entrepot.app import CATALOG
from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model import operation as model
from entrepot.model import shape as s
from entrepot.model.call import Call, Reply
from entrepot.model.operation import Operation
from entrepot.ports.exchange import Request, Response
from entrepot.ports.protocol import Document, Protocol, ServedService
from entrepot.runtime.local import local_service
from entrepot.shapes.values import Values
from entrepot.wire.memory import memory_wire
from support.contracts import contract

REST: Protocol = CATALOG["rest"]
FORM = b"multipart/form-data; boundary=b"
UPLOAD = (
    b'--b\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    b"PNG\r\n--b--\r\n"
)

Told = tuple[str, str, int | None, str]


def uploads() -> Service:
    service = Service("uploads")

    @service.post("/bare")
    async def bare(picture: File) -> Told:
        return picture.name, picture.media_type, picture.size, (await picture.read(1000)).decode()

    @service.post("/maybe")
    async def maybe(picture: File | None = None) -> str:
        return "none" if picture is None else (await picture.read(1000)).decode()

    @service.post("/body")
    async def body(picture: Annotated[File, Body()]) -> str:
        return (await picture.read(1000)).decode()

    @service.post("/images")
    async def images(picture: Annotated[File, Media(("image/png",))]) -> str:
        return (await picture.read(1000)).decode()

    return service


async def send(path: str, body: bytes, content_type: bytes | None, limits: Limits = DEFAULT_LIMITS) -> Response:
    async with local_service(uploads(), limits=limits) as served:
        exchange = REST.server.serve([served])
        headers = [(b"content-length", b"%d" % len(body))]
        if content_type is not None:
            headers.append((b"content-type", content_type))
        return await exchange(Request("POST", b"/api/uploads/v1" + path.encode(), b"", headers, body))


async def answer(path: str, body: bytes, content_type: bytes | None) -> Any:
    response = await send(path, body, content_type)
    assert isinstance(response.body, bytes)
    assert response.status == 200, response.body
    return msgspec.json.decode(response.body)


async def test_a_bare_file_is_the_field_of_a_form_and_else_the_body() -> None:
    assert await answer("/bare", UPLOAD, FORM) == ["a.png", "image/png", 3, "PNG"]
    assert await answer("/bare", b"PNG", b"image/png") == ["", "image/png", 3, "PNG"]
    assert (await answer("/bare", UPLOAD, b"application/octet-stream"))[3] == UPLOAD.decode()


async def test_a_file_that_may_be_left_out_may_be_in_a_form_too() -> None:
    assert await answer("/maybe", UPLOAD, FORM) == "PNG"
    assert await answer("/maybe", b"--b--\r\n", FORM) == "none"
    assert await answer("/maybe", b"", None) == "none"


async def test_a_form_with_other_fields_is_refused() -> None:
    other = UPLOAD.replace(b'name="picture"', b'name="photo"')
    response = await send("/bare", other, FORM)
    assert isinstance(response.body, bytes)
    problem = msgspec.json.decode(response.body)
    assert [(each["pointer"], each["code"]) for each in problem["errors"]] == [
        ("/picture", "missing"),
        ("/photo", "unknown"),
    ]


async def test_a_file_in_a_form_has_the_limit_of_files() -> None:
    assert (await send("/bare", UPLOAD, FORM, Limits(file_bytes_max=2))).status == 413


async def test_what_is_said_to_be_the_body_is_the_body() -> None:
    assert await answer("/body", UPLOAD, FORM) == UPLOAD.decode()
    assert (await send("/images", UPLOAD, FORM)).status == 415


def document() -> dict[str, Any]:
    content: dict[str, Any] = msgspec.json.decode(contract(REST, uploads().describe()))
    return content


def test_the_contract_says_so() -> None:
    paths = document()["paths"]
    content = paths["/bare"]["post"]["requestBody"]["content"]
    assert list(content) == ["*/*", "multipart/form-data"]
    schema = content["multipart/form-data"]["schema"]
    assert (list(schema["properties"]), schema["required"]) == (["picture"], ["picture"])
    assert schema["additionalProperties"] is False
    assert list(paths["/body"]["post"]["requestBody"]["content"]) == ["*/*"]
    assert list(paths["/images"]["post"]["requestBody"]["content"]) == ["image/png"]


def test_the_contract_comes_back_as_the_same_operation() -> None:
    again = REST.client.read(Document(document(), "uploads.json"), "uploads")
    assert again.refusals == ()
    first, last = uploads().describe(), again.service
    assert [each.input.fields for each in last.operations] == [each.input.fields for each in first.operations]
    # A form has names that may be unknown; a file that is the body has none.
    assert [each.input.extras for each in last.operations] == ["forbid", "forbid", "drop", "drop"]
    assert contract(REST, last) == contract(REST, first)


@pytest.mark.parametrize("media_type", ["image/png", FORM.decode(), "Multipart/Form-Data; boundary=x"])
@pytest.mark.parametrize("name", ["bare", "maybe", "body"])
async def test_a_file_arrives_as_it_was_sent_whatever_its_type(name: str, media_type: str) -> None:
    async with local_service(uploads()) as served:
        exchange = memory_wire(REST.server.serve([served]))
        client = REST.client.dial(served.service, served.values, exchange, "upstream.test", "/api/uploads/v1")
        operation = served.service.operation(name)
        assert operation is not None
        input = served.values.codec(operation.input).type(picture=File.of(UPLOAD, name="a", media_type=media_type))
        reply = await client[name](Call(operation, input))
    told = UPLOAD.decode()
    assert reply.output == (("a", media_type, len(UPLOAD), told) if name == "bare" else told)


PICTURE = s.Field(name="picture", shape=s.Nullable(shape=s.Raw(media_type="image/png")))
PARTS = s.Field(name="parts", shape=s.List(item=s.Text()))
COMMAS = {"parts": {"in": "form", "name": "parts", "style": "comma"}, "upload": {"in": "form"}}


async def through_a_form(*fields: s.Field, binding: Any, **members: Any) -> tuple[Reply, list[Any]]:
    """What comes of a call of an operation that takes a form with a file, and what it was given."""
    upload = s.Field(name="upload", shape=s.File(), required=False)
    operation = Operation(name="send", input=s.Record(fields=(*fields, upload)), bindings={"rest": binding})
    service, values, given = model.Service(name="made", operations=(operation,)), Values({}), list[Any]()

    async def invoke(call: Call) -> Reply:
        given.append(call.input)
        return Reply()

    served = ServedService(service=service, values=values, invokes={"send": invoke})
    exchange = memory_wire(REST.server.serve([served]))
    invokes = REST.client.dial(service, values, exchange, "made.example", "/api/made/v1")
    return await invokes["send"](Call(operation, values.codec(operation.input).type(**members))), given


@pytest.mark.parametrize("octets", [b"PNG", b"", None])
async def test_raw_octets_that_may_be_null_are_taken_in_a_form(octets: bytes | None) -> None:
    reply, [given] = await through_a_form(PICTURE, binding={}, picture=octets)
    assert (reply.fault, given.picture) == (None, octets)


async def test_what_a_form_with_a_file_has_no_place_for_is_refused_before_it_is_sent() -> None:
    reply, given = await through_a_form(PARTS, binding={"parameters": COMMAS}, parts=["a,b"])
    assert reply.fault is not None
    assert (reply.fault.kind, [each.pointer for each in reply.fault.issues], given) == ("invalid", ["/parts"], [])


def test_a_field_without_a_name_stands_in_a_body_alone() -> None:
    field = s.Field(name="", python="value", shape=s.Text())
    for where in ("query", "header", "cookie", "form"):
        binding = {"method": "POST", "path": "/", "parameters": {"": {"in": where}}}
        operation = Operation(name="send", input=s.Record(fields=(field,)), bindings={"rest": binding})
        assert f"no place in a {where}" in REST.can.reason(operation, {}, set())
    operation = Operation(name="send", input=s.Record(fields=(field,)), bindings={"rest": {"body": "object"}})
    assert REST.can.reason(operation, {}, set()) == ""
