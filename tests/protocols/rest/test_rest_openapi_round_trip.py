"""What an imported service says of itself: its own document, read again, is the same service."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from entrepot.model import shape
from entrepot.model.operation import Example, Service
from entrepot.protocols.rest import PROTOCOL
from entrepot.shapes.document import Document
from support.openapi import comes_back, imported, of_one, own_document

Json = dict[str, Any]
URLENCODED = "application/x-www-form-urlencoded"
LIST = {"type": "array", "items": {"type": "string"}}


def failing(schema: Json) -> Json:
    return {"description": "It failed.", "content": {"application/json": {"schema": schema}}}


def test_a_failure_whose_body_is_its_data_comes_back_as_such() -> None:
    data = {"type": "object", "properties": {"reason": {"type": "string"}}}
    responses = {"204": {"description": ""}} | {code: failing(data) for code in ("409", "418", "default")}
    service = imported(of_one(responses=responses))
    assert [fault.bindings["rest"] for fault in service.operations[0].faults] == [
        {"status": 409, "whole": True}, {"status": 418, "whole": True}, {"status": 0, "whole": True},
    ]  # fmt: skip
    comes_back(of_one(responses=responses))


@pytest.mark.parametrize(
    ("encoding", "style"),
    [
        ({}, None),
        ({"explode": True}, None),
        ({"explode": False}, "comma"),
        ({"style": "spaceDelimited", "explode": False}, "space"),
        ({"style": "pipeDelimited", "explode": False}, "pipe"),
        ({"contentType": "application/json"}, "json"),
    ],
)
def test_how_a_list_in_a_form_is_written_comes_back(encoding: Json, style: str | None) -> None:
    schema = {"type": "object", "properties": {"ids": LIST}, "additionalProperties": False}
    content = {URLENCODED: {"schema": schema, "encoding": {"ids": encoding}}}
    document = of_one(requestBody={"required": True, "content": content})
    place = imported(document).operations[0].bindings["rest"]["parameters"]["ids"]
    assert place.get("style") == style
    comes_back(document)


@pytest.mark.parametrize(
    ("collection", "style"), [(None, "comma"), ("csv", "comma"), ("ssv", "space"), ("pipes", "pipe"), ("multi", None)]
)
def test_a_list_in_a_form_of_swagger_two_is_written_as_it_says(collection: str | None, style: str | None) -> None:
    said = {} if collection is None else {"collectionFormat": collection}
    parameter = {"name": "ids", "in": "formData"} | LIST | said
    operation = {"parameters": [parameter], "consumes": [URLENCODED], "responses": {"204": {"description": ""}}}
    document = {"swagger": "2.0", "info": {"title": "Made", "version": "1"}, "paths": {"/do": {"post": operation}}}
    place = imported(document).operations[0].bindings["rest"]["parameters"]["ids"]
    assert place.get("style") == style
    comes_back(document)


def test_numbers_in_examples_and_schemas_stay_exact_numbers() -> None:
    price = {"type": "number", "multipleOf": Decimal("0.01"), "examples": [Decimal("12.50")]}
    schema = {"type": "object", "properties": {"price": price, "odd": {"not": {"minimum": Decimal("0.10")}}}}
    own = comes_back(of_one(requestBody={"content": {"application/json": {"schema": schema}}}))
    [media] = own["paths"]["/do"]["post"]["requestBody"]["content"].values()
    written = media["schema"]["properties"]
    assert str(written["price"]["examples"]) == "[Decimal('12.50')]"
    assert str(written["odd"]["not"]["minimum"]) == "0.10"


FURTHER = {"url": "https://made.example/more", "description": "More."}


def test_what_a_document_tells_its_readers_comes_back() -> None:
    about = {
        "summary": "Makes.",
        "termsOfService": "https://made.example/terms",
        "contact": {"name": "Ada", "url": "https://made.example", "email": "ada@made.example"},
        "license": {"name": "MIT", "identifier": "MIT"},
    }
    tags = [{"name": "other", "description": "Others.", "externalDocs": FURTHER}, {"name": "made"}]
    document = of_one(tags=["made"], externalDocs=FURTHER) | {"tags": tags, "externalDocs": FURTHER}
    document["info"] |= about
    own = comes_back(document)
    assert own["info"].items() >= about.items()
    assert (own["tags"], own["externalDocs"], own["paths"]["/do"]["post"]["externalDocs"]) == (tags, FURTHER, FURTHER)


def test_what_a_document_tells_its_readers_otherwise_than_it_should_is_left_out_with_its_place() -> None:
    document = of_one(externalDocs={"description": "Where?"}) | {"tags": [{"description": "Of what?"}, {"name": "a"}]}
    document["info"]["license"] = 5
    found = PROTOCOL.client.read(Document(document, "specs/x.json"), "made")
    assert [(refusal.construct, refusal.pointer) for refusal in found.refusals] == [
        ("externalDocs", "/paths/~1do/post/externalDocs"), ("license", "/info/license"), ("0", "/tags/0"),
    ]  # fmt: skip
    assert own_document(found.service)["tags"] == [{"name": "a"}]


def test_an_operation_keeps_the_name_that_its_document_gives_it() -> None:
    document = of_one(operationId="doIt-now")
    assert imported(document).operations[0].name == "do_it_now"
    own = comes_back(document)["paths"]["/do"]["post"]
    assert (own["operationId"], own["x-entrepot"]["name"]) == ("doIt-now", "do_it_now")


def test_a_name_that_another_operation_has_here_is_not_written_twice() -> None:
    [operation] = imported(of_one()).operations
    rest = operation.bindings["rest"] | {"path": "/other", "openapi": {"operationId": "do"}}
    other = msgspec.structs.replace(operation, name="other", bindings={"rest": rest})
    own = own_document(Service(name="made", operations=(other, operation)))
    assert [item["post"]["operationId"] for item in own["paths"].values()] == ["other", "do"]


def example(*values: Any) -> Json:
    return {
        "examples": {name: {"summary": f"{name}.", "value": value} for name, value in zip("ab", values, strict=False)}
    }


def test_examples_of_one_name_are_one_call_and_come_back() -> None:
    text, size = {"schema": {"type": "string"}}, {"schema": {"type": "number"}}
    document = of_one(
        parameters=[
            {"name": "q-1", "in": "query"} | text | example("x", None),
            {"name": "json", "in": "query", "content": {"application/json": size | example(Decimal("1.50"))}},
        ],
        requestBody={"content": {"application/json": text | example("in") | {"required": True}}},
        responses={"200": {"description": "", "content": {"application/json": text | {"example": "out"}}}},
    )
    assert imported(document).operations[0].examples == (
        Example("a", {"q_1": "x", "json": Decimal("1.50"), "body": "in"}, docs="a."),
        Example("b", {"q_1": None}, docs="b."),
        Example("example", output="out"),
    )
    own = comes_back(document)["paths"]["/do"]["post"]
    assert own["parameters"][0]["examples"] == example("x", None)["examples"]
    assert own["responses"]["200"]["content"]["application/json"]["examples"] == {"example": {"value": "out"}}


def test_examples_of_forms_and_of_objects_in_a_query_are_taken_apart() -> None:
    page = {"type": "object", "properties": {"page-no": {"type": "integer"}}}
    form = {"type": "object", "properties": {"first-name": {"type": "string"}}}
    said: Json = {"schema": form, "example": {"first-name": "Ada", "other": 1}}
    document = of_one(
        parameters=[{"name": "paging", "in": "query", "schema": page, "example": {"page-no": 3}}],
        requestBody={"content": {URLENCODED: said}},
    )
    expected = Example("example", {"page_no": 3, "first_name": "Ada"})
    assert imported(document).operations[0].examples == (expected,)
    own = comes_back(document)["paths"]["/do"]["post"]["requestBody"]["content"][URLENCODED]
    assert own["examples"] == {"example": {"value": {"first-name": "Ada"}}}


def test_an_example_of_swagger_two_is_that_of_its_media_type() -> None:
    answered = {"description": "", "schema": {"type": "string"}, "examples": {"application/json": "out"}}
    operation = {"responses": {"200": answered}}
    document = {"swagger": "2.0", "info": {"title": "Made", "version": "1"}, "paths": {"/do": {"post": operation}}}
    assert imported(document).operations[0].examples == (Example("example", output="out"),)
    comes_back(document)


def test_an_example_that_leads_nowhere_costs_itself_alone() -> None:
    parameter = {"name": "q", "in": "query", "examples": {"a": {"$ref": "#/components/examples/A"}}}
    found = PROTOCOL.client.read(Document(of_one(parameters=[parameter]), "specs/x.json"), "made")
    assert [refusal.construct for refusal in found.refusals] == ["example a"]
    assert len(found.service.operations[0].input.fields) == 1


def test_the_sample_of_an_imported_service_takes_its_example_though_it_is_a_decimal() -> None:
    size = {"name": "size", "in": "query", "schema": {"type": "number"}, "example": Decimal("1.5")}
    service = imported(of_one(parameters=[size]))
    assert "size=1.5" in (PROTOCOL.server.sample(service, "http://localhost"))


def test_a_foreign_default_is_told_and_never_filled_in() -> None:
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 20}}
    schema = {"type": "object", "properties": {"kind": {"type": "string", "default": None, "nullable": True}}}
    document = of_one(parameters=[limit], requestBody={"content": {"application/json": {"schema": schema}}})
    [first, body] = imported(document).operations[0].input.fields
    assert (first.documented_default, first.default) == (20, msgspec.UNSET)
    assert isinstance(body.shape, shape.Record)
    assert body.shape.fields[0].documented_default is None
    own = comes_back(document)["paths"]["/do"]["post"]
    assert own["parameters"][0]["schema"] == {"type": "integer", "default": 20}


def test_a_foreign_default_that_its_schema_forbids_is_told_beside_it() -> None:
    flag = {"name": "flag", "in": "query", "schema": {"type": "boolean", "default": "false"}}
    side = {"name": "side", "in": "query", "schema": {"enum": ["left"], "default": "right"}}
    document = of_one(parameters=[flag, side])
    assert [each.documented_default for each in imported(document).operations[0].input.fields] == ["false", "right"]
    own = comes_back(document)["paths"]["/do"]["post"]["parameters"]
    assert [each["schema"]["x-entrepot"]["default"] for each in own] == ["false", "right"]


def test_titles_of_records_and_their_members_come_back() -> None:
    named = {"type": "object", "title": "Address", "properties": {"city": {"type": "string", "title": "Town"}}}
    members = {
        "home": named | {"title": "Home"},
        "work": {"title": "Work", "allOf": [named]},
        "both": {"allOf": [named, {"type": "object", "title": "Other", "properties": {"no": {"type": "integer"}}}]},
        "maybe": {"title": "Maybe", "anyOf": [named, {"type": "null"}]},
        "any": {"title": "Any", "not": {"type": "string"}},
    }
    schema = {"type": "object", "title": "Person", "properties": members}
    own = comes_back(
        of_one(responses={"200": {"description": "", "content": {"application/json": {"schema": schema}}}})
    )
    [media] = own["paths"]["/do"]["post"]["responses"]["200"]["content"].values()
    written = media["schema"]["properties"]
    assert [written[name].get("title") for name in members] == ["Home", "Work", None, "Maybe", "Any"]
    assert (media["schema"]["title"], written["home"]["properties"]["city"]["title"]) == ("Person", "Town")


def test_a_variable_of_the_path_that_nothing_declares_comes_back() -> None:
    document = of_one()
    document["paths"] = {"/do/{id}": document["paths"]["/do"]}
    comes_back(document)


def test_failures_that_lead_to_a_large_group_of_types_do_not_walk_it_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    group = {
        f"T{i}": {"type": "object", "properties": {"next": {"$ref": f"#/components/schemas/T{(i + 1) % 300}"}}}
        for i in range(300)
    }
    failed = failing({"type": "object", "properties": {"error": {"$ref": "#/components/schemas/T0"}}})
    responses = {"204": {"description": ""}, "default": failed}
    content = of_one() | {"components": {"schemas": group}}
    content["paths"] = {f"/do{i}": {"post": {"responses": responses}} for i in range(100)}
    walked, parts = [], shape.parts
    monkeypatch.setattr(shape, "parts", lambda part: walked.append(part) or parts(part))
    assert len(imported(content).operations[-1].faults) == 1
    assert len(walked) < 10_000


RANGE = {"type": "object", "properties": {"gt": {"type": "integer"}}}
CREATED = {"name": "created", "in": "query", "style": "deepObject", "explode": True}


@pytest.mark.parametrize(
    "schema",
    [
        RANGE,
        LIST,
        {"anyOf": [RANGE, {"type": "integer"}]},
        {"type": "object", "additionalProperties": {"type": "string"}},
    ],
)
def test_an_object_in_a_query_comes_back(schema: Json) -> None:
    document = of_one(parameters=[CREATED | {"schema": schema}])
    assert imported(document).operations[0].bindings["rest"]["parameters"]["created"]["style"] == "deep"
    own = comes_back(document)
    [parameter] = own["paths"]["/do"]["post"]["parameters"]
    assert (parameter["style"], parameter["explode"]) == ("deepObject", True)


@pytest.mark.parametrize(("encoding", "style"), [({"style": "deepObject", "explode": True}, "deep"), ({}, None)])
def test_an_object_in_a_form_comes_back(encoding: Json, style: str | None) -> None:
    schema = {"type": "object", "properties": {"created": RANGE}}
    content = {URLENCODED: {"schema": schema, "encoding": {"created": encoding}}}
    document = of_one(requestBody={"required": True, "content": content})
    place = imported(document).operations[0].bindings["rest"]["parameters"]["created"]
    assert place.get("style") == style
    comes_back(document)


RECORDS = [{"type": "object", "required": [name], "properties": {name: {"type": "string"}}} for name in "ab"]


@pytest.mark.parametrize("arms", [[{"type": "string"}, LIST], RECORDS], ids=["kinds", "records"])
def test_arms_that_may_be_null_are_told_apart_however_that_is_said(arms: list[Json]) -> None:
    schema = {"anyOf": [arm | {"nullable": True} for arm in arms]}
    comes_back(of_one(requestBody={"content": {"application/json": {"schema": schema}}}) | {"openapi": "3.0.3"})
