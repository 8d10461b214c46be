from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from entrepot import Fault, Service
from entrepot.ir.worker import PythonSource, ServiceTable
from entrepot.kit.limits import DEFAULT_LIMITS
from entrepot.model.call import Call
from entrepot.model.faults import Internal, UpstreamFailed
from entrepot.model.headers import header
from entrepot.ports.exchange import Exchange, Request, Response
from entrepot.ports.protocol import Protocol
from entrepot.runtime.bind import Binder, Dialled, exchange_of
from entrepot.runtime.local import local_service
from entrepot.runtime.logs import JsonLines
from entrepot.runtime.threads import Threads
from support.line_protocol import LINE, LineServer
from support.tables import service_table


class OutOfStock(Fault, kind="conflict"):
    left: int


def shop(name: str = "shop") -> Service:
    service = Service(name)

    @service.get("/echo", faults=[OutOfStock])
    async def echo(text: str) -> str:
        if text == "none":
            raise OutOfStock("few are left", left=3)
        return f"{name} says {text}"

    @service.get("/other")
    async def other() -> None: ...

    return service


def table(service: Service, **changes: Any) -> ServiceTable:
    source = PythonSource("", "", "")
    return service_table(service.describe(), source=source, **({"expose": ("line",)} | changes))


CATALOG = {"line": LINE}


@asynccontextmanager
async def exchange_for(*services: Service, catalog: Any = CATALOG, **changes: Any) -> AsyncIterator[Exchange]:
    threads = Threads(1)
    binder = Binder(threads)
    served = {each.describe().name: binder.serve_handlers(each.describe(), 30, each, {}) for each in services}
    yield exchange_of([table(each, **changes) for each in services], served, catalog, DEFAULT_LIMITS)
    threads.close()


async def answer(exchange: Exchange, path: str, **given: Any) -> tuple[int, Any]:
    response = await exchange(Request("POST", path.encode(), body=json.dumps(given).encode()))
    assert isinstance(response.body, bytes)
    return response.status, json.loads(response.body or b"null")


async def test_services_share_a_protocol() -> None:
    async with exchange_for(shop("one"), shop("two")) as exchange:
        assert await answer(exchange, "/line/one/echo", text="a") == (200, "one says a")
        assert await answer(exchange, "/line/two/echo", text="a") == (200, "two says a")


async def test_a_protocol_serves_what_it_carries() -> None:
    async with exchange_for(shop(), carried={"line": ("echo",)}) as exchange:
        assert (await answer(exchange, "/line/shop/echo", text="a"))[0] == 200
        assert (await answer(exchange, "/line/shop/other"))[0] == 404
    async with exchange_for(shop(), expose=()) as exchange:
        assert (await answer(exchange, "/line/shop/echo", text="a"))[0] == 404


async def test_each_service_has_a_page() -> None:
    async with exchange_for(shop("one"), shop("two"), catalog=CATALOG) as exchange:
        for name in ("one", "two"):
            response = await exchange(Request("GET", f"/docs/{name}/v1".encode()))
            assert response.status == 200
            assert f"<title>{name}</title>".encode() in response.body  # type: ignore[operator]
        assert (await exchange(Request("HEAD", b"/docs/one/v1"))).body == b""
        refused = await exchange(Request("POST", b"/docs/one/v1"))
        assert (refused.status, dict(refused.headers)[b"allow"]) == (405, b"GET, HEAD")


async def test_protocols_that_want_the_same_address_are_refused() -> None:
    twins = {"line": LINE, "twin": Protocol("twin", LineServer(), LINE.client)}
    with pytest.raises(ValueError, match="/line/shop/"):
        async with exchange_for(shop(), catalog=twins, expose=("line", "twin")):
            pytest.fail("it must not be bound")


async def test_an_upstreams_service_answers_as_the_upstream_does() -> None:
    author = shop()
    async with exchange_for(author) as upstream:
        binder = Binder(Threads(1))
        served = binder.serve_upstream(author.describe(), 30, LINE.client, upstream, Dialled("shop.egress"))
        invoke, operation = served.invokes["echo"], served.service.operations[0]
        codec = served.values.codec(operation.input)
        assert (await invoke(Call(operation, codec.of_plain({"text": "a"})))).output == "shop says a"
        fault = (await invoke(Call(operation, codec.of_plain({"text": "none"})))).fault
        assert fault is not None
        assert (fault.kind, fault.name, fault.upstream) == ("conflict", "OutOfStock", "shop.egress")


