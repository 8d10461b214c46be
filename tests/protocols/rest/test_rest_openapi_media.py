"""Several media types of one body: which are read, in which order, and what is told of the others."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from entrepot.http.bodies import read as read_body
from entrepot.model import shape as s
from entrepot.ports.exchange import Request
from entrepot.protocols.rest import PROTOCOL
from entrepot.protocols.rest.binding.bound import accept_of
from entrepot.protocols.rest.binding.check import Unbindable
from entrepot.protocols.rest.binding.data import bind, bind_upstream
from entrepot.shapes.document import Document
from support.multipart import FORM as MULTIPART
from support.multipart import part
from support.openapi import comes_back, imported, of_one, own_document
from support.rest_shop import Shop, operation

Json = dict[str, Any]
JSON, MSGPACK, XML = "application/json", "application/msgpack", "application/xml"
FORM = "application/x-www-form-urlencoded"
THING: Json = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
OTHER: Json = {"type": "object", "properties": {"name": {"type": "string"}}}


def content(*media_types: str, **others: Json) -> Json:
    """Media types of one schema, and others of their own."""
    return {name: {"schema": THING} for name in media_types} | {name: {"schema": each} for name, each in others.items()}


def of_both(said: Json) -> Json:
    return of_one(
        requestBody={"required": True, "content": said}, responses={"200": {"description": "", "content": said}}
    )


def read(said: Json) -> tuple[tuple[str, ...], tuple[str, ...], list[tuple[str, str]]]:
    """What is sent and taken, what is answered, and what is told of the request's body."""
    found = PROTOCOL.client.read(Document(of_both(said), "specs/x.json"), "made")
    binding = bind(found.service.operations[0], found.service.types)
    gaps = [(each.construct, each.reason) for each in found.refusals if "requestBody" in each.pointer]
    assert len(found.refusals) == 2 * len(gaps)
    return binding.accepts, binding.produces, gaps


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (content(MSGPACK, "application/hal+json", JSON), (JSON, "application/hal+json", MSGPACK)),
        (content("application/json; charset=utf-8"), (JSON,)),
        (content("*/*"), (JSON,)),
        (content("application/*"), (JSON,)),
        (content("*/*", MSGPACK), (JSON, MSGPACK)),
        (content(JSON, "*/*"), (JSON,)),
        (content("application/*+json", "text/json", JSON), (JSON, "text/json", "application/*+json")),
        (content("text/plain", JSON), (JSON,)),
        (content(XML, MSGPACK, JSON), (JSON, MSGPACK, XML)),
        (content("text/xml", JSON), (JSON, "text/xml")),
    ],
)
def test_json_comes_first_and_then_what_says_the_same(said: Json, kept: tuple[str, ...]) -> None:
    assert read(said) == (kept, kept, [])
    comes_back(of_both(said))


@pytest.mark.parametrize(
    ("said", "kept", "gap"),
    [
        (content(JSON, **{"text/csv": OTHER}), JSON, ("text/csv", "application/json is read and written instead")),
        (
            content(JSON, **{"application/vnd.b+json": OTHER}), JSON,
            ("application/vnd.b+json", "its schema is not that of application/json"),
        ),
        (content(JSON, **{MSGPACK: OTHER}), JSON, (MSGPACK, "its schema is not that of application/json")),
    ],
)  # fmt: skip
def test_of_what_is_left_out_the_reason_is_told(said: Json, kept: str, gap: tuple[str, str]) -> None:
    assert read(said) == ((kept,), (kept,), [gap])


@pytest.mark.parametrize("spoken", [MSGPACK, XML, "application/vnd.made+xml"])
def test_what_an_upstream_speaks_is_served_in_json_as_well(spoken: str) -> None:
    service = imported(of_both(content(spoken)))
    [made] = service.operations
    served, dialled = bind(made, service.types), bind_upstream(made, service)
    assert (served.accepts, served.produces) == ((JSON, spoken), (JSON, spoken))
    assert (dialled.accepts, dialled.produces) == ((spoken,), (spoken,))
    own = PROTOCOL.client.read(Document(own_document(service), "own"), "made")
    assert (own.refusals, own.service.operations) == ((), service.operations)


