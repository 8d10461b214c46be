"""Credentials of ours in requests to upstreams: where the scheme says, for what the operation demands."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec
import pytest

from entrepot.http.headers import all_of
from entrepot.model.call import Call, Context
from entrepot.model.operation import Operation, Service
from entrepot.model.security import ApiKey, Credential, Http, OAuth2, OpenIdConnect, Requirement, Scheme
from entrepot.model.shape import Field, Record, Text
from entrepot.ports.exchange import Request, Response
from entrepot.protocols.rest import PROTOCOL
from entrepot.protocols.rest.credentials import shown
from entrepot.shapes.values import Values

SCHEMES: dict[str, Scheme] = {
    "key": ApiKey(where="header", name="X-Key"),
    "query": ApiKey(where="query", name="the key"),
    "cookie": ApiKey(where="cookie", name="sid"),
    "basic": Http(scheme="basic"),
    "bearer": Http(scheme="bearer"),
    "oauth": OAuth2(),
    "openid": OpenIdConnect(url="https://id.example"),
}
CREDENTIALS = {name: Credential(secret=f"s&{name}") for name in SCHEMES} | {"basic": Credential(secret="pä", user="me")}
FIELDS = {"q": "query", "c": "cookie", "the key": "query", "X-Key": "header", "sid": "cookie"}


def demands(*alternatives: list[str], field: str = "") -> tuple[tuple[Requirement, ...], ...]:
    return tuple(tuple(Requirement(scheme=name, field=field) for name in names) for names in alternatives)


async def sent(security: Any, credentials: Any = CREDENTIALS, **given: str) -> Request:
    """The request of a call with these credentials, whose operation takes all of `FIELDS`."""
    requests: list[Request] = []

    async def exchange(request: Request) -> Response:
        requests.append(request)
        return Response(204)

    fields = [Field(name=name, python=f"f{i}", shape=Text(), required=False) for i, name in enumerate(FIELDS)]
    places = {name: {"in": where, "name": name} for name, where in FIELDS.items()}
    binding = {"method": "GET", "path": "/do", "parameters": places}
    operation = Operation(
        name="do", input=Record(fields=tuple(fields)), security=security, safe=True, bindings={"rest": binding}
    )
    service = Service(name="made", operations=(operation,), schemes=SCHEMES)
    values = Values(service.types)
    invoke = PROTOCOL.client.dial(service, values, exchange, "crm", "", credentials)["do"]
    codec = values.codec(operation.input)
    reply = await invoke(Call(operation, codec.decode(msgspec.json.encode(given)), context=Context()))
    assert reply.fault is None
    return requests[0]


def told(request: Request) -> dict[str, Any]:
    names = (b"authorization", b"x-key", b"cookie")
    found = {name.decode(): value for name in names if (value := all_of(request.headers, name)) is not None}
    return found | ({"query": request.query} if request.query else {})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("key", {"x-key": b"s&key"}),
        ("query", {"query": b"the+key=s%26query"}),
        ("cookie", {"cookie": b"sid=s&cookie"}),
        ("basic", {"authorization": b"Basic " + b64encode("me:pä".encode())}),
        ("bearer", {"authorization": b"Bearer s&bearer"}),
        ("oauth", {"authorization": b"Bearer s&oauth"}),
        ("openid", {"authorization": b"Bearer s&openid"}),
    ],
)
async def test_a_credential_stands_where_its_scheme_says(name: str, expected: Any) -> None:
    assert told(await sent(demands([name]))) == expected
    assert told(await sent(demands([name]), {})) == {}
    assert told(await sent(())) == {}


async def test_what_is_shown_stands_beside_what_the_call_says() -> None:
    request = await sent(demands(["query", "cookie"]), q="1", c="2")
    assert told(request) == {"query": b"q=1&the+key=s%26query", "cookie": b"c=2; sid=s&cookie"}


async def test_what_the_call_says_itself_is_left_to_it() -> None:
    request = await sent(demands(["query", "cookie", "key"]), **{"the key": "1", "sid": "2", "X-Key": "3"})
    assert told(request) == {"query": b"the+key=1", "cookie": b"sid=2", "x-key": b"3"}


@pytest.mark.parametrize(
    ("alternatives", "having", "expected"),
    [
        ([["key"], ["bearer"]], {"key", "bearer"}, {"x-key"}),
        ([["key"], ["bearer"]], {"bearer"}, {"authorization"}),
        ([["key", "bearer"]], {"key", "bearer"}, {"x-key", "authorization"}),
        ([["key", "bearer"]], {"key"}, set()),
        ([["key", "bearer"], ["key"]], {"key"}, {"x-key"}),
        ([[], ["key"]], {"key"}, {"x-key"}),
    ],
)
async def test_the_first_alternative_that_can_be_met_is_met(alternatives: Any, having: Any, expected: Any) -> None:
    credentials = {name: CREDENTIALS[name] for name in having}
    assert told(await sent(demands(*alternatives), credentials)).keys() == expected


async def test_what_a_field_shows_needs_no_credential_of_ours() -> None:
    security = ((Requirement(scheme="query", field="the key"), Requirement(scheme="key")),)
    assert told(await sent(security, {"key": CREDENTIALS["key"]})) == {"x-key": b"s&key"}


def test_no_text_of_a_credential_tells_the_secret() -> None:
    credential = Credential(secret="s3cr3t", user="me")
    assert "s3cr3t" not in f"{credential} {credential!r} {[credential]}"
    operation = Operation(name="do", security=demands(["bearer"]))
    assert shown(operation, SCHEMES, {}).headers == []
