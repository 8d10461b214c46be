"""What a caller demands of the present version, asked of the origin and through a server that only passes it on."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from entrepot.http.bodies import read
from entrepot.model import shape as s
from entrepot.model.call import Call, Reply
from entrepot.model.headers import header
from entrepot.model.operation import Operation, Service
from entrepot.ports.exchange import Exchange, Request
from entrepot.ports.protocol import ServedService
from entrepot.protocols.rest import PROTOCOL
from entrepot.shapes.values import Values
from entrepot.wire.memory import memory_wire
from support.strategies import values_of

Draw = Any
VERSIONS: list[s.Shape] = [
    s.Text(), s.Int(), s.Int(wire="text"), s.Decimal(), s.Uuid(), s.DateTime(), s.Nullable(shape=s.Text()),
]  # fmt: skip
OTHER = b'"another-one"'


class Asked(NamedTuple):
    """An answer in a form that compares, without what says when it was given."""

    status: int
    etag: bytes | None
    body: bytes


class Site(NamedTuple):
    """The origin, and one that calls it for its own callers."""

    origin: Exchange
    before: Exchange
    calls: list[Call]


@st.composite
def outputs(draw: Draw) -> tuple[Operation, Any]:
    """A safe operation whose output has a version, and an output."""
    version = s.Field(
        name="version", shape=draw(st.sampled_from(VERSIONS)), required=draw(st.booleans()), role="version"
    )
    record = s.Record(fields=(s.Field(name="name", shape=s.Text()), version))
    binding = {"method": "GET", "path": "/thing"}
    return Operation(name="thing", output=record, safe=True, bindings={"rest": binding}), draw(values_of(record, {}))


def site(operation: Operation, plain: Any) -> Site:
    service, values = Service(name="made", operations=(operation,)), Values({})
    output, calls = values.codec(operation.output).of_plain(plain), list[Call]()

    async def invoke(call: Call) -> Reply:
        calls.append(call)
        return Reply(output)

    def serve(invokes: Any) -> Exchange:
        return memory_wire(PROTOCOL.server.serve([ServedService(service=service, values=values, invokes=invokes)]))

    origin = serve({"thing": invoke})
    return Site(origin, serve(PROTOCOL.client.dial(service, values, origin, "origin", "/api/made/v1")), calls)


async def ask(exchange: Exchange, *conditions: tuple[bytes, bytes]) -> Asked:
    response = await exchange(Request("GET", b"/api/made/v1/thing", headers=list(conditions)))
    return Asked(response.status, header(response.headers, b"etag"), await read(response.body, 1 << 20))


async def ask_both(site: Site, *conditions: tuple[bytes, bytes]) -> Asked:
    """The answer of the origin, which is the one that is passed on."""
    asked = await ask(site.origin, *conditions)
    passed = await ask(site.before, *conditions)
    if asked.status == 412:
        assert (passed.status, b'"kind":"precondition_failed"' in passed.body) == (412, True)
    else:
        assert passed == asked
    return asked


@given(outputs())
def test_a_version_is_asked_for_again(made: tuple[Operation, Any]) -> None:
    async def law() -> None:
        told = site(*made)
        whole = await ask_both(told)
        present = made[1].get("version")
        assert (whole.status, whole.etag is None) == (200, present is None)
        etag = whole.etag or OTHER
        known = await ask_both(told, (b"if-none-match", etag))
        assert known == (whole if whole.etag is None else Asked(304, whole.etag, b""))
        assert (await ask_both(told, (b"if-none-match", b"W/" + etag))).status == known.status
        assert (await ask_both(told, (b"if-none-match", b"%b, %b" % (OTHER, etag)))).status == known.status
        assert await ask_both(told, (b"if-none-match", OTHER)) == whole
        assert (await ask_both(told, (b"if-match", etag))).status == (412 if present is None else 200)
        assert (await ask_both(told, (b"if-match", OTHER))).status == 412
        assert (await ask_both(told, (b"if-match", b"W/" + etag))).status == 412
        assert (await ask_both(told, (b"if-match", b"*"))).status == 200
        assert len({str(call.context.conditions) for call in told.calls}) == 1, "they are compared, not handed on"

    asyncio.run(law())