def test_xml_that_holds_no_such_value_is_text_and_told() -> None:
    free = {"application/xml": {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}}
    kept, _, [(construct, reason)] = read(free)
    assert (kept, construct) == ((XML,), XML)
    assert reason.startswith("it is passed on as text: the names of a map's members are data")
    kept, _, [(construct, reason)] = read(free | {JSON: free[XML]})
    assert (kept, reason) == ((JSON,), "the names of a map's members are data, and not those of elements")


@pytest.mark.parametrize("schema", [{}, {"type": "string", "format": "binary"}, {"type": "string"}])
def test_any_media_type_without_structure_stays_a_file(schema: Json) -> None:
    [made] = imported(of_both({"*/*": {"schema": schema}})).operations
    assert (made.input.fields[0].shape, made.output) == (s.File(), s.File())


def test_a_client_asks_for_what_comes_first() -> None:
    service = imported(of_both(content(MSGPACK, JSON)))
    binding = bind(service.operations[0], service.types)
    assert accept_of(binding) == b"application/json, application/msgpack;q=0.8, application/problem+json;q=0.9"


RICH: Json = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"}, "names": {"type": "array", "items": {"type": "string"}},
        "by": {"type": ["object", "null"], "properties": {"id": {"type": "integer"}}}, "at": {"type": "string"},
    },
    "required": ["id", "at"], "additionalProperties": False,
}  # fmt: skip


@pytest.mark.parametrize("beside", [True, False])
async def test_a_record_is_taken_as_a_form_where_its_contract_has_one(beside: bool) -> None:
    said = {name: {"schema": RICH} for name in (FORM, "multipart/form-data", JSON)}
    query = {"parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}]} if beside else {}
    document = of_one(requestBody={"required": True, "content": said}, **query)
    assert list(comes_back(document)["paths"]["/do"]["post"]["requestBody"]["content"]) == [
        JSON, FORM, "multipart/form-data",
    ]  # fmt: skip
    shop = Shop(service=imported(document))

    async def send(body: bytes, label: str = FORM) -> tuple[int, bytes]:
        request = Request(
            "POST", b"/api/made/v1/do", b"q=x" if beside else b"", [(b"content-type", label.encode())], body
        )
        response = await shop.exchange(request)
        return response.status, await read_body(response.body, 10**6)

    assert (await send(b"id=1&names=a&names=b&at=x&by=%7B%22id%22%3A2%7D"))[0] == 204
    assert (await send(b"id=1&at=&by=null"))[0] == 204
    assert (await send(b"".join([part("id", b"1"), part("at", b"x"), b"--b--\r\n"]), MULTIPART))[0] == 204
    first, second, third = (call.input.body for call in shop.calls)
    assert (first.id, first.names, first.by.id, first.at) == (1, ["a", "b"], 2, "x")
    assert (second.names, second.by, third.id) == (UNSET, None, 1)
    status, problem = await send(b"id=x&other=1")
    assert status == 422
    assert sorted(each["pointer"] for each in msgspec.json.decode(problem)["errors"]) == [
        "/body/at", "/body/id", "/body/other",
    ]  # fmt: skip


@pytest.mark.parametrize("rest", [{"accepts": [FORM, JSON]}, {"produces": [JSON, FORM]}])
def test_a_form_is_never_what_is_sent_or_answered(rest: Json) -> None:
    thing = s.Record(fields=(s.Field(name="id", shape=s.Int()),))
    made = operation("do", s.Field(name="body", shape=thing), rest={"method": "POST"} | rest, output=thing)
    with pytest.raises(Unbindable, match="neither the first nor an answer"):
        bind(made, {})


async def test_a_range_of_json_takes_what_lies_in_it() -> None:
    document = of_one(requestBody={"content": content(JSON, "application/*+json")})
    shop = Shop(service=imported(document))
    for label, status in (("application/vnd.made+json", 204), ("application/vnd.made+xml", 415)):
        request = Request("POST", b"/api/made/v1/do", b"", [(b"content-type", label.encode())], b'{"id":1}')
        assert (await shop.exchange(request)).status == status
