"""Failures that a foreign document announces: whatever their bodies are, they are declared faults."""

from __future__ import annotations

import json
from typing import Any

import pytest

from entrepot.model import shape as s
from entrepot.model.fault import DeclaredFault
from entrepot.ports.exchange import Response
from entrepot.protocols.rest import PROTOCOL
from entrepot.shapes.document import Document
from support.openapi import Json, Upstream, comes_back, imported, of_one

TEXTS: Json = {"type": "array", "items": {"type": "string"}}
EITHER: Json = {"anyOf": [TEXTS, {"type": "integer"}]}
BINARY: Json = {"type": "string", "format": "binary"}


def failing(code: str, content: Json | None = None) -> Json:
    """A document of one operation that fails so."""
    said: Json = {"description": "It failed."} | ({} if content is None else {"content": content})
    return of_one(responses={"204": {"description": ""}, code: said})


def fault_of(document: Json) -> DeclaredFault:
    [fault] = imported(document).operations[0].faults
    return fault


def in_json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


@pytest.mark.parametrize(
    ("content", "data", "whole"),
    [
        (None, None, True),
        ({}, None, True),
        (in_json({"type": "null"}), None, True),
        (in_json(TEXTS), s.List(item=s.Text()), True),
        (in_json(EITHER), s.Union(arms=(s.List(item=s.Text()), s.Int())), True),
        (in_json({}), s.Anything(), True),
        ({"application/json": {"example": 1}}, s.Anything(), True),
        ({"*/*": {"schema": TEXTS}}, s.List(item=s.Text()), True),
        ({"text/plain; charset=utf-8": {"schema": {"type": "string"}}}, s.Text(), "text/plain"),
        ({"application/xml": {"schema": {"type": "object"}}}, s.Text(), "application/xml"),
        ({"application/xml": {}} | in_json(TEXTS), s.List(item=s.Text()), True),
    ],
)
def test_whatever_the_body_of_a_failure_is_its_fault_is_declared_and_comes_back(
    content: Json | None, data: s.Shape | None, whole: bool | str
) -> None:
    document = failing("409", content)
    expected = DeclaredFault(
        name="Conflict", kind="conflict", data=data, docs="It failed.",
        bindings={"rest": {"status": 409, "whole": whole}},
    )  # fmt: skip
    assert fault_of(document) == expected
    comes_back(document)


@pytest.mark.parametrize(
    ("code", "name", "kind", "status"),
    [
        ("4XX", "Status4XX", "rejected", "4XX"),
        ("5xx", "Status5XX", "upstream_failed", "5XX"),
        ("default", "OtherFailure", "rejected", 0),
        ("599", "Status599", "upstream_failed", 599),
    ],
)
def test_a_range_of_statuses_is_a_declared_fault_and_comes_back(code: str, name: str, kind: str, status: Any) -> None:
    fault = fault_of(failing(code))
    assert (fault.name, fault.kind, fault.bindings["rest"]["status"]) == (name, kind, status)
    own = comes_back(failing(code, in_json(TEXTS)))["paths"]["/do"]["post"]["responses"]
    assert own.keys() == {"204", code.replace("x", "X"), "default"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"image/png": {"schema": BINARY}}, "holds a file"),
        (in_json({"type": "array", "items": BINARY}), "holds a file"),
        (in_json({"$ref": "#/nowhere"}), "leads nowhere"),
    ],
)
def test_a_body_that_is_not_carried_leaves_the_status(content: Json, reason: str) -> None:
    found = PROTOCOL.client.read(Document(failing("409", content), "specs/x.json"), "made")
    [fault] = found.service.operations[0].faults
    assert (fault.name, fault.data) == ("Conflict", None)
    [refusal] = found.refusals
    assert (refusal.construct, reason in refusal.reason) == ("409 response", True)
    assert refusal.pointer.startswith("/paths/~1do/post/responses/409")


