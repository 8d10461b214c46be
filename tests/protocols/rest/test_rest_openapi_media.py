"""Several media types of one body: which are read, in which order, and what is told of the others."""

from __future__ import annotations

from typing import Any

import pytest

from entrepot.model import shape as s
from entrepot.protocols.rest import PROTOCOL
from entrepot.protocols.rest.binding.bound import accept_of
from entrepot.protocols.rest.binding.data import bind, bind_upstream
from entrepot.shapes.document import Document
from support.openapi import comes_back, of_one, own_document

Json = dict[str, Any]
JSON, MSGPACK, XML = "application/json", "application/msgpack", "application/xml"
FORM = "application/x-www-form-urlencoded"
THING: Json = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
OTHER: Json = {"type": "object", "properties": {"name": {"type": "string"}}}


def content(*media_types: str, **others: Json) -> Json:
    """Media types of one schema, and others of their own."""
    return {name: {"schema": THING} for name in media_types} | {name: {"schema": each} for name, each in others.items()}


def of_both(said: Json) -> Json:
    return of_one(
        requestBody={"required": True, "content": said}, responses={"200": {"description": "", "content": said}}
    )


def read(said: Json) -> tuple[tuple[str, ...], tuple[str, ...], list[tuple[str, str]]]:
    """What is sent and taken, what is answered, and what is told of the request's body."""
    imported = PROTOCOL.client.read(Document(of_both(said), "specs/x.json"), "made")
    binding = bind(imported.service.operations[0], imported.service.types)
    gaps = [(each.construct, each.reason) for each in imported.refusals if "requestBody" in each.pointer]
    assert len(imported.refusals) == 2 * len(gaps)
    return binding.accepts, binding.produces, gaps


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (content(MSGPACK, "application/hal+json", JSON), ("application/hal+json", JSON, MSGPACK)),
        (content("application/json; charset=utf-8"), (JSON,)),
        (content("*/*"), (JSON,)),
        (content("application/*"), (JSON,)),
        (content("*/*", MSGPACK), (JSON, MSGPACK)),
        (content(JSON, "*/*"), (JSON,)),
        (content(XML, MSGPACK, JSON), (JSON, MSGPACK, XML)),
        (content("text/xml", JSON), (JSON, "text/xml")),
    ],
)
def test_json_comes_first_and_then_what_says_the_same(said: Json, kept: tuple[str, ...]) -> None:
    assert read(said) == (kept, kept, [])
    comes_back(of_both(said))


@pytest.mark.parametrize(
    ("said", "kept", "gap"),
    [
        (content(FORM, JSON), JSON, (FORM, "application/json is read and written instead")),
        (content(JSON, "text/plain"), JSON, ("text/plain", "application/json is read and written instead")),
        (
            content(JSON, **{"application/vnd.b+json": OTHER}), JSON,
            ("application/vnd.b+json", "its schema is not that of application/json"),
        ),
        (content(JSON, **{MSGPACK: OTHER}), JSON, (MSGPACK, "its schema is not that of application/json")),
    ],
)  # fmt: skip
def test_of_what_is_left_out_the_reason_is_told(said: Json, kept: str, gap: tuple[str, str]) -> None:
    assert read(said) == ((kept,), (kept,), [gap])


@pytest.mark.parametrize("spoken", [MSGPACK, XML, "application/vnd.made+xml"])
def test_what_an_upstream_speaks_is_served_in_json_as_well(spoken: str) -> None:
    imported = PROTOCOL.client.read(Document(of_both(content(spoken)), "specs/x.json"), "made")
    service, operation = imported.service, imported.service.operations[0]
    assert imported.refusals == ()
    served, dialled = bind(operation, service.types), bind_upstream(operation, service)
    assert (served.accepts, served.produces) == ((JSON, spoken), (JSON, spoken))
    assert (dialled.accepts, dialled.produces) == ((spoken,), (spoken,))
    own = PROTOCOL.client.read(Document(own_document(service), "own"), "made")
    assert (own.refusals, own.service.operations) == ((), service.operations)


def test_xml_that_holds_no_such_value_is_text_and_told() -> None:
    free = {"application/xml": {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}}
    kept, _, [(construct, reason)] = read(free)
    assert (kept, construct) == ((XML,), XML)
    assert reason.startswith("it is passed on as text: the names of a map's members are data")
    kept, _, [(construct, reason)] = read(free | {JSON: free[XML]})
    assert (kept, reason) == ((JSON,), "the names of a map's members are data, and not those of elements")


@pytest.mark.parametrize("schema", [{}, {"type": "string", "format": "binary"}, {"type": "string"}])
def test_any_media_type_without_structure_stays_a_file(schema: Json) -> None:
    imported = PROTOCOL.client.read(Document(of_both({"*/*": {"schema": schema}}), "specs/x.json"), "made")
    operation = imported.service.operations[0]
    assert (operation.input.fields[0].shape, operation.output) == (s.File(), s.File())


def test_a_client_asks_for_what_comes_first() -> None:
    imported = PROTOCOL.client.read(Document(of_both(content(MSGPACK, JSON)), "specs/x.json"), "made")
    binding = bind(imported.service.operations[0], imported.service.types)
    assert accept_of(binding) == b"application/json, application/msgpack;q=0.8, application/problem+json;q=0.9"
