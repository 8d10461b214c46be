"""The OpenAPI document that a service becomes, and the service that it becomes again."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator

from entrepot.model import shape as s
from entrepot.model.fault import DeclaredFault
from entrepot.model.operation import Link, Operation, Service
from entrepot.protocols.rest import PROTOCOL
from entrepot.protocols.rest.binding.data import bind
from entrepot.shapes.document import Document
from protocols.rest.strategies import bound_operations
from support.contracts import contract
from support.references import dangling
from support.rest_shop import SERVICE, Shop, field, operation
from support.strategies import ServedOperation

Json = dict[str, Any]


def document(service: Service) -> Json:
    content: Json = msgspec.json.decode(contract(PROTOCOL, service))
    return content


def errors_of(content: Json) -> list[str]:
    return [error.message for error in OpenAPIV31SpecValidator(content).iter_errors()]


def read_back(service: Service) -> Service:
    imported = PROTOCOL.client.read(Document(document(service), "made"), service.name)
    assert imported.refusals == ()
    assert imported.server_url == f"/api/{service.name}/v{service.version}"
    return imported.service


def comparable(service: Service) -> Any:
    """What a document can carry of a service: its operations with the meaning of their bindings."""
    return {
        "name": (service.name, service.version, service.title, service.docs),
        "types": dict(service.types),
        "links": service.links,
        "operations": {each.name: comparable_operation(each, service.types) for each in service.operations},
    }


def comparable_operation(operation: Operation, types: s.Types) -> Any:
    binding = bind(operation, types)
    # An answer without a body has no place for the name of nothing.
    output = s.Null() if isinstance(s.resolve(operation.output, types), s.Null) else operation.output
    named = binding.body in ("object", "form")
    placed = {
        p.field.name: (
            p.where,
            p.name if named or p.where != "body" else "",
            p.style,
            p.field.attribute,
            msgspec.structs.replace(p.field, python=""),
        )
        for p in binding.fields
    }
    return {
        "input": placed,
        "binding": [
            binding.method, binding.path.text, binding.body, sorted(binding.accepts), sorted(binding.produces),
            binding.status, binding.statuses, binding.location, binding.conditions,
        ],
        "faults": {fault.name: (fault.kind, fault.data, fault.docs, fault.bindings) for fault in operation.faults},
        "rest": msgspec.structs.replace(
            operation, input=s.Record(fields=()), faults=(), bindings={}, examples=(), output=output
        ),
    }  # fmt: skip


def without_titles(service: Service) -> Service:
    """A service without a title is titled with its name."""
    return msgspec.structs.replace(service, title=service.title or service.name)


def test_the_document_of_a_service_is_valid():
    assert errors_of(document(SERVICE)) == []


def test_a_service_comes_back_from_its_document():
    assert comparable(read_back(SERVICE)) == comparable(SERVICE)


@given(bound_operations(), st.booleans())
@settings(max_examples=60)
def test_generated_services_have_valid_documents_and_come_back(made: ServedOperation, deprecated: bool):
    decorated = msgspec.structs.replace(
        made.operation, deprecated=deprecated, summary="Does it.", docs="At length.", tags=("a", "b"), scopes=("x:y",),
        timeout=2.5, deferrable=deprecated,
    )  # fmt: skip
    service = Service(name="made", operations=(decorated,), types=made.types, docs="Made.")
    assert errors_of(document(service)) == []
    assert dangling(document(service)) == []
    assert comparable(read_back(service)) == comparable(without_titles(service))


def operation_of(content: Json, method: str, path: str) -> Json:
    found: Json = content["paths"][path][method]
    return found


def test_the_parts_of_an_operation_are_where_readers_look():
    content = document(SERVICE)
    product = operation_of(content, "get", "/products/{id}")
    assert product["operationId"] == "product"
    assert (product["summary"], product["description"]) == ("One product.", "With everything about it.")
    [parameter] = product["parameters"]
    assert parameter == {
        "name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0},
        "examples": {"a chair": {"value": 7}},
    }  # fmt: skip
    success = product["responses"]["200"]
    assert success["description"] == "Something to sell."
    assert success["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Product"}
    assert success["content"]["application/json"]["examples"]["a chair"]["value"]["name"] == "chair"
    assert "ETag" in success["headers"]
    assert content["servers"] == [{"url": "/api/shop/v1"}]
    assert content["tags"] == [{"name": "products"}]


def test_declared_faults_are_problems_under_their_status():
    responses = operation_of(document(SERVICE), "get", "/products/{id}")["responses"]
    assert sorted(responses) == ["200", "409", "418", "default"]
    arm = responses["409"]["content"]["application/problem+json"]["schema"]["allOf"][1]
    assert arm["properties"]["name"]["const"] == "OutOfStock"
    assert arm["properties"]["data"]["properties"]["left"] == {"type": "integer"}
    assert responses["409"]["description"] == "None left."


def test_streams_pages_files_and_links_say_what_they_are():
    content = document(SERVICE)
    ticks = operation_of(content, "get", "/ticks/{symbol}")["responses"]["200"]
    assert sorted(ticks["content"]) == ["application/x-ndjson", "text/event-stream"]
    assert ticks["content"]["text/event-stream"]["x-item-schema"] == {"$ref": "#/components/schemas/Tick"}
    assert "Link" in operation_of(content, "get", "/products")["responses"]["200"]["headers"]
    upload = operation_of(content, "put", "/pictures/{id}")["requestBody"]
    assert upload["content"]["image/*"]["schema"]["format"] == "binary"
    form = operation_of(content, "post", "/pictures")["requestBody"]["content"]["multipart/form-data"]
    assert form["schema"]["properties"]["pictures"]["items"]["format"] == "binary"
    change = operation_of(content, "patch", "/products/{id}")["requestBody"]["content"]
    assert sorted(change) == ["application/json", "application/merge-patch+json"]


def test_a_link_from_the_answer_itself_is_an_openapi_link():
    link = Link(type="Product", field="again", operation="product", arguments={"id": "id"}, docs="The same.")
    content = document(msgspec.structs.replace(SERVICE, links=(link,)))
    links = operation_of(content, "get", "/products/{id}")["responses"]["200"]["links"]
    assert links == {
        "again": {"operationId": "product", "parameters": {"id": "$response.body#/id"}, "description": "The same."}
    }
    assert errors_of(content) == []


def test_several_faults_of_one_status_are_alternatives():
    faults = tuple(DeclaredFault(name=name, kind="conflict") for name in ("A", "B"))
    service = Service(name="s", operations=(operation("x", faults=faults),))
    response = operation_of(document(service), "post", "/x")["responses"]["409"]
    assert [arm["title"] for arm in response["content"]["application/problem+json"]["schema"]["anyOf"]] == ["A", "B"]


def test_a_status_that_any_operation_may_be_answered_with_may_be_another_problem_too():
    fault = DeclaredFault(name="Mistaken", kind="rejected")
    service = Service(name="s", operations=(operation("x", faults=(fault,)),))
    response = operation_of(document(service), "post", "/x")["responses"]["400"]
    declared, another = response["content"]["application/problem+json"]["schema"]["anyOf"]
    assert (declared["title"], another) == ("Mistaken", {"$ref": "#/components/schemas/entrepot.Problem"})


async def test_the_document_is_served():
    shop = Shop()
    status, headers, body = await shop.send("GET", b"/openapi.json")
    assert (status, headers[b"content-type"]) == (200, b"application/json")
    assert msgspec.json.decode(body) == document(SERVICE)
    status, headers, body = await shop.send("HEAD", b"/openapi.json")
    assert (status, headers[b"content-type"], body) == (200, b"application/json", b"")


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/T", "$defs": {"T": {"type": "array", "contains": {"$ref": "#/$defs/T"}}}},
        {"$id": "urn:x:y", "$ref": "#/$defs/a~1{b}", "$defs": {"a/{b}": {"items": {"$ref": "#"}}}},
        {"items": {"$ref": "#/properties/$ref"}, "properties": {"$ref": {"const": {"$ref": "elsewhere"}}}},
    ],
)
def test_a_schema_that_refers_into_itself_stays_valid_and_comes_back(schema: Json):
    own = msgspec.structs.replace(field("a", s.Json(schema=schema)), docs="Own.")
    made = operation("x", own)
    service = Service(name="s", title="s", operations=(made,), types={"T": own.shape})
    content = document(service)
    assert errors_of(content) == []
    assert set(dangling(content)) <= {"elsewhere"}
    assert comparable(read_back(service)) == comparable(service)