def test_a_failure_that_leads_nowhere_costs_itself_alone() -> None:
    responses = {"204": {"description": ""}, "404": {"$ref": "#/components/responses/None"}, "409": {"description": ""}}
    found = PROTOCOL.client.read(Document(of_one(responses=responses), "specs/x.json"), "made")
    assert [fault.name for fault in found.service.operations[0].faults] == ["Conflict"]
    [refusal] = found.refusals
    assert (refusal.construct, refusal.pointer) == ("404 response", "/paths/~1do/post/responses/404")


def test_a_response_of_swagger_two_without_a_schema_has_no_body() -> None:
    responses = {"200": {"description": "", "schema": {"type": "string"}}, "409": {"description": "It failed."}}
    operation = {"operationId": "do", "responses": responses}
    document = {"swagger": "2.0", "info": {"title": "t", "version": "1"}, "paths": {"/do": {"post": operation}}}
    assert fault_of(document).data is None
    comes_back(document)


async def told(document: Json, status: int, body: bytes = b"", label: bytes = b"application/json") -> Json:
    """What our own caller is told of what the upstream answers so."""
    upstream = Upstream(imported(document))
    upstream.answer = Response(status, [(b"content-type", label)] if label else [], body)
    response, written = await upstream.asked("POST", "/do")
    problem: Json = json.loads(written)
    assert problem["status"] == response.status
    return {name: problem.get(name) for name in ("status", "kind", "name", "data")}


def conflict(name: str | None = "Conflict", data: Any = None) -> Json:
    return {"status": 409, "kind": "conflict", "name": name, "data": data}


@pytest.mark.parametrize(
    ("content", "body", "label", "expected"),
    [
        (None, b"", b"", conflict()),
        (None, b"<html>", b"text/html", conflict()),
        (in_json(TEXTS), b'["a"]', b"application/json", conflict(data=["a"])),
        (in_json(TEXTS), b'{"a":1}', b"application/json", conflict(name=None)),
        (in_json(TEXTS), b"", b"", conflict(name=None)),
        (in_json(EITHER), b"3", b"application/json", conflict(data=3)),
        (in_json({}), b"", b"", conflict()),
        (in_json({}), b"<html>", b"text/html", conflict(name=None)),
        ({"text/plain": {}}, b"caf\xc3\xa9", b"text/plain; charset=utf-8", conflict(data="café")),
        ({"text/plain": {}}, b"", b"", conflict(data="")),
        ({"text/plain": {}}, b"\xff", b"text/plain", conflict(name=None)),
        ({"text/plain": {}}, b"<h1>Proxy</h1>", b"text/html", conflict(name=None)),
        ({"application/xml": {}}, b"<no/>", b"application/xml", conflict(data="<no/>")),
    ],
)
async def test_the_body_of_a_failure_is_its_data(
    content: Json | None, body: bytes, label: bytes, expected: Json
) -> None:
    assert await told(failing("409", content), 409, body, label) == expected


async def test_a_status_goes_before_its_range_and_that_before_any_other() -> None:
    document = of_one(
        responses={"204": {"description": ""}}
        | {code: {"description": code} for code in ("409", "4XX", "5XX", "default")}
    )
    answers = [(await told(document, status))["name"] for status in (409, 418, 503)]
    assert answers == ["Conflict", "Status4XX", "Status5XX"]
    only_default = of_one(responses={"204": {"description": ""}, "default": {"description": ""}})
    assert (await told(only_default, 418))["name"] == "OtherFailure"


async def test_a_declared_failure_comes_through_another_entrepot() -> None:
    service = imported(failing("409", in_json(TEXTS)))
    upstream = Upstream(service)
    upstream.answer = Response(409, [(b"content-type", b"application/json")], b'["a"]')
    response, body = await upstream.asked("POST", "/do")
    second = Upstream(imported(comes_back(failing("409", in_json(TEXTS)))))
    second.answer = Response(response.status, response.headers, body)
    _, again = await second.asked("POST", "/do")
    assert json.loads(again)["data"] == ["a"]
