"""What a foreign document says of successes: headers, several bodies, what they mean."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from entrepot.model import shape as s
from entrepot.ports.exchange import Response
from entrepot.ports.protocol import Imported
from entrepot.protocols.rest import PROTOCOL
from entrepot.shapes.document import Document
from support.openapi import Json, Upstream, comes_back, imported, of_one

THING: Json = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
TICKET: Json = {"type": "object", "required": ["ticket"], "properties": {"ticket": {"type": "integer"}}}


def in_json(schema: Json, **said: Any) -> Json:
    return {"description": "", "content": {"application/json": {"schema": schema}}} | said


def read(document: Json) -> Imported:
    return PROTOCOL.client.read(Document(document, "specs/x.json"), "made")


# Headers

TOTAL: Json = {"description": "How many.", "required": True, "schema": {"type": "integer"}}


def with_headers(**headers: Json) -> Json:
    named = {name.replace("_", "-"): said for name, said in headers.items()}
    return of_one(responses={"200": in_json(THING, headers=named)})


def test_headers_of_a_success_are_typed_and_come_back() -> None:
    document = with_headers(
        X_Total=TOTAL,
        X_Ids={"schema": {"type": "array", "items": {"type": "string"}}, "deprecated": True, "example": ["a"]},
        X_Any={},
        X_Page={"content": {"application/json": {"schema": TICKET}}},
    )
    total, ids, anything, page = imported(document).operations[0].headers
    assert total == s.Field(name="X-Total", shape=s.Int(), required=True, docs="How many.")
    assert (ids.shape, ids.required, ids.deprecated, ids.examples) == (s.List(item=s.Text()), False, True, (["a"],))
    assert (anything.shape, isinstance(page.shape, s.Record)) == (s.Text(), True)
    own = comes_back(document)["paths"]["/do"]["post"]["responses"]["200"]["headers"]
    assert own["X-Total"] == TOTAL
    assert own["X-Page"]["content"]["application/json"]["schema"]["required"] == ["ticket"]


def test_a_header_that_only_some_successes_have_may_be_missing() -> None:
    responses = {"200": in_json(THING, headers={"X-Total": TOTAL}), "204": {"description": ""}}
    [total] = imported(of_one(responses=responses)).operations[0].headers
    assert not total.required


def test_a_header_of_a_type_with_a_name_brings_the_type() -> None:
    document = with_headers(X_Total={"schema": {"$ref": "#/components/schemas/Total"}})
    document["components"] = {"schemas": {"Total": {"type": "integer"}}}
    assert imported(document).types == {"Total": s.Int()}
    comes_back(document)


def test_headers_of_swagger_two_are_read() -> None:
    headers = {"X-Total": {"type": "integer", "description": "How many."}}
    operation = {"operationId": "do", "responses": {"200": {"description": "", "headers": headers}}}
    document = {"swagger": "2.0", "info": {"title": "t", "version": "1"}, "paths": {"/do": {"post": operation}}}
    [total] = imported(document).operations[0].headers
    assert total == s.Field(name="X-Total", shape=s.Int(), required=False, docs="How many.")
    comes_back(document)


def test_headers_of_the_message_itself_are_not_the_operations() -> None:
    document = with_headers(Content_Type=TOTAL, content_length=TOTAL, Date=TOTAL, Content_Encoding=TOTAL, ETag=TOTAL)
    assert [field.name for field in imported(document).operations[0].headers] == ["ETag"]


@pytest.mark.parametrize(
    "header",
    [
        {"schema": THING},
        {"content": {"application/json": {"schema": {"type": "string"}}}},
        {"$ref": "#/components/headers/None"},
    ],
)
def test_a_header_that_is_not_told_costs_itself_alone(header: Json) -> None:
    found = read(with_headers(X_Odd=header, X_Total=TOTAL))
    assert [field.name for field in found.service.operations[0].headers] == ["X-Total"]
    [refusal] = found.refusals
    assert (refusal.construct, refusal.pointer) == (
        "header X-Odd", "/paths/~1do/post/responses/200/headers/X-Odd",
    )  # fmt: skip


async def test_a_header_of_the_contract_reaches_the_caller_and_no_other_does() -> None:
    upstream = Upstream(imported(with_headers(X_Total=TOTAL)))
    sent = {b"x-total": b"5", b"x-secret": b"6", b"date": b"then"}
    upstream.answer = Response(200, [(b"content-type", b"application/json"), *sent.items()], b'{"id":"1"}')
    response, _ = await upstream.asked("POST", "/do")
    assert dict(response.headers).items() & sent.items() == {(b"x-total", b"5")}


# What a success means


@pytest.mark.parametrize(("said", "kept"), [("A thing.", {"200": "A thing."}), ("OK", {}), ("", {})])
def test_what_a_success_means_comes_back(said: str, kept: Json) -> None:
    document = of_one(responses={"200": in_json(THING, description=said)})
    [operation] = imported(document).operations
    assert operation.bindings["rest"].get("openapi", {}).get("responses", {}) == kept
    own = comes_back(document)["paths"]["/do"]["post"]["responses"]["200"]
    assert own["description"] == (said or "OK")
