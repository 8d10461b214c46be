"""OpenAPI 3.2, as far as it says more than 3.1."""

from __future__ import annotations

from typing import Any

import pytest

from entrepot.kit.diagnostics import Refused
from entrepot.model import shape as s
from entrepot.ports.protocol import Imported
from entrepot.protocols.rest import PROTOCOL
from entrepot.shapes.document import Document
from support.openapi import Json, imported, of_one, own_document

TICK: Json = {"type": "object", "required": ["at"], "properties": {"at": {"type": "integer"}}}
EVENT: Json = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": TICK},
    },
}


def of_32(path: Json | None = None, **operation: Any) -> Json:
    document = of_one(**operation) | {"openapi": "3.2.0", "$self": "https://crm.example/openapi.json"}
    document["paths"]["/do"] |= path or {}
    return document


def read(document: Json) -> Imported:
    return PROTOCOL.client.read(Document(document, "specs/x.json"), "made")


def answered(content: Json) -> Json:
    return {"200": {"summary": "What there is.", "content": content}}


@pytest.mark.parametrize(
    ("media_type", "item"),
    [("text/event-stream", EVENT), ("application/x-ndjson", TICK), ("application/jsonl", TICK)],
)
def test_a_stream_is_of_what_its_events_or_lines_hold(media_type: str, item: Json) -> None:
    [operation] = imported(of_32(responses=answered({media_type: {"itemSchema": item}}))).operations
    assert operation.stream_output
    assert isinstance(operation.output, s.Record)
    assert [field.name for field in operation.output.fields] == ["at"]


def test_events_that_do_not_say_what_they_hold_are_refused() -> None:
    found = read(of_32(responses=answered({"text/event-stream": {"itemSchema": {"type": "object"}}})))
    [refusal] = found.refusals
    assert (refusal.pointer.endswith("/itemSchema"), "contentSchema" in refusal.reason) == (True, True)


def test_a_stream_may_be_sent() -> None:
    body = {"content": {"application/x-ndjson": {"itemSchema": TICK}}}
    [operation] = imported(of_32(requestBody=body)).operations
    assert isinstance(operation.stream_input, s.Record)


def test_methods_that_carry_no_operation_are_told_one_by_one() -> None:
    said: Json = {"responses": {"200": {}}}
    found = read(of_32({"query": said, "additionalOperations": {"COPY": said}}))
    assert [each.name for each in found.service.operations] == ["do"]
    assert [(each.construct, each.pointer) for each in found.refusals] == [
        ("QUERY /do", "/paths/~1do/query"),
        ("COPY /do", "/paths/~1do/additionalOperations/COPY"),
    ]


def test_a_whole_query_as_one_value_is_told() -> None:
    whole = {"name": "q", "in": "querystring", "content": {"application/json": {"schema": TICK}}}
    [refusal] = read(of_32(parameters=[whole])).refusals
    assert refusal.construct == "parameter q in querystring"


def test_cookies_in_their_own_style_are_read() -> None:
    ids = {"name": "ids", "in": "cookie", "style": "cookie", "schema": {"type": "array", "items": {"type": "integer"}}}
    [operation] = imported(of_32(parameters=[ids])).operations
    assert operation.bindings["rest"]["parameters"]["ids"]["style"] == "repeat"


def test_what_an_answer_means_and_its_data_are_kept() -> None:
    content = {"application/json": {"schema": TICK, "examples": {"one": {"dataValue": {"at": 1}}}}}
    service = imported(of_32(responses=answered(content)))
    assert [each.output for each in service.operations[0].examples] == [{"at": 1}]
    own = own_document(service)
    assert own["paths"]["/do"]["post"]["responses"]["200"]["description"] == "What there is."
    assert (own["openapi"], imported(own)) == ("3.1.1", service)


def test_what_may_have_no_tag_is_told_apart_otherwise() -> None:
    names: Json = {"cat": {"meow": {"type": "integer"}}, "dog": {"bark": {"type": "integer"}}}
    schemas: Json = {
        name: {"type": "object", "required": [*members], "properties": {"kind": {"type": "string"}} | members}
        for name, members in names.items()
    }
    pet = {
        "oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in schemas],
        "discriminator": {"propertyName": "kind", "defaultMapping": "cat"},
    }
    document = of_32(responses=answered({"application/json": {"schema": pet}})) | {"components": {"schemas": schemas}}
    output = imported(document).operations[0].output
    assert (isinstance(output, s.Union), getattr(output, "choose", "")) == (True, "keys")


def test_nodes_of_xml_are_those_that_they_were() -> None:
    members = {
        "id": {"type": "integer", "xml": {"nodeType": "attribute"}},
        "tags": {"type": "array", "items": {"type": "string"}, "xml": {"nodeType": "element"}},
        "name": {"type": "string", "xml": {"nodeType": "element"}},
    }
    thing = {"type": "object", "properties": members}
    output = imported(of_32(responses=answered({"application/json": {"schema": thing}}))).operations[0].output
    assert isinstance(output, s.Record)
    forms = {field.name: field.xml for field in output.fields if field.xml is not None}
    assert forms["id"].kind == "attribute"
    assert [name for name, form in forms.items() if form.wrapped] == ["tags"]


@pytest.mark.parametrize("version", ["3.3.0", "4.0"])
def test_what_is_newer_still_is_refused(version: str) -> None:
    with pytest.raises(Refused, match=r"3\.0, 3\.1 or 3\.2") as refused:
        read(of_one() | {"openapi": version})
    assert refused.value.diagnostics[0].code == "E703"
