"""Lenient replies: repaired, counted by kind, told once in the log and in every reply."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from entrepot import Service
from entrepot.app import CATALOG
from entrepot.ir.worker import PythonSource
from entrepot.kit.limits import DEFAULT_LIMITS
from entrepot.model.call import Call, Reply
from entrepot.model.fault import Issue
from entrepot.ports.exchange import Exchange, Request, Response
from entrepot.ports.protocol import ServedService
from entrepot.runtime import drift
from entrepot.runtime.bind import Binder, Dialled, exchange_of
from entrepot.runtime.drift import OTHERS, Drift, Kind
from entrepot.runtime.threads import Threads
from support.tables import service_table


class Pet(msgspec.Struct):
    id: int
    tags: list[str]
    name: str | None = None


def shop() -> Service:
    service = Service("shop")

    @service.get("/pets")
    async def pets() -> list[Pet]: ...

    @service.get("/watch")
    async def watch() -> AsyncIterator[Pet]:
        yield Pet(1, [])

    @service.post("/pets")
    async def add(pet: Pet) -> Pet: ...

    return service


WRONG = [{"id": 1, "tags": None}, {"id": "2", "tags": ["a"]}, {"id": 3, "tags": None}]


def answering(plain: Any, protocol: str = "rest", media_type: bytes = b"application/json") -> Exchange:
    async def egress(request: Request) -> Response:
        body = request.body if isinstance(request.body, bytes) else b""
        answer = plain if protocol == "rest" else {"jsonrpc": "2.0", "id": json.loads(body)["id"], "result": plain}
        written = json.dumps(answer).encode()
        return Response(200, [(b"content-type", media_type)], written)

    return egress


def served(binder: Binder, egress: Exchange, protocol: str = "rest", *, lenient: bool = True) -> ServedService:
    client = CATALOG[protocol].client
    return binder.serve_upstream(shop().describe(), 30, client, egress, Dialled("crm"), lenient=lenient)


async def call(service: ServedService, name: str = "pets") -> Reply:
    operation = next(each for each in service.service.operations if each.name == name)
    return await service.invokes[name](Call(operation, service.values.codec(operation.input).of_plain({})))


@pytest.mark.parametrize("protocol", ["rest", "jsonrpc"])
async def test_a_lenient_reply_is_repaired_counted_and_told(protocol: str, caplog: pytest.LogCaptureFixture) -> None:
    binder = Binder(Threads(1))
    service = served(binder, answering(WRONG, protocol), protocol)
    for _ in range(3):
        reply = await call(service)
        plain = service.values.codec(service.service.operations[0].output).to_plain(reply.output)
        assert [(each["id"], each["tags"]) for each in plain] == [(1, []), (2, ["a"]), (3, [])]
        assert [each.pointer for each in reply.warnings] == ["/0/tags", "/1/id", "/2/tags"]
        assert {(each.fault.kind, each.fault.upstream) for each in reply.warnings} == {("upstream_failed", "crm")}
    null, text = (Kind("crm", "shop.pets", f"/*/{name}", code) for name, code in (("tags", "null"), ("id", "type")))
    assert binder.drift.counts == {null: 6, text: 3}
    assert len(caplog.records) == 2
    caplog.clear()
    await binder.finish()
    assert caplog.messages == [
        "drift of crm in shop.pets at /*/tags (null): 6 times",
        "drift of crm in shop.pets at /*/id (type): 3 times",
    ]


async def test_what_cannot_be_repaired_is_the_fault_that_strictness_gives() -> None:
    egress = answering([{"id": 1, "tags": None}, {"id": "x", "tags": []}])
    faults = [(await call(served(Binder(Threads(1)), egress, lenient=lenient))).fault for lenient in (True, False)]
    assert [[(each.pointer, each.code) for each in fault.issues] for fault in faults if fault is not None] == [
        [("/0/tags", "null"), ("/1/id", "type")]
    ] * 2


async def test_a_strict_reply_is_a_fault() -> None:
    fault = (await call(served(Binder(Threads(1)), answering(WRONG), lenient=False))).fault
    assert fault is not None
    assert (fault.kind, fault.upstream, len(fault.issues)) == ("upstream_failed", "crm", 3)


async def test_a_good_reply_has_no_warning() -> None:
    binder = Binder(Threads(1))
    assert (await call(served(binder, answering([{"id": 1, "tags": []}])))).warnings == ()
    assert not binder.drift.counts


async def test_requests_are_never_repaired_and_warnings_reach_the_caller() -> None:
    service = served(Binder(Threads(1)), answering(WRONG[1]))
    table = service_table(shop().describe(), PythonSource("", "", ""), ("rest",))
    exchange = exchange_of([table], {"shop": service}, CATALOG, DEFAULT_LIMITS)
    path, kind = b"/api/shop/v1/pets", [(b"content-type", b"application/json")]
    refused = await exchange(Request("POST", path, headers=kind, body=b'{"id": "2", "tags": ["a"]}'))
    assert refused.status == 422
    answer = await exchange(Request("POST", path, headers=kind, body=b'{"id": 2, "tags": ["a"]}'))
    [warning] = json.loads(dict(answer.headers)[b"entrepot-warnings"])
    assert (answer.status, warning["pointer"]) == (200, "/id")
    assert isinstance(answer.body, bytes)
    assert json.loads(answer.body)["id"] == 2


async def test_the_items_of_a_stream_stay_strict() -> None:
    egress = answering(WRONG[0], media_type=b"application/jsonl")
    reply = await call(served(Binder(Threads(1)), egress), "watch")
    assert reply.fault is not None
    assert [(each.pointer, each.code) for each in reply.fault.issues] == [("/0/tags", "null")]


async def test_kinds_are_bounded(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "KINDS_MAX", 3)
    counted = Drift()

    async def invoke(_call: Call) -> Reply:
        drift.note(tuple(Issue(f"/m{index}", "type", "is odd") for index in range(9)))
        return Reply(1)

    for _ in range(2):
        await counted.around("shop.pets", "crm", invoke)(Call(shop().describe().operations[0], None))
    assert (len(counted.counts), counted.counts[OTHERS]) == (4, 12)
    assert len(caplog.messages) == 4
