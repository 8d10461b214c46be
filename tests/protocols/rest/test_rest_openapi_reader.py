"""Foreign documents as services: what is read, what is refused, and that nothing crashes."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from entrepot.kit.diagnostics import Refused
from entrepot.model import shape as s
from entrepot.model.operation import Link, Operation
from entrepot.ports.protocol import Imported
from entrepot.protocols.rest import PROTOCOL
from entrepot.protocols.rest.binding.data import bind
from entrepot.shapes.document import Document
from support.contracts import contract

Json = dict[str, Any]


def load(path: Path) -> Any:
    text = path.read_text()
    return json.loads(text) if path.suffix == ".json" else yaml.load(text, Loader=yaml.CSafeLoader)


OWN = Path(__file__).parent / "documents"
PETS: Json = load(OWN / "pets.yaml")
SWAGGER: Json = load(OWN / "swagger.yaml")


def read(document: Any) -> Imported:
    return PROTOCOL.client.read(Document(document, "specs/x.json"), "pets")


def operation(imported: Imported, name: str) -> Operation:
    found = imported.service.operation(name)
    assert found is not None, [each.name for each in imported.service.operations]
    return found


def places(imported: Imported, name: str) -> dict[str, tuple[str, str, str]]:
    binding = bind(operation(imported, name), imported.service.types)
    return {bound.field.name: (bound.where, bound.name, bound.style) for bound in binding.fields}


def test_a_service_is_named_and_placed_by_its_document():
    imported = read(PETS)
    service = imported.service
    assert (service.name, service.version, service.title, service.docs) == ("pets", "2", "Pets", "Keeps pets.")
    assert imported.server_url == "https://eu.example/v2"
    names = [each.name for each in service.operations]
    assert names == ["get_pet", "put_pets_pet_id", "get_owner", "get_photos", "add_photo", "get_other", "get_watch"]
    assert sorted(service.types) == ["Pet", "Problem"]


def test_parameters_keep_their_names_on_the_wire():
    assert places(read(PETS), "get_pet") == {
        "petId": ("path", "petId", "scalar"),
        "x_trace": ("header", "X-Trace", "scalar"),
        "fields": ("query", "fields", "comma"),
        "filter": ("query", "filter", "json"),
        "session": ("cookie", "session", "scalar"),
    }


def test_a_parameter_keeps_what_is_said_of_it():
    fields = {each.name: each for each in operation(read(PETS), "get_pet").input.fields}
    assert (fields["petId"].python, fields["petId"].shape, fields["petId"].required) == ("pet_id", s.Int(bits=64), True)
    assert (fields["x_trace"].docs, fields["x_trace"].required) == ("Followed.", False)
    # A cookie that may be absent has no way to be null as well.
    assert (fields["session"].shape, fields["session"].deprecated) == (s.Text(), True)


def test_bodies_become_a_field_or_the_fields_of_a_form():
    imported = read(PETS)
    binding = bind(operation(imported, "put_pets_pet_id"), imported.service.types)
    assert (binding.body, binding.accepts, binding.status) == ("value", ("application/merge-patch+json",), 204)
    assert operation(imported, "put_pets_pet_id").input.fields[1].shape == s.Ref(name="Pet")
    assert places(imported, "add_photo") == {
        "photo": ("form", "photo", "json"),
        "note": ("form", "note", "scalar"),
        "tags": ("form", "tags", "repeat"),
    }


def test_the_first_success_with_a_body_is_the_output():
    imported = read(PETS)
    assert operation(imported, "get_pet").output == s.Ref(name="Pet")
    assert operation(imported, "get_owner").output == s.Nullable(shape=s.Anything())
    assert operation(imported, "add_photo").output == s.File(media_types=("image/png",))
    assert operation(imported, "put_pets_pet_id").output == s.Null()
    watch = operation(imported, "get_watch")
    assert (watch.stream_output, watch.output) == (True, s.Ref(name="Pet"))


def test_failures_with_an_object_are_declared_faults():
    found = {fault.name: fault for fault in operation(read(PETS), "get_pet").faults}
    assert sorted(found) == ["NotFound", "OtherFailure"]
    assert (found["NotFound"].kind, found["NotFound"].data) == ("not_found", s.Ref(name="Problem"))
    assert found["NotFound"].bindings == {"rest": {"status": 404, "whole": True}}
    assert found["OtherFailure"].bindings == {"rest": {"status": 0, "whole": True}}


def test_links_join_operations():
    [link] = read(PETS).service.links
    assert link == Link(type="Pet", field="owner", operation="get_owner", arguments={"id": "ownerId"})


def test_what_is_not_carried_is_refused_with_its_place_and_reason():
    refusals = {refusal.construct: (refusal.pointer, refusal.reason) for refusal in read(PETS).refusals}
    parameter, reason = refusals.pop("parameter matrix in query")
    assert (parameter, reason) == (
        "/paths/~1pets~1{petId}/get/parameters/5",
        "an object with members of any type, or within itself, is not carried in the style deepObject",
    )
    expected = {
        "TRACE /photos": ("/paths/~1photos/trace", "carries no operation"),
        "GET /broken": ("/paths/~1broken/get/responses/200", "leads nowhere"),
        "GET /outside": ("/paths/~1outside/get/responses/200", "leads out of the document"),
        "GET /unsaid": ("/paths/~1unsaid/get/responses/200", "nothing says of what items"),
    }
    assert refusals.keys() == expected.keys()
    for construct, (pointer, words) in expected.items():
        assert refusals[construct][0] == pointer
        assert words in refusals[construct][1]


def test_swagger_two_is_read_with_the_habits_of_its_time():
    imported = read(SWAGGER)
    assert imported.server_url == "https://old.example/api"
    assert imported.refusals == ()
    assert places(imported, "get_things_id") == {
        "id": ("path", "id", "scalar"),
        "ids": ("query", "ids", "comma"),
        "multi": ("query", "multi", "repeat"),
        "untyped": ("header", "untyped", "scalar"),
    }
    post = operation(imported, "post_things_id")
    assert (post.input.fields[1].shape, post.input.fields[1].docs) == (s.Int(), "How big.")
    assert post.output == s.Raw(media_type="text/plain")
    assert bind(post, {}).accepts == ("application/x-www-form-urlencoded",)
    assert operation(imported, "put_things_id").output == s.Ref(name="Thing")
    assert operation(imported, "delete_undeclared_name").input.fields[0].name == "name"
    assert operation(imported, "post_upload").input.fields[0].shape == s.File()


@pytest.mark.parametrize(
    "document", [None, [], {}, {"openapi": "2.0"}, {"openapi": 3}, {"swagger": "1.2"}, {"openapi": "4.0.0"}]
)
def test_another_kind_of_document_is_refused_as_a_whole(document):
    with pytest.raises(Refused, match=r"E703.*not an OpenAPI document") as refused:
        read(document)
    assert refused.value.diagnostics[0].place.file == "specs/x.json"


def test_names_that_differ_by_case_alone_are_told_apart():
    ok = {"responses": {"200": {"description": ""}}}
    paths = {
        "/a": {"get": {"operationId": "getA"} | ok},
        "/b": {"get": {"operationId": "get_a"} | ok},
        "/c": {"get": ok},
    }
    names = [each.name for each in read({"openapi": "3.0.0", "paths": paths}).service.operations]
    assert names == ["get_a", "get_a_2", "get_c"]


def twice(operation_id: str) -> Json:
    """Two operations that have one operationId."""
    operation = {"operationId": operation_id, "responses": {"200": {"description": ""}}}
    return {"openapi": "3.1.0", "paths": {"/a": {"get": operation}, "/b": {"get": operation}}}


def test_an_operation_id_that_two_have_is_the_first_one_s_and_the_other_is_told():
    imported = read(twice("getIt"))
    assert [each.name for each in imported.service.operations] == ["get_it", "get_it_2"]
    [refusal] = imported.refusals
    assert (refusal.pointer, refusal.construct) == ("/paths/~1b/get", "operationId getIt of GET /b")
    assert "called get_it_2" in refusal.reason


def test_in_a_document_of_ours_no_two_operations_have_one_name():
    imported = read(twice("get_it") | {"x-entrepot": {}})
    assert [each.bindings["rest"]["path"] for each in imported.service.operations] == ["/a"]
    [refusal] = imported.refusals
    assert (refusal.pointer, "get_it" in refusal.reason) == ("/paths/~1b/get", True)


def test_parameters_of_one_name_in_two_places_are_two_fields():
    parameters = [
        {"name": "id", "in": where, "required": True, "schema": {"type": "integer"}} for where in ("path", "query")
    ]
    body = {"content": {"application/json": {"schema": {"type": "integer"}}}}
    paths = {
        "/a/{id}": {"post": {"parameters": parameters, "requestBody": body, "responses": {"200": {"description": ""}}}}
    }
    imported = read({"openapi": "3.0.0", "paths": paths})
    assert places(imported, "post_a_id") == {
        "id": ("path", "id", "scalar"), "id_2": ("query", "id", "scalar"), "body": ("body", "body", "scalar"),
    }  # fmt: skip


# Nothing crashes

PIECES: list[Any] = [
    None, True, 0, 3.5, "", "x", "#/components/schemas/Pet", [], {}, [None], [[]], {"$ref": "#"}, {"$ref": "#/paths"},
    {"$ref": "#/components/schemas/Nope"}, {"$ref": "elsewhere.json"}, {"$ref": 5}, {"type": "nonsense"},
    {"": None}, {"in": "query"}, {"schema": []}, {"oneOf": []}, {"allOf": [5]},
]  # fmt: skip


def places_in(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a document with a key of it."""
    pairs = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    for key, child in pairs:
        yield value, key
        if isinstance(child, dict | list):
            yield from places_in(child)


