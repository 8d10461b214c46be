"""What a foreign document says of successes: headers, several bodies, what they mean."""

from __future__ import annotations

from typing import Any

import pytest

from entrepot.model import shape as s
from entrepot.model.operation import Operation
from entrepot.ports.exchange import Response
from entrepot.ports.protocol import Imported
from entrepot.protocols.rest import PROTOCOL
from entrepot.protocols.rest.binding.check import Unbindable
from entrepot.protocols.rest.binding.data import bind
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


JOB: Json = in_json(TICKET, headers={"Location": {"schema": {"type": "string"}}, "X-Total": {}})


def test_a_header_stands_at_the_statuses_that_it_comes_with() -> None:
    document = of_one(responses={"200": in_json(THING, headers={"X-Total": {}}), "202": JOB})
    own = comes_back(document)["paths"]["/do"]["post"]["responses"]
    assert {status: [*own[status].get("headers", {})] for status in ("200", "202")} == {
        "200": ["X-Total"], "202": ["X-Total", "Location"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("responses", "told"),
    [
        ({"200": in_json(TICKET), "202": JOB}, {"200": ["Location", "X-Total"]}),
        (
            {"200": in_json(TICKET), "204": {"description": "", "headers": JOB["headers"]}},
            {"200": ["Location", "X-Total"]},
        ),
        (
            {"200": in_json(THING), "201": in_json(TICKET), "204": {"description": "", "headers": JOB["headers"]}},
            {"200": [], "201": [], "204": ["Location", "X-Total"]},
        ),
    ],
)
def test_a_header_of_what_we_answer_under_another_status_stands_there(responses: Json, told: Json) -> None:
    own = comes_back(of_one(responses=responses))["paths"]["/do"]["post"]["responses"]
    assert {code: sorted(said.get("headers", {})) for code, said in own.items() if code != "default"} == {
        code: sorted([*names, *_DERIVED.get(len(told), ())]) for code, names in told.items()
    }


_DERIVED = {1: ("Preference-Applied",)}
"""Where there is one success, it may be answered without its body."""


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


# Several bodies

TEXTS: Json = {"type": "array", "items": {"type": "string"}}
NOTHING: Json = {"description": ""}


def answering(**by_status: Json) -> Json:
    return of_one(responses={code.removeprefix("s"): response for code, response in by_status.items()})


@pytest.mark.parametrize(
    ("schemas", "choose"),
    [((THING, TICKET), "keys"), ((TEXTS, TICKET), "kind"), ((TEXTS, THING, TICKET), "keys")],
)
def test_several_bodies_are_one_of_several_outputs_and_come_back(schemas: tuple[Json, ...], choose: str) -> None:
    document = answering(**{f"s{200 + index}": in_json(schema) for index, schema in enumerate(schemas)})
    [operation] = imported(document).operations
    assert isinstance(operation.output, s.Union)
    assert (operation.output.choose, len(operation.output.arms)) == (choose, len(schemas))
    assert operation.bindings["rest"]["statuses"] == [200, 201, 202][: len(schemas)]
    comes_back(document)


def test_a_success_without_a_body_beside_several_is_null_and_comes_back() -> None:
    document = answering(s200=in_json(THING), s202=in_json(TICKET), s204=NOTHING)
    assert isinstance(imported(document).operations[0].output, s.Nullable)
    own = comes_back(document)["paths"]["/do"]["post"]["responses"]
    assert own.keys() == {"200", "202", "204", "default"}


def test_what_each_success_means_and_links_from_each_come_back() -> None:
    named = {"schemas": {"Thing": THING, "Ticket": TICKET}}
    links = {"again": {"operationId": "do"}}
    responses = {
        "200": in_json({"$ref": "#/components/schemas/Thing"}, description="Done."),
        "202": in_json({"$ref": "#/components/schemas/Ticket"}, description="Later.", links=links),
    }
    own = comes_back(of_one(responses=responses) | {"components": named})["paths"]["/do"]["post"]["responses"]
    assert [own[code]["description"] for code in ("200", "202")] == ["Done.", "Later."]
    assert ("links" in own["200"], "again" in own["202"]["links"]) == (False, True)


IMAGE: Json = {"description": "", "content": {"image/png": {}}}
HAL: Json = {"description": "", "content": {"application/hal+json": {"schema": TICKET}}}
LOOSE: Json = {"type": "object", "properties": {"id": {"type": "string"}}}


@pytest.mark.parametrize(
    ("code", "other", "reason"),
    [
        ("202", in_json(LOOSE), "nothing but the status"),
        ("202", in_json({}), "nothing but the status"),
        ("202", IMAGE, "not JSON of the same media type"),
        ("202", HAL, "not JSON of the same media type"),
        ("2XX", in_json(TICKET), "has the same status"),
    ],
)
def test_a_body_that_only_its_status_tells_from_the_first_is_left_out(code: str, other: Json, reason: str) -> None:
    found = read(of_one(responses={"200": in_json(THING), code: other}))
    [operation] = found.service.operations
    assert (isinstance(operation.output, s.Record), operation.bindings["rest"]["status"]) == (True, 200)
    [refusal] = found.refusals
    assert refusal.reason.startswith("it is not read beside the body of status 200: ")
    assert (reason in refusal.reason, refusal.pointer) == (True, f"/paths/~1do/post/responses/{code}")


BOTH = answering(s200=in_json(TEXTS), s201=in_json(THING), s202=in_json(TICKET), s204=NOTHING)


@pytest.mark.parametrize(
    ("status", "body", "answered"),
    [
        (200, b'["a"]', 200),
        (201, b'{"id":"1"}', 201),
        (202, b'{"ticket":5}', 202),
        (204, b"", 204),
        (203, b'{"ticket":5}', 202),
        (202, b'{"id":"1"}', 502),
        (202, b"", 502),
    ],
)
async def test_an_answer_is_read_and_written_by_its_status(status: int, body: bytes, answered: int) -> None:
    upstream = Upstream(imported(BOTH))
    upstream.answer = Response(status, [(b"content-type", b"application/json")], body)
    response, written = await upstream.asked("POST", "/do")
    assert response.status == answered
    assert answered == 502 or written == body


@pytest.mark.parametrize("body", [b"", b"null"])
async def test_a_success_whose_body_may_be_missing_is_null_without_one(body: bytes) -> None:
    upstream = Upstream(imported(answering(s200=in_json(THING), s202=NOTHING)))
    upstream.answer = Response(202, [], body)
    response, written = await upstream.asked("POST", "/do")
    assert (response.status, written) == (200, b"null")


RECORDS = (s.Record(fields=(s.Field(name="a", shape=s.Text()),)), s.Record(fields=(s.Field(name="b", shape=s.Text()),)))


@pytest.mark.parametrize(
    ("output", "statuses", "reason"),
    [
        (s.Text(), [200, 202], "not those of the arms"),
        (s.Union(arms=RECORDS, choose="keys"), [200, 201, 202], "not those of the arms"),
        (s.Union(arms=RECORDS, choose="keys"), [200, 200], "one status"),
        (s.Union(arms=RECORDS, choose="keys"), [200, 404], "not one of success"),
        (s.Union(arms=RECORDS, choose="keys"), [200, 204], "no body"),
        (s.Union(arms=RECORDS, choose="tag", tag_field="k", tags=("a", "b")), [200, 202], "told apart by k"),
        (s.Union(arms=(s.Text(), s.Null())), [200, 202], "null, which has no body"),
        (s.Union(arms=(s.Text(), s.Uuid()), choose="trial"), [200, 202], "nothing but their status"),
    ],
)
def test_statuses_that_are_not_those_of_arms_cannot_be_bound(output: s.Shape, statuses: Any, reason: str) -> None:
    made = Operation(name="do", output=output, bindings={"rest": {"statuses": statuses}})
    with pytest.raises(Unbindable, match=reason):
        bind(made, {})


# Redirects

ELSEWHERE = of_one(responses={"302": {"description": "Look there."}, "304": NOTHING, "default": NOTHING})


def test_a_redirect_as_the_only_success_is_an_address_and_comes_back() -> None:
    [operation] = imported(ELSEWHERE).operations
    assert isinstance(operation.output, s.Record)
    assert [field.name for field in operation.output.fields] == ["location"]
    assert [fault.name for fault in operation.faults] == ["OtherFailure"]
    found = comes_back(ELSEWHERE)["paths"]["/do"]["post"]["responses"]["302"]
    assert (found["description"], "content" in found, "Location" in found["headers"]) == ("Look there.", False, True)


@pytest.mark.parametrize(
    ("status", "headers", "answered"),
    [
        (302, [(b"location", b"https://b.example/x?y")], 302),
        (307, [(b"location", b"https://b.example/x?y")], 302),
        (302, [], 502),
        (304, [(b"location", b"/x")], 502),
        (200, [(b"location", b"/x")], 502),
    ],
)
async def test_where_a_redirect_leads_reaches_the_caller(status: int, headers: Any, answered: int) -> None:
    upstream = Upstream(imported(ELSEWHERE))
    upstream.answer = Response(status, headers)
    response, body = await upstream.asked("POST", "/do")
    assert response.status == answered
    if answered == 302:
        assert (body, [pair for pair in response.headers if pair[0] == b"location"]) == (b"", headers)


async def test_a_redirect_beside_a_success_is_not_followed() -> None:
    upstream = Upstream(imported(of_one(responses={"200": in_json(THING), "302": NOTHING})))
    upstream.answer = Response(302, [(b"location", b"/x")])
    assert (await upstream.asked("POST", "/do"))[0].status == 502


def test_a_redirect_answers_with_nothing_but_an_address() -> None:
    made = Operation(name="do", output=s.Text(), bindings={"rest": {"status": 302}})
    with pytest.raises(Unbindable, match="one text `location`"):
        bind(made, {})
