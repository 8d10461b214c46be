"""Callbacks and webhooks: what a service sends, read from documents, written, and read again to the same."""

from __future__ import annotations

from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from entrepot.ir.worker import ServiceTable, UpstreamSource
from entrepot.model.operation import Outgoing
from entrepot.ports.protocol import Imported
from entrepot.protocols.rest import PROTOCOL
from entrepot.shapes.document import Document, Refusal
from entrepot.spec import documents
from support.contracts import contract

Json = dict[str, Any]
ADDRESS = "{$request.body#/url}?done={$response.body#/id}"
DONE = {"204": {"description": ""}}
BODY = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Event"}}}, "required": True}
EVENT = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}


def sending(callbacks: Json | None = None, webhooks: Json | None = None, **more: Json) -> Json:
    """A document with an operation, `on_event` or `subscribe`, and what is sent."""
    operation: Json = {"operationId": "subscribe", "responses": DONE} | ({"callbacks": callbacks} if callbacks else {})
    return {
        "openapi": "3.1.0",
        "info": {"title": "Made", "version": "1"},
        "paths": {"/subscriptions": {"post": operation}},
        "components": {"schemas": {"Event": EVENT}},
        **({"webhooks": webhooks} if webhooks else {}),
        **more,
    }


def imported(content: Json) -> Imported:
    return PROTOCOL.client.read(Document(content, "x.json"), "made")


def outgoing(content: Json) -> list[Outgoing]:
    """What is sent, after it has come back from a valid document of our own."""
    found = imported(content)
    assert found.refusals == ()
    own = documents.read(contract(PROTOCOL, found.service), "own")
    assert [error.message for error in OpenAPIV31SpecValidator(own.content).iter_errors()] == []
    again = PROTOCOL.client.read(own, "made")
    assert (again.service, again.refusals) == (found.service, ())
    return list(found.service.outgoing)


def test_a_callback_is_sent_to_who_called() -> None:
    receiver = {
        "summary": "It is done.",
        "parameters": [{"name": "X-Sign", "in": "header", "schema": {"type": "string"}}],
        "requestBody": BODY,
        "responses": DONE,
    }
    [sent] = outgoing(sending({"onDone": {ADDRESS: {"post": receiver}}}))
    assert (sent.of, sent.address, sent.operation.name) == ("subscribe", ADDRESS, "on_done")
    assert [field.name for field in sent.operation.input.fields] == ["x_sign", "body"]
    assert sent.operation.summary == "It is done."


def test_a_webhook_is_sent_to_whoever_asked() -> None:
    content = sending(webhooks={"account.created": {"post": {"requestBody": BODY, "responses": DONE}}})
    [sent] = outgoing(content)
    assert (sent.of, sent.address, sent.operation.name) == ("", "", "account_created")


def test_names_are_unique_among_all_and_of_several_methods_each_has_its_own() -> None:
    receiver = {"responses": DONE}
    content = sending(
        {"subscribe": {ADDRESS: {"post": receiver}}, "done": {ADDRESS: {"post": receiver, "put": receiver}}},
        {"done post": {"post": receiver}},
    )
    assert [each.operation.name for each in outgoing(content)] == [
        "subscribe_2",
        "done_post",
        "done_put",
        "done_post_2",
    ]


def test_a_callback_may_stand_among_the_components() -> None:
    callback = {ADDRESS: {"post": {"responses": DONE}}}
    content = sending({"onDone": {"$ref": "#/components/callbacks/done"}})
    content["components"]["callbacks"] = {"done": callback}
    assert [each.address for each in outgoing(content)] == [ADDRESS]


def test_what_cannot_be_read_is_told_and_the_rest_taken() -> None:
    receiver = {"responses": DONE}
    found = imported(
        sending(
            {"lost": {"$ref": "#/nowhere"}, "found": {ADDRESS: {"post": receiver}}},
            {"asked": {"options": receiver}, "bare": {"post": {}}},
        )
    )
    assert [each.operation.name for each in found.service.outgoing] == ["found"]
    assert [(each.pointer, each.construct) for each in found.refusals] == [
        ("/paths/~1subscriptions/post/callbacks/lost", "lost"),
        ("/webhooks/asked/options", "webhook asked"),
        ("/webhooks/bare/post/responses", "webhook bare"),
    ]


def test_a_document_that_only_sends_is_a_service() -> None:
    content = sending(webhooks={"created": {"post": {"requestBody": BODY, "responses": DONE}}})
    del content["paths"]
    [sent] = outgoing(content)
    assert (sent.operation.name, imported(content).service.operations) == ("created", ())
    assert imported(content).service.types.keys() == {"Event"}


def test_names_in_a_document_of_ours_are_final() -> None:
    receiver = {"operationId": "subscribe", "responses": DONE}
    content = sending(webhooks={"a": {"post": receiver}}) | {"x-entrepot": {}}
    assert imported(content).refusals == (
        Refusal("/webhooks/a/post", "webhook a", "its operationId is missing, or another operation's"),
    )


def test_what_is_sent_shows_its_own_credentials_and_none_of_the_documents() -> None:
    schemes = {name: {"type": "http", "scheme": name} for name in ("basic", "bearer")}
    receiver = {"responses": DONE, "security": [{"bearer": []}]}
    content = sending({"a": {ADDRESS: {"post": receiver}}}, {"b": {"post": {"responses": DONE}}})
    content["components"]["securitySchemes"] = schemes
    content["security"] = [{"basic": []}]
    a, b = outgoing(content)
    assert ([each.scheme for [each] in a.operation.security], b.operation.security) == (["bearer"], ())
    service = imported(content).service
    table = ServiceTable(
        service=service,
        source=UpstreamSource(protocol="rest", upstream="crm"),
        carried={"rest": ("subscribe",)},
        refused={},
        timeout=1.0,
    )
    served = table.served_over("rest")
    assert (served.schemes.keys(), served.outgoing) == ({"bearer"}, service.outgoing)
    assert service.only([]).outgoing == (b,)
