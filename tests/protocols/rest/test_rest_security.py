"""What a contract demands of callers: read, written, and read again to the same."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from entrepot.ir.worker import ServiceTable, UpstreamSource
from entrepot.model.security import ApiKey, Flow, Http, MutualTls, OAuth2, OpenIdConnect, Requirement, Scheme
from entrepot.ports.protocol import Imported
from entrepot.protocols.rest import PROTOCOL
from entrepot.shapes.document import Document, Refusal
from entrepot.spec import documents
from support.contracts import contract

Json = dict[str, Any]
KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}
URL = "https://id.example"


def imported(schemes: Json, security: Any = None, *, document: Any = None, parameters: Any = ()) -> Imported:
    operation: Json = {"operationId": "do", "parameters": list(parameters), "responses": {"204": {"description": ""}}}
    content: Json = {
        "openapi": "3.1.0",
        "info": {"title": "Made", "version": "1"},
        "paths": {"/do": {"get": operation}},
    }
    if security is not None:
        operation["security"] = security
    if document is not None:
        content["security"] = document
    content["components"] = {"securitySchemes": schemes}
    return PROTOCOL.client.read(Document(content, "x.json"), "made")


def demanded(found: Imported) -> tuple[tuple[Requirement, ...], ...]:
    [operation] = found.service.operations
    return operation.security


SCHEMES: list[tuple[Json, Scheme]] = [
    (KEY | {"description": "From the desk."}, ApiKey(where="header", name="X-Key", docs="From the desk.")),
    ({"type": "apiKey", "in": "query", "name": "k"}, ApiKey(where="query", name="k")),
    ({"type": "apiKey", "in": "cookie", "name": "k"}, ApiKey(where="cookie", name="k")),
    ({"type": "http", "scheme": "Basic"}, Http(scheme="basic")),
    ({"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}, Http(scheme="bearer", format="JWT")),
    ({"type": "http", "scheme": "digest"}, Http(scheme="digest")),
    (
        {
            "type": "oauth2",
            "flows": {
                "clientCredentials": {"tokenUrl": f"{URL}/t", "scopes": {"read": "Look."}},
                "authorizationCode": {
                    "authorizationUrl": f"{URL}/a", "tokenUrl": f"{URL}/t", "refreshUrl": f"{URL}/r", "scopes": {},
                },
                "implicit": {"authorizationUrl": f"{URL}/a", "scopes": {}},
                "password": {"tokenUrl": f"{URL}/t", "scopes": {}},
            },
        },
        OAuth2(
            flows=(
                Flow(kind="client_credentials", token_url=f"{URL}/t", scopes={"read": "Look."}),
                Flow(
                    kind="authorization_code",
                    authorization_url=f"{URL}/a", token_url=f"{URL}/t", refresh_url=f"{URL}/r",
                ),
                Flow(kind="implicit", authorization_url=f"{URL}/a"),
                Flow(kind="password", token_url=f"{URL}/t"),
            )
        ),
    ),
    ({"type": "openIdConnect", "openIdConnectUrl": f"{URL}/c"}, OpenIdConnect(url=f"{URL}/c")),
    ({"type": "mutualTLS"}, MutualTls()),
]  # fmt: skip


@pytest.mark.parametrize(("written", "scheme"), SCHEMES)
def test_each_kind_of_scheme_is_read_and_comes_back(written: Json, scheme: Scheme) -> None:
    found = imported({"my": written}, [{"my": ["read"]}])
    assert found.refusals == ()
    assert found.service.schemes == {"my": scheme}
    assert demanded(found) == ((Requirement(scheme="my", scopes=("read",)),),)
    own = documents.read(contract(PROTOCOL, found.service), "own")
    assert [error.message for error in OpenAPIV31SpecValidator(own.content).iter_errors()] == []
    assert PROTOCOL.client.read(own, "made") == Imported(found.service, (), "/api/made/v1")


@pytest.mark.parametrize(
    ("written", "scheme"),
    [
        ({"type": "basic"}, Http(scheme="basic")),
        (
            {"type": "oauth2", "flow": "accessCode", "authorizationUrl": "a", "tokenUrl": "t", "scopes": {"r": "R"}},
            OAuth2(flows=(Flow(kind="authorization_code", authorization_url="a", token_url="t", scopes={"r": "R"}),)),
        ),
        (
            {"type": "oauth2", "flow": "application", "tokenUrl": "t", "scopes": {}},
            OAuth2(flows=(Flow(kind="client_credentials", token_url="t"),)),
        ),
    ],
)
def test_schemes_of_swagger_are_the_same_schemes(written: Json, scheme: Scheme) -> None:
    operation = {"security": [{"My Key": []}], "responses": {"204": {"description": ""}}}
    content = {
        "swagger": "2.0",
        "info": {"title": "Made", "version": "1"},
        "securityDefinitions": {"My Key": written},
        "paths": {"/do": {"get": operation}},
    }
    found = PROTOCOL.client.read(Document(content, "x.json"), "made")
    assert found.service.schemes == {"My_Key": scheme}
    assert demanded(found) == ((Requirement(scheme="My_Key"),),)


A, B = Requirement(scheme="a"), Requirement(scheme="b")


@pytest.mark.parametrize(
    ("own", "everywhere", "expected"),
    [
        (None, None, ()),
        (None, [{"a": []}], ((A,),)),
        ([], [{"a": []}], ()),
        ([{}], [{"a": []}], ((),)),
        ([{"a": [], "b": []}], None, ((A, B),)),
        ([{"a": []}, {"b": []}, {}], None, ((A,), (B,), ())),
    ],
)
def test_an_operation_demands_what_it_says_else_what_the_document_says(
    own: Any, everywhere: Any, expected: Any
) -> None:
    found = imported({"a": KEY, "b": {"type": "http", "scheme": "basic"}}, own, document=everywhere)
    assert demanded(found) == expected
    assert (
        PROTOCOL.client.read(documents.read(contract(PROTOCOL, found.service), "own"), "made").service == found.service
    )


@pytest.mark.parametrize(
    ("scheme", "parameter", "field"),
    [
        ({"type": "http", "scheme": "bearer"}, ("header", "Authorization"), "Authorization"),
        ({"type": "http", "scheme": "bearer"}, ("header", "Other"), ""),
        ({"type": "apiKey", "in": "header", "name": "Key"}, ("header", "key"), "key"),
        ({"type": "apiKey", "in": "query", "name": "Key"}, ("query", "Key"), "Key"),
        ({"type": "apiKey", "in": "query", "name": "Key"}, ("query", "key"), ""),
        ({"type": "apiKey", "in": "query", "name": "Key"}, ("header", "Key"), ""),
        ({"type": "mutualTLS"}, ("header", "Authorization"), ""),
    ],
)
def test_a_parameter_may_be_what_shows_it(scheme: Json, parameter: tuple[str, str], field: str) -> None:
    where, name = parameter
    found = imported(
        {"my": scheme}, [{"my": []}], parameters=[{"name": name, "in": where, "schema": {"type": "string"}}]
    )
    assert demanded(found) == ((Requirement(scheme="my", field=field),),)


@pytest.mark.parametrize(
    ("schemes", "pointer", "reason"),
    [
        ({}, "/paths/~1do/get/security/0/my", "no scheme has this name"),
        ({"my": {"type": "magic"}}, "/components/securitySchemes/my", "there is no kind of scheme called 'magic'"),
        (
            {"my": {"type": "apiKey", "in": "body", "name": "k"}}, "/components/securitySchemes/my",
            "it does not say where the key stands and what it is called",
        ),
        (
            {"my": {"type": "apiKey", "in": "header", "name": "a\r\nb"}},
            "/components/securitySchemes/my",
            "no header has the name 'a\\r\\nb'",
        ),
        (
            {"my": {"$ref": "#/nowhere"}}, "/components/securitySchemes/my",
            "the reference leads nowhere: nothing stands at '/nowhere'",
        ),
    ],
)  # fmt: skip
def test_what_is_no_scheme_is_told_and_the_operation_imported(schemes: Json, pointer: str, reason: str) -> None:
    found = imported(schemes | {"a": KEY}, [{"my": []}, {"a": []}])
    assert demanded(found) == ((A,),)
    assert found.refusals == (Refusal(pointer, "security scheme my", reason),)


def test_a_flow_that_nobody_knows_is_told() -> None:
    found = imported({"my": {"type": "oauth2", "flows": {"magic": {"scopes": {}}}}})
    assert found.service.schemes == {"my": OAuth2()}
    [refusal] = found.refusals
    assert refusal.pointer == "/components/securitySchemes/my/flows/magic"


def test_callers_of_an_upstreams_service_are_not_asked_for_what_we_show_it() -> None:
    service = imported({"a": KEY}, [{"a": []}]).service
    table = ServiceTable(
        service=service,
        source=UpstreamSource(protocol="rest", upstream="crm"),
        carried={"rest": ("do",)},
        refused={},
        timeout=1.0,
    )
    own = documents.read(contract(PROTOCOL, table.served_over("rest")), "own").content
    assert "securitySchemes" not in own["components"]
    assert "security" not in own["paths"]["/do"]["get"]
