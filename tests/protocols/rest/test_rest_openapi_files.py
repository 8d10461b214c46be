"""OpenAPI documents of several files: read as the one that they make up."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from entrepot.model import shape as s
from entrepot.ports.protocol import Imported
from entrepot.protocols.rest import PROTOCOL
from entrepot.shapes.document import Document
from entrepot.spec import documents
from entrepot.spec.gather import gather
from support.documents import Files
from support.needs import require_corpus
from support.split import split

PET = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "owner": {"$ref": "#/components/schemas/Owner"},
        "kind": {"$ref": "#/components/schemas/Kind"},
        "size": {"$ref": "#/components/schemas/Owner/properties/size"},
    },
}
OWNER = {
    "type": "object",
    "properties": {
        "pets": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}},
        "size": {"type": "integer", "format": "int32"},
    },
}
KIND = {
    "oneOf": [{"$ref": "#/components/schemas/Dog"}, {"$ref": "#/components/schemas/Cat"}],
    "discriminator": {"propertyName": "is", "mapping": {"dog": "#/components/schemas/Dog"}},
}
ANIMAL = {"type": "object", "required": ["is"], "properties": {"is": {"type": "string"}}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Pets", "version": "1"},
    "paths": {
        "/pets/{id}": {
            "parameters": [{"$ref": "#/components/parameters/Id"}],
            "get": {
                "operationId": "getPet",
                "responses": {
                    "200": {
                        "description": "It.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}},
                    },
                    "default": {"$ref": "#/components/responses/Failed"},
                },
            },
        }
    },
    "components": {
        "parameters": {"Id": {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}},
        "responses": {
            "Failed": {
                "description": "It failed.",
                "content": {"application/json": {"schema": {"type": "object", "properties": {"why": {}}}}},
            }
        },
        "schemas": {
            "Pet": PET,
            "Owner": OWNER,
            "Kind": KIND,
            "Dog": {"allOf": [{"$ref": "#/components/schemas/Animal"}, {"properties": {"barks": {"type": "boolean"}}}]},
            "Cat": {"allOf": [{"$ref": "#/components/schemas/Animal"}, {"properties": {"is": {"const": "cat"}}}]},
            "Animal": ANIMAL,
        },
    },
}


EXACT = msgspec.json.Encoder(decimal_format="number")


def imported(files: dict[str, Any]) -> Imported:
    source = Files({name: EXACT.encode(content) for name, content in files.items()})
    read = gather(PROTOCOL.client.documents["openapi"], source.content(), source.main, source.name, source.obtain)
    assert read.refusals == ()
    return PROTOCOL.client.read(read.document, "pets")


def whole(document: Any) -> Imported:
    return PROTOCOL.client.read(Document(document, "pets.json"), "pets")


def test_a_document_split_into_files_is_the_service_that_the_whole_one_is() -> None:
    found, expected = imported(split(DOCUMENT)), whole(DOCUMENT)
    assert expected.refusals == ()
    assert found == expected
    assert isinstance(found.service.types["Kind"], s.Union)
    assert found.service.types["Kind"].choose == "tag"


@pytest.mark.parametrize("name", ["openapi-3.0/box.json", "openapi-3.1/discourse.local_latest.json"])
def test_a_real_document_split_into_files_is_the_service_that_the_whole_one_is(name: str) -> None:
    content = documents.read((require_corpus() / name).read_bytes(), name).content
    assert imported(split(content)).service == whole(content).service


def test_an_operation_may_stand_in_a_file_of_its_own() -> None:
    get = DOCUMENT["paths"]["/pets/{id}"]["get"]
    files = {
        "main.json": DOCUMENT | {"paths": {"/pets/{id}": {"parameters": [ID], "get": {"$ref": "get.json"}}}},
        "get.json": json.loads(json.dumps(get).replace('"#/', '"main.json#/')),
    }
    [operation] = imported(files).service.operations
    assert (operation.name, operation.output) == ("get_pet", s.Ref(name="Pet"))


ID = {"$ref": "#/components/parameters/Id"}


def test_what_cannot_be_read_in_another_file_is_refused_with_its_place_there() -> None:
    files = split(DOCUMENT)
    files["schemas/Owner.json"]["properties"]["size"] = {"type": "integre"}
    [refusal, *_] = imported(files).refusals
    assert refusal.pointer == "schemas/Owner.json#/properties/size"


def test_a_file_that_is_missing_costs_what_needs_it() -> None:
    files = split(DOCUMENT)
    del files["schemas/Owner.json"]
    source = Files({name: EXACT.encode(content) for name, content in files.items()})
    read = gather(PROTOCOL.client.documents["openapi"], source.content(), source.main, source.name, source.obtain)
    found = PROTOCOL.client.read(read.document, "pets")
    assert found.service.operations == ()
    assert "leads out of the document" in found.refusals[0].reason
    assert [each.reason for each in read.refusals] == ["schemas/Owner.json is not imported: there is none"]


def answer(schema: str) -> Any:
    return {"description": "", "content": {"application/json": {"schema": {"$ref": schema}}}}


def test_files_of_one_name_in_two_directories_are_two_types() -> None:
    files = {
        "main.json": {
            "openapi": "3.1.0",
            "info": {"title": "t", "version": "1"},
            "paths": {
                f"/{place}": {
                    "get": {
                        "responses": {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}
                    }
                }
                for place, schema in (("a", {"$ref": "a/item.json"}), ("b", {"$ref": "b/item.json"}))
            },
        },
        "a/item.json": {"type": "object", "properties": {"a": {"type": "string"}}},
        "b/item.json": {"type": "object", "properties": {"b": {"type": "string"}}},
    }
    assert set(imported(files).service.types) == {"item", "item_2"}
