"""Operations of foreign documents, called through our own server: from a request to the upstream's and back."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, unquote

import pytest

from entrepot.model.operation import Link
from entrepot.ports.exchange import Response
from entrepot.ports.protocol import Imported
from entrepot.protocols.rest import PROTOCOL
from entrepot.protocols.rest.binding.data import bind_service
from entrepot.protocols.rest.openapi import writer
from entrepot.shapes.document import Document
from support.openapi import Upstream

THING = {"type": "object", "properties": {"id": {"type": "string"}, "owner/s": {"type": "integer"}}}
JSON = {"application/json": {"schema": THING}}
OK = {"200": {"description": "", "content": JSON}}
ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}


def header(name: str, **said: Any) -> dict[str, Any]:
    return {"name": name, "in": "header", "schema": {"type": "string"}} | said


def imported(
    *parameters: Any, method: str = "put", components: Any = None, document: Any = None, **said: Any
) -> Imported:
    """A document of one operation at `/things/{id}`."""
    operation = {"operationId": "do", "parameters": [ID, *parameters], "responses": OK} | said
    content = {"openapi": "3.1.0", "info": {"version": "1"}, "paths": {"/things/{id}": {method: operation}}}
    content |= {"components": components or {}} | (document or {})
    return PROTOCOL.client.read(Document(content, "specs/x.json"), "things")


@pytest.mark.parametrize(
    ("name", "value"),
    [("if_match", '"v*1\\"'), ("if_match", "*"), ("if_match", '"a", "b"'), ("if_none_match", "*")],
)
async def test_conditions_of_a_contract_reach_the_upstream_as_they_are(name: str, value: str) -> None:
    service = imported(header("If-Match", required=True), header("If-None-Match"))
    [operation] = service.service.operations
    assert [field.name for field in operation.input.fields] == ["id"]
    upstream = Upstream(service.service)
    response, _ = await upstream.asked("PUT", **{name: value})
    assert response.status == 200
    assert upstream.got(name.replace("_", "-").encode()) == [value.encode()]


async def test_the_upstream_compares_the_versions() -> None:
    upstream = Upstream(imported(header("If-Match")).service)
    upstream.answer = Response(412)
    response, body = await upstream.asked("PUT", if_match='"old"')
    assert (response.status, b"precondition_failed" in body) == (412, True)


async def test_a_condition_on_a_safe_operation_is_answered_from_the_upstreams_etag() -> None:
    upstream = Upstream(imported(header("If-None-Match"), method="get").service)
    response, _ = await upstream.asked("GET", if_none_match='"v*1\\"')
    assert (response.status, upstream.got(b"if-none-match")) == (304, [])
    assert dict(response.headers)[b"etag"] == b'"v*1\\"'


async def test_how_a_message_is_sent_is_not_the_callers_to_choose() -> None:
    sent_by_us = (
        "Host",
        "Content-Length",
        "Transfer-Encoding",
        "Connection",
        "Accept-Encoding",
        "Accept",
        "Traceparent",
    )
    names = (*sent_by_us, "X-Own")
    service = imported(*map(header, names), method="get")
    [operation] = service.service.operations
    assert [field.name for field in operation.input.fields] == ["id", "x_own"]
    assert service.refusals == ()


@pytest.mark.parametrize("name", ["X-Entrepot-Deadline", "x-envoy-retry-on", "X-Forwarded-For", "a b", "é", "a:b"])
async def test_a_header_that_can_never_arrive_is_told(name: str) -> None:
    service = imported(header(name))
    [refusal] = service.refusals
    assert (refusal.pointer, refusal.construct) == (
        "/paths/~1things~1{id}/put/parameters/1", f"parameter {name} in header"
    )  # fmt: skip
    assert [field.name for field in service.service.operations[0].input.fields] == ["id"]
    without = imported(header(name, required=True))
    assert (without.service.operations, without.refusals[0].construct) == ((), "PUT /things/{id}")


@pytest.mark.parametrize("path", ["/../../etc/passwd", "/%2e%2e/x", "/a/./b", "/a/..%2fb"])
async def test_a_path_that_leaves_the_address_of_the_upstream_is_refused(path: str) -> None:
    service = imported(document={"paths": {path: {"get": {"responses": OK}}}})
    [refusal] = service.refusals
    assert (service.service.operations, refusal.construct) == ((), f"GET {path}")
    assert "leads out of where it is served" in refusal.reason


async def test_what_the_input_says_is_not_said_twice() -> None:
    upstream = Upstream(imported(header("User-Agent"), header("Idempotency-Key"), method="post").service)
    await upstream.asked("POST", user_agent="me/1", idempotency_key="k")
    assert (upstream.got(b"user-agent"), upstream.got(b"idempotency-key")) == ([b"me/1"], [b"k"])
    await upstream.asked("POST")
    assert (len(upstream.got(b"user-agent")), upstream.got(b"idempotency-key")) == (1, [])


PROBLEM = "application/problem+json;q=0.9"


@pytest.mark.parametrize(
    ("offers", "accept", "passed_on"),
    [
        (["image/png", "application/pdf"], "application/pdf", "application/pdf"),
        (["image/png", "application/pdf"], "image/*;q=0.5, */*;q=0.1", "image/png;q=0.5, application/pdf;q=0.1"),
        (["image/png", "application/pdf"], "application/pdf;q=0, */*", "image/png"),
        (["image/*"], "image/webp, text/html, image/*;q=0.1", "image/*;q=0.1, image/webp"),
        (["*/*"], "image/webp", "image/webp"),
        (["image/png", "application/pdf"], "", "image/png, application/pdf"),
        (["image/png"], "image/png;q=0.3", "image/png"),
    ],
)
async def test_the_callers_choice_among_several_media_types_is_passed_on(
    offers: list[str], accept: str, passed_on: str
) -> None:
    binary = {"schema": {"type": "string", "format": "binary"}}
    content = {"200": {"description": "", "content": dict.fromkeys(offers, binary)}}
    upstream = Upstream(imported(method="get", responses=content).service)
    upstream.answer = Response(200, [(b"content-type", b"image/png")], b"png")
    response, body = await upstream.asked("GET", **({"accept": accept} if accept else {}))
    assert (response.status, body) == (200, b"png")
    assert upstream.got(b"accept") == [f"{passed_on}, {PROBLEM}".encode()]


async def test_only_media_types_of_one_schema_are_offered() -> None:
    other = {"application/hal+json": {"schema": {"type": "string"}}}
    content = {
        "200": {"description": "", "content": {**JSON, "application/vnd.x+json": JSON["application/json"], **other}}
    }
    [operation] = imported(method="get", responses=content).service.operations
    assert operation.bindings["rest"]["produces"] == ["application/json", "application/vnd.x+json"]


# Failures


@pytest.mark.parametrize(
    ("sent", "status", "kind", "upstream"),
    [
        (401, 401, "unauthenticated", None),
        (404, 404, "not_found", None),
        (302, 502, "upstream_failed", "crm"),
        (405, 502, "upstream_failed", "crm"),
        (500, 502, "upstream_failed", "crm"),
        (503, 503, "unavailable", "crm"),
        (504, 504, "timeout", "crm"),
    ],
)
async def test_an_upstreams_failure_is_told_with_its_name(
    sent: int, status: int, kind: str, upstream: str | None
) -> None:
    behind = Upstream(imported().service)
    behind.answer = Response(sent, [(b"retry-after", b"3")], b"<h1>no</h1>")
    response, body = await behind.asked("PUT")
    problem = json.loads(body)
    assert (response.status, problem["kind"], problem.get("upstream")) == (status, kind, upstream)


async def test_an_answer_that_sometimes_has_no_body_may_have_none() -> None:
    behind = Upstream(imported(responses=OK | {"204": {"description": ""}}).service)
    assert (await behind.asked("PUT"))[1] == b'{"id":"1"}'
    behind.answer = Response(204)
    response, body = await behind.asked("PUT")
    assert (response.status, body) == (200, b"null")


# What is left out


def test_a_file_in_a_declared_fault_is_refused_with_its_place() -> None:
    problem = {"type": "object", "properties": {"log": {"type": "string", "format": "binary"}}}
    responses = OK | {"409": {"description": "", "content": {"application/json": {"schema": problem}}}}
    found = imported(responses=responses)
    assert [fault.data for fault in found.service.operations[0].faults] == [None]
    [refusal] = found.refusals
    assert refusal.pointer == "/paths/~1things~1{id}/put/responses/409/content/application~1json/schema"
    assert "holds a file" in refusal.reason


def test_a_body_of_a_request_that_has_none_is_left_out() -> None:
    body = {"content": {"application/json": {"schema": {"type": "object"}}}}
    found = imported(method="get", requestBody=body)
    [refusal] = found.refusals
    assert (len(found.service.operations), refusal.pointer) == (1, "/paths/~1things~1{id}/get/requestBody")
    assert imported(method="get", requestBody=body | {"required": True}).service.operations == ()


# Links

OWNER = {
    "parameters": [ID, {"name": "id", "in": "query", "required": True, "schema": {"type": "integer"}}],
    "operationId": "owner",
    "responses": {"200": {"description": ""}},
}  # fmt: skip
NOTE = {
    "operationId": "note",
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "integer"}}}},
    "responses": {"200": {"description": ""}},
}
FORM = {
    "operationId": "form",
    "requestBody": {
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
            }
        },
    },
    "responses": {"200": {"description": ""}},
}
MEMBER = "$response.body#/owner~1s"


def linked(**link: Any) -> Imported:
    get = {
        "operationId": "thing",
        "responses": {
            "200": {
                "description": "",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                "links": {"next": link},
            }
        },
    }
    paths = {"/thing": {"get": get}, "/owners/{id}": {"get": OWNER}, "/notes": {"post": NOTE}, "/forms": {"post": FORM}}
    content = {"openapi": "3.1.0", "paths": paths, "components": {"schemas": {"Thing": THING}}}
    return PROTOCOL.client.read(Document(content, "specs/x.json"), "things")


@pytest.mark.parametrize(
    ("link", "arguments"),
    [
        (
            {"operationId": "owner", "parameters": {"path.id": MEMBER, "query.id": MEMBER}},
            {"id": "owner/s", "id_2": "owner/s"},
        ),
        ({"operationId": "note", "requestBody": MEMBER}, {"body": "owner/s"}),
        ({"operationId": "form", "parameters": {"a": "$response.body#/id"}}, {"a": "id"}),
        ({"operationId": "note", "requestBody": "$response.body#/a/b~1"}, {"body": "/a/b~1"}),
        ({"operationId": "note", "requestBody": "$response.body"}, {"body": ""}),
        ({"operationId": "note", "requestBody": "$response.body#/~1a"}, {"body": "/~1a"}),
        ({"operationId": "note", "requestBody": "$response.body#/"}, {"body": "/"}),
    ],
)  # fmt: skip
def test_a_link_gives_parameters_and_bodies(link: Any, arguments: Any) -> None:
    found = linked(**link)
    assert found.refusals == ()
    [read_back] = found.service.links
    assert read_back == Link(type="Thing", field="next", operation=link["operationId"], arguments=arguments)
    said = written_links(found)
    assert said == ({} if link["operationId"] == "form" else {"next": link})


def test_a_link_may_name_its_operation_by_its_place() -> None:
    found = linked(operationRef="#/paths/~1notes/post", requestBody=MEMBER)
    assert found.refusals == ()
    assert found.service.links[0].operation == "note"
    assert written_links(found) == {"next": {"operationId": "note", "requestBody": MEMBER}}


def test_a_link_from_an_answer_without_a_name_is_refused() -> None:
    found = imported(responses={"200": OK["200"] | {"links": {"next": {"operationId": "do"}}}})
    [refusal] = found.refusals
    assert (found.service.links, "has no name" in refusal.reason) == ((), True)


def written_links(found: Imported) -> Any:
    """The links of the operation in the document that we write."""
    content = json.loads(writer.write(bind_service(found.service)))
    return content["paths"]["/thing"]["get"]["responses"]["200"].get("links", {})


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ({"operationId": "nobody"}, "no imported operation"),
        ({"operationRef": "#/paths/~1nobody/post"}, "leads nowhere"),
        ({"operationRef": "#/paths/~1thing"}, "no imported operation"),
        ({"operationRef": "https://b.example/#/paths/~1notes/post"}, "leads out of the document"),
        ({"operationId": "owner", "parameters": {"id": MEMBER}}, "does not say what owner gets for id_2"),
        ({"operationId": "owner", "parameters": {"body": MEMBER}}, "has no parameter body"),
        ({"operationId": "note", "requestBody": "$request.body"}, "what was asked"),
        ({"operationId": "note", "requestBody": "$response.header.X-Total"}, "what a header tells"),
        ({"operationId": "note", "requestBody": "$response.body#/none"}, "Thing has no member none"),
        ({"operationId": "note", "requestBody": "$statusCode"}, "only the answer's body"),
        ({"operationId": "note", "requestBody": "$response.bodyless"}, "only the answer's body"),
        ({"operationId": "note", "requestBody": 5}, "only the answer's body"),
        ({"operationId": "note"}, "does not say what note gets for body"),
        ({"operationId": "form", "requestBody": {"a": MEMBER}}, "not one value"),
    ],
)
def test_a_link_that_could_not_be_followed_is_refused_with_its_place(link: Any, reason: str) -> None:
    found = linked(**link)
    assert found.service.links == ()
    [refusal] = found.refusals
    assert reason in refusal.reason
    assert refusal.pointer.startswith("/paths/~1thing/get/responses/200/links/next")


@pytest.mark.parametrize("path", ["/things/{name}", "/things/{id}#named"])
async def test_an_address_that_two_operations_have_is_called_and_served_apart(path: str) -> None:
    variable = path.partition("{")[2].partition("}")[0]
    named = {"operationId": "named", "parameters": [ID | {"name": variable}], "responses": OK}
    paths = {"/things/{id}": {"get": {"operationId": "do", "parameters": [ID], "responses": OK}}, path: {"get": named}}
    service = imported(document={"paths": paths})
    assert service.refusals == ()
    upstream = Upstream(service.service)
    for served in ("/things/a", "/things/b/named"):
        response, _ = await upstream.asked("GET", served)
        assert response.status == 200
    assert [request.path for request in upstream.requests] == [b"/things/a", b"/things/b"]


async def test_an_operation_at_an_address_of_its_own_comes_back_at_ours() -> None:
    one = {"responses": OK, "parameters": [ID]}
    paths = {
        "/things/{id}#a": {"get": {"operationId": "a"} | one},
        "/things/{id}#b": {"get": {"operationId": "b"} | one},
    }
    service = imported(document={"paths": paths}).service
    assert [each.bindings["rest"]["path"] for each in service.operations] == ["/things/{id}", "/things/{id}/b"]
    own = json.loads(writer.write(bind_service(service)))
    again = PROTOCOL.client.read(Document(own, "own"), "things").service
    assert (again.operations, again.bindings) == (service.operations, {})


SIZE = {
    "type": "object",
    "required": ["least"],
    "properties": {"least": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "string"}}},
}


@pytest.mark.parametrize("required", [True, False])
async def test_members_of_an_object_in_the_usual_style_are_parameters(required: bool) -> None:
    service = imported({"name": "size", "in": "query", "required": required, "schema": SIZE}, method="get")
    assert service.refusals == ()
    fields = [(field.name, field.required) for field in service.service.operations[0].input.fields]
    assert fields == [("id", True), ("least", required), ("tags", False)]
    upstream = Upstream(service.service)
    response, body = await upstream.asked("GET", query=b"least=1&tags=a&tags=b")
    assert (response.status, upstream.requests[0].query) == (200, b"least=1&tags=a&tags=b"), body


@pytest.mark.parametrize(
    ("schema", "others"),
    [
        (SIZE, [{"name": "least", "in": "query", "schema": {"type": "string"}}]),
        ({"type": "object", "properties": {"deep": SIZE}}, []),
        ({"type": "object", "additionalProperties": {"type": "string"}}, []),
    ],
)
def test_an_object_whose_members_cannot_be_parameters_is_left_out(schema: Any, others: list[Any]) -> None:
    [refusal] = imported(*others, {"name": "size", "in": "query", "schema": schema}, method="get").refusals
    assert refusal.construct == "parameter size in query"


async def test_times_pass_to_the_letter() -> None:
    times = ("2024-01-31T12:30:00.1234567Z", "2016-12-31T23:59:60Z", "2024-01-31T12:30:00.272-00:00")
    since = {"name": "since", "in": "query", "schema": {"type": "string", "format": "date-time"}}
    seen = {"type": "object", "properties": {"seen": {"type": "string", "format": "date-time"}}}
    responses = {"200": {"description": "", "content": {"application/json": {"schema": seen}}}}
    upstream = Upstream(imported(since, method="get", responses=responses).service)
    for time in times:
        upstream.answer = Response(200, [(b"content-type", b"application/json")], b'{"seen":"%s"}' % time.encode())
        response, body = await upstream.asked("GET", query=f"since={quote(time)}".encode())
        assert (response.status, json.loads(body)) == (200, {"seen": time})
        assert unquote(upstream.requests[-1].query.decode()) == f"since={time}"
    response, body = await upstream.asked("GET", query=b"since=yesterday")
    assert (response.status, json.loads(body)["errors"][0]["pointer"]) == (422, "/since")
