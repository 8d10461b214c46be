"""What REST tells of an operation's end: RFC 9745 and RFC 8594."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from entrepot.model.call import Call, Reply
from entrepot.model.operation import Operation, Service
from entrepot.model.shape import Text
from entrepot.ports.exchange import Request
from entrepot.ports.protocol import ServedService
from entrepot.protocols.rest import PROTOCOL
from entrepot.shapes.values import Values

OLD = Operation(
    name="old",
    safe=True,
    output=Text(),
    deprecated=True,
    deprecated_since=datetime(2023, 6, 30, 23, 59, 59, tzinfo=UTC),
    sunset=datetime(2018, 12, 31, 23, 59, 59, tzinfo=UTC),
    bindings={"rest": {"method": "GET", "path": "/old"}},
)
SERVICE = Service(name="shop", operations=(OLD,))


async def answer(_call: Call) -> Reply:
    return Reply("still here")


def served() -> Any:
    each = ServedService(service=SERVICE, values=Values({}), invokes={"old": answer})
    return PROTOCOL.server.serve([each])


async def test_headers_say_since_when_and_until_when() -> None:
    response = await served()(Request("GET", b"/api/shop/v1/old"))
    headers = dict(response.headers)
    assert headers[b"deprecation"] == b"@1688169599"
    assert headers[b"sunset"] == b"Mon, 31 Dec 2018 23:59:59 GMT"


async def test_whoever_calls_is_told_by_the_client() -> None:
    invokes = PROTOCOL.client.dial(SERVICE, Values({}), served(), "shop", "/api/shop/v1")
    reply = await invokes["old"](Call(OLD, Values({}).codec(OLD.input).type()))
    assert reply.meta is not None
    assert reply.meta.header(b"deprecation") == b"@1688169599"