@given(st.sampled_from([PETS, SWAGGER]), st.data())
def test_a_broken_document_is_read_or_refused(document, data):
    broken = copy.deepcopy(document)
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(list(places_in(broken))))
        container[key] = copy.deepcopy(data.draw(st.sampled_from(PIECES)))
    try:
        imported = read(broken)
    except Refused:
        return
    contract(PROTOCOL, imported.service)
    for refusal in imported.refusals:
        assert refusal.reason


def test_a_document_that_refers_in_circles_is_refused_not_followed_for_ever():
    paths = {"/a": {"get": {"responses": {"200": {"$ref": "#/components/responses/A"}}}}}
    components = {"responses": {"A": {"$ref": "#/components/responses/B"}, "B": {"$ref": "#/components/responses/A"}}}
    [refusal] = read({"openapi": "3.0.0", "paths": paths, "components": components}).refusals
    assert "circle" in refusal.reason


def alone(path: str = "/a", **operation: Any) -> Json:
    """A document of one operation, and of another that nothing is wrong with."""
    fine = {"operationId": "fine", "responses": {"204": {"description": ""}}}
    paths = {path: {"post": fine | {"operationId": "odd"} | operation}, "/fine": {"get": fine}}
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}


LINKS = {f"A{i}": {"$ref": f"#/components/schemas/A{i + 1}"} for i in range(600)}
CHAIN = {name: {"type": "object", "properties": {"next": next}} for name, next in LINKS.items()}
DEEP = {"name": "q", "in": "query", "style": "deepObject", "schema": {"$ref": "#/components/schemas/A0"}}
EVIL = {"application/json\r\nx-evil: 1": {"schema": {"type": "string"}}}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (alone(parameters=[DEEP]) | {"components": {"schemas": CHAIN | {"A600": {}}}}, "it is nested too deeply"),
        (alone("/a" * 3000), "has more than 200 segments"),
        (alone(requestBody={"content": EVIL}), "is no media type"),
        (alone(responses={"200": {"description": "", "content": EVIL}}), "is no media type"),
    ],
    ids=["types inside types", "a long path", "a body with a header", "an answer with a header"],
)
def test_what_is_hostile_costs_itself_alone(document: Json, reason: str) -> None:
    imported = read(document)
    [refusal] = imported.refusals
    assert (reason in refusal.reason, refusal.construct[:7]) == (True, "POST /a")
    assert [each.name for each in imported.service.operations] == ["fine"]