async def test_an_operation_that_another_upstream_has_is_called_there() -> None:
    called = []

    async def egress(request: Request) -> Response:
        called.append((header(request.headers, b"host"), request.path))
        raise UpstreamFailed("down")

    elsewhere = {"other": Dialled("upload", "/v2", {})}
    service = shop().describe()
    served = Binder(Threads(1)).serve_upstream(service, 30, LINE.client, egress, Dialled("crm"), elsewhere)
    inputs = {"echo": {"text": "a"}, "other": {}}
    for operation in service.operations:
        if operation.name in inputs:
            value = served.values.codec(operation.input).of_plain(inputs[operation.name])
            await served.invokes[operation.name](Call(operation, value))
    assert called == [(b"crm", b"/line/shop/echo"), (b"upload", b"/v2/line/shop/other")]


@pytest.mark.parametrize(
    ("error", "kind", "detail"),
    [(UpstreamFailed("down", upstream="crm"), "upstream_failed", "down"), (ValueError("12345"), "internal", "")],
)
async def test_an_upstream_that_cannot_be_reached_is_a_fault(error: Exception, kind: str, detail: str) -> None:
    async def egress(_request: Request) -> Response:
        raise error

    binder = Binder(Threads(1))
    served = binder.serve_upstream(shop().describe(), 30, LINE.client, egress, Dialled("crm.egress"))
    operation = served.service.operations[1]
    fault = (await served.invokes["other"](Call(operation, served.values.codec(operation.input).of_plain({})))).fault
    assert fault is not None
    assert (fault.kind, fault.detail) == (kind, detail)


async def test_an_internal_fault_of_an_upstream_is_logged_under_the_calls_trace_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def egress(_request: Request) -> Response:
        raise Internal("the ledger is on fire", upstream="crm")

    served = Binder(Threads(1)).serve_upstream(shop().describe(), 30, LINE.client, egress, Dialled("crm.egress"))
    operation = served.service.operations[1]
    call = Call(operation, served.values.codec(operation.input).of_plain({}))
    fault = (await served.invokes["other"](call)).fault
    assert fault is not None
    assert fault.kind == "internal"
    [record] = caplog.records
    assert record.trace_id == call.context.trace_id  # type: ignore[attr-defined]
    assert record.getMessage() == "the upstream crm failed inside"
    assert "the ledger is on fire" in caplog.text


async def test_the_deadline_travels_to_the_upstream() -> None:
    deadlines = []

    async def egress(request: Request) -> Response:
        deadlines.append(request.deadline)
        return Response(200, [], b"null")

    binder = Binder(Threads(1))
    served = binder.serve_upstream(shop().describe(), 2, LINE.client, egress, Dialled("crm.egress"))
    operation = served.service.operations[1]
    before = time.monotonic() + 2
    await served.invokes["other"](Call(operation, served.values.codec(operation.input).of_plain({})))
    assert before <= deadlines[0] <= time.monotonic() + 2


async def test_an_upstream_that_takes_too_long_is_named() -> None:
    async def egress(_request: Request) -> Response:
        await asyncio.Event().wait()
        raise AssertionError

    binder = Binder(Threads(1))
    served = binder.serve_upstream(shop().describe(), 0.01, LINE.client, egress, Dialled("crm"))
    operation = served.service.operations[1]
    fault = (await served.invokes["other"](Call(operation, served.values.codec(operation.input).of_plain({})))).fault
    assert fault is not None
    assert (fault.kind, fault.upstream) == ("timeout", "crm")


async def test_a_local_service_is_bound_without_a_server() -> None:
    async with local_service(shop()) as served:
        operation = served.service.operations[0]
        value = served.values.codec(operation.input).of_plain({"text": "a"})
        assert (await served.invokes["echo"](Call(operation, value))).output == "shop says a"


def test_a_log_record_is_one_line_of_json() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        record = logging.LogRecord("entrepot", logging.ERROR, "", 0, "it %s", ("broke\n",), (type(error), error, None))
    record.trace_id = "a" * 32
    line = JsonLines().format(record)
    assert "\n" not in line
    told = json.loads(line)
    assert (told["level"], told["logger"], told["message"]) == ("error", "entrepot", "it broke\n")
    assert told["trace_id"] == "a" * 32
    assert "two\nlines" in told["traceback"]
    assert "operation" not in told
