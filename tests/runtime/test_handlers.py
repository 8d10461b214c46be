from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict

import msgspec
import pytest

from entrepot import (
    Conditions,
    Conflict,
    Context,
    Fault,
    File,
    Header,
    Invalid,
    NotFound,
    Page,
    Principal,
    Reply,
    Service,
)
from entrepot.model.call import Call, Middleware
from entrepot.model.fault import Issue
from entrepot.model.operation import Operation
from entrepot.runtime.local import local_service

Answer = Callable[..., Awaitable[Reply]]


class Product(msgspec.Struct):
    id: int


class OutOfStock(Fault, kind="conflict"):
    left: int


class Panic(BaseException):
    """As extensions written in Rust raise it."""


NO_EXCEPTIONS = (SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError, Panic)
"""What `except Exception` lets pass."""


async def reply_of(service: Service, given: dict[str, Any] | None = None, **options: Any) -> Reply:
    """What the first operation answers, in a local service with these options."""
    context, stream = options.pop("context", Context()), options.pop("stream", None)
    async with local_service(service, **options) as served:
        operation = served.service.operations[0]
        value = served.values.codec(operation.input).of_plain(given or {})
        return await served.invokes[operation.name](Call(operation, value, stream, context))


async def test_arguments_come_from_the_input_and_the_context() -> None:
    service = Service("shop")

    @service.post("/{id}")
    async def change(id: int, caller: Principal, context: Context, conditions: Conditions, name: str) -> list[str]:
        assert context.conditions is conditions
        return [str(id), caller.subject, *conditions.if_match, name]

    context = Context(principal=Principal("ann"), conditions=Conditions(if_match=("7",)))
    reply = await reply_of(service, {"id": 1, "name": "x"}, context=context)
    assert reply.output == ["1", "ann", "7", "x"]


async def test_one_argument_and_none() -> None:
    service = Service("shop")

    @service.get("/{id}")
    async def one(id: list[int]) -> list[int]:
        return id

    @service.get("/")
    async def none() -> int:
        return 0

    assert (await reply_of(service, {"id": [1, 2]})).output == [1, 2]
    async with local_service(service) as served:
        operation = served.service.operations[1]
        assert (await served.invokes["none"](Call(operation, None))).output == 0


async def test_an_absent_argument_leaves_the_default_to_the_function() -> None:
    service = Service("shop")
    marker = ["the very same list"]

    @service.get("/")
    async def list_all(id: int, *, tags: list[str] = marker, note: str | msgspec.UnsetType = msgspec.UNSET) -> int:
        assert tags is marker or tags == ["a"]
        return 1 if note is msgspec.UNSET else 2

    class Input(msgspec.Struct):
        id: int
        tags: Any = msgspec.UNSET
        note: Any = msgspec.UNSET

    async with local_service(service) as served:
        operation = served.service.operations[0]
        invoke = served.invokes["list_all"]
        assert (await invoke(Call(operation, Input(1)))).output == 1
        assert (await invoke(Call(operation, Input(1, ["a"], "x")))).output == 2


async def test_what_is_injected_may_have_a_default_for_those_who_call_the_function_themselves() -> None:
    service = Service("shop")

    class Pool: ...

    @service.resource(scope="application")
    async def pool() -> AsyncIterator[Pool]:
        yield Pool()

    @service.get("/")
    async def ready(pool: Pool | None = None, caller: Principal = Principal("nobody")) -> list[str]:
        return [type(pool).__name__, caller.subject]

    assert (await reply_of(service)).output == ["Pool", ""]


async def test_a_plain_function_runs_in_a_thread_with_the_callers_context_variables() -> None:
    service = Service("shop")
    variable = contextvars.ContextVar("variable", default="")

    @service.get("/{id}")
    def where(id: int, note: str = "") -> list[str]:
        return [threading.current_thread().name, variable.get(), note]

    variable.set("kept")
    name, value, note = (await reply_of(service, {"id": 1, "note": "n"})).output
    assert name.startswith("handler")
    assert (value, note) == ("kept", "n")


async def test_a_fault_reaches_the_caller() -> None:
    service = Service("shop")

    @service.get("/", faults=[OutOfStock])
    async def order() -> None:
        raise OutOfStock("few are left", left=3)

    fault = (await reply_of(service)).fault
    assert fault is not None
    assert (fault.name, fault.kind, fault.detail, fault.data.left) == ("OutOfStock", "conflict", "few are left", 3)


async def test_a_general_fault_needs_no_declaration() -> None:
    service = Service("shop")
    issue = Issue("/id", "range", "is too large")

    @service.get("/")
    async def order() -> None:
        raise Invalid("wrong", issues=(issue,))

    fault = (await reply_of(service)).fault
    assert fault is not None
    assert (fault.kind, fault.detail, fault.issues) == ("invalid", "wrong", (issue,))


async def test_an_undeclared_fault_is_told_by_its_kind_alone(caplog: pytest.LogCaptureFixture) -> None:
    service = Service("shop")

    @service.get("/")
    async def order() -> None:
        raise OutOfStock("few are left", left=3, retry_after=2.0)

    fault = (await reply_of(service)).fault
    assert fault is not None
    assert (fault.kind, fault.name, fault.detail, fault.data) == ("conflict", "", "few are left", None)
    assert fault.retry_after == 2.0
    assert "OutOfStock, which it does not declare" in caplog.text


@pytest.mark.parametrize("kind", ["async", "plain"])
@pytest.mark.parametrize("raised", [ValueError, StopIteration, RecursionError, *NO_EXCEPTIONS])
async def test_any_other_exception_is_an_internal_fault_without_detail(
    kind: str, raised: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """Also those that asyncio itself means something by, such as what `next` and `sys.exit` raise."""
    service = Service("shop")

    async def order() -> None:
        raise raised("the password is 12345")

    def plain_order() -> None:
        raise raised("the password is 12345")

    service.get("/")(order if kind == "async" else plain_order)
    context = Context()
    with caplog.at_level(logging.ERROR):
        fault = (await reply_of(service, context=context)).fault
    assert fault is not None
    assert (fault.kind, fault.detail) == ("internal", "")
    record = caplog.records[0]
    operation = "order" if kind == "async" else "plain_order"
    assert (record.name, record.operation) == ("entrepot.faults", f"shop.{operation}")  # type: ignore[attr-defined]
    assert record.trace_id == context.trace_id  # type: ignore[attr-defined]
    assert record.exc_info is not None
    assert "12345" not in record.getMessage()


async def test_a_handler_may_answer_with_a_whole_reply() -> None:
    service = Service("shop")

    @service.get("/{fails}")
    async def product(fails: bool) -> Product | Reply:
        if fails:
            return Reply(fault=NotFound("no"))
        return Reply.of(Product(1), headers={"X-Left": "3"})

    reply = await reply_of(service, {"fails": False})
    assert reply.output == Product(1)
    assert reply.meta is not None
    assert reply.meta.header(b"x-left") == b"3"
    failed = (await reply_of(service, {"fails": True})).fault
    assert failed is not None
    assert failed.kind == "not_found"


class Wrong(msgspec.Struct):
    id: int


@pytest.mark.parametrize(
    ("declared", "good", "bad"),
    [
        (Product, Product(1), Wrong(1)),
        (int, 1, "1"),
        (float, 1, "1"),
        (str, "a", b"a"),
        (None, None, 1),
        (list[int], (1, 2), {"a": 1}),
        (dict[str, int], {"a": 1}, [1]),
        (Product | None, None, 1),
        (Page[Product], Page([Product(1)]), [Product(1)]),
        (File, File.of(b""), b""),
        (Product | list[int], [1], 1),
    ],
)
@pytest.mark.parametrize("deep", [False, True])
async def test_an_output_of_another_type_is_an_internal_fault(declared: Any, good: Any, bad: Any, deep: bool) -> None:
    service, outputs = Service("shop"), [good, bad]

    async def product() -> Any:
        return outputs.pop(0)

    product.__annotations__["return"] = declared
    service.get("/")(product)
    async with local_service(service, check_output=deep) as served:
        call = Call(served.service.operations[0], None)
        assert (await served.invokes["product"](call)).fault is None
        fault = (await served.invokes["product"](call)).fault
        assert fault is not None
        assert (fault.kind, fault.detail) == ("internal", "")


@pytest.mark.parametrize(("deep", "kind"), [(False, None), (True, "internal")])
async def test_development_looks_all_the_way_down(deep: bool, kind: str | None) -> None:
    service = Service("shop")

    @service.get("/")
    async def product() -> list[Product]:
        return [Product("one")]  # type: ignore[arg-type]

    fault = (await reply_of(service, check_output=deep)).fault
    assert (fault and fault.kind) == kind


@dataclass
class Shelf:
    products: list[Product]
    best: Product | str | None = None
    by_name: dict[str, Product] = field(default_factory=dict)


class Sheet(TypedDict):
    product: Product


@pytest.mark.parametrize(
    ("declared", "output", "told"),
    [
        (list[int], [1, "a"], "a list, is not of the declared type list[int]; /1: expected an integer, not a string"),
        (float, float("nan"), "a float, is not of the declared type float; it: is no finite number of 64 bits"),
        (Product, {"id": 1}, "a dict, is not of the declared type Product; it: is a dict and not a Product"),
        (Product, Wrong(1), "a Wrong, is not of the declared type Product; it: is a Wrong and not a Product"),
        (list[Product], [Product(1), {"id": 2}], "; /1: is a dict and not a Product"),
        (Shelf, Shelf([Product(1), Wrong(2)]), "; /products/1: is a Wrong and not a Product"),  # type: ignore[list-item]
        (Shelf, Shelf([], {"id": 2}), "; /best: is a dict, which is none of the types it may be of"),  # type: ignore[arg-type]
        (Shelf, Shelf([], None, {"a/b": Wrong(1)}), "; /by_name/a~1b: is a Wrong and not a Product"),  # type: ignore[dict-item]
        (Page[Product], Page([{"id": 1}]), "; /items/0: is a dict and not a Product"),
        (Sheet, {"product": {"id": 1}}, "; /product: is a dict and not a Product"),
        (list[list[Product] | Product], [[Product(1)], [{"id": 1}]], "; /1/0: is a dict and not a Product"),
        (tuple[int, Product], (1, {"id": 1}), "; /1: is a dict and not a Product"),
    ],
)
async def test_what_is_wrong_with_an_output_is_told_with_its_place(
    declared: Any, output: Any, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    service = Service("shop")

    async def product() -> Any:
        return output

    product.__annotations__["return"] = declared
    service.get("/")(product)
    fault = (await reply_of(service)).fault
    assert (fault and fault.kind) == "internal"
    (record,) = caplog.records
    assert record.exc_info is not None
    assert told in str(record.exc_info[1])


@pytest.mark.parametrize(
    ("declared", "output"),
    [
        (Shelf, Shelf([Product(1)], Product(2), {"a": Product(3)})),
        (Shelf, Shelf([], "none")),
        (Sheet, {"product": Product(1)}),
        (list[Sheet | int], [{"product": Product(1)}, 3]),
        (list[Product | dict[str, str]], [Product(1), {"a": "b"}]),
        (Any, [{"id": 1}, Product(1)]),
        (Page[Product], Page([Product(1)], "next")),
        (set[int], {1, 2}),
    ],
)
async def test_what_is_of_its_classes_all_the_way_down_is_answered(declared: Any, output: Any) -> None:
    service = Service("shop")

    async def product() -> Any:
        return output

    product.__annotations__["return"] = declared
    service.get("/")(product)
    assert await reply_of(service) == Reply(output)


async def test_a_stream_is_not_one_item(caplog: pytest.LogCaptureFixture) -> None:
    service = Service("ticks")

    @service.get("/")
    async def ticks() -> AsyncIterator[int]:
        return 1  # type: ignore[return-value]

    fault = (await reply_of(service)).fault
    assert (fault and fault.kind) == "internal"
    assert "ticks answers with a stream, but returned a int: yield the items" in caplog.text


async def items_of(reply: Reply) -> tuple[list[Any], Fault | None]:
    """All items of a stream, and the fault at its end."""
    items: list[Any] = []
    if reply.fault is not None:
        return items, reply.fault
    try:
        async for item in reply.output:
            items.append(item)
    except Fault as fault:
        return items, fault
    return items, None


class Streams:
    """A service whose streams end in every way."""

    def __init__(self) -> None:
        self.service = Service("ticks")
        self.closed = False
        self.go_on = asyncio.Event()

        @self.service.get("/good")
        async def good(upto: int) -> AsyncIterator[int]:
            try:
                for number in range(upto):
                    yield number
            finally:
                self.closed = True

        @self.service.get("/plain")
        def plain(upto: int) -> Iterator[int]:
            try:
                for number in range(upto):
                    assert threading.current_thread().name.startswith("handler")
                    yield number
            finally:
                self.closed = True

        @self.service.get("/given")
        async def given(upto: int) -> AsyncIterator[int]:
            if upto > 5:
                raise NotFound("too many")
            return good(upto)

        @self.service.get("/list")
        def iterator(upto: int) -> Iterator[int]:
            return iter(range(upto))

        @self.service.get("/faulty")
        async def faulty(upto: int) -> AsyncIterator[int]:
            yield 0
            raise Conflict("taken")

        @self.service.get("/broken")
        async def broken(upto: int) -> AsyncIterator[int]:
            yield 0
            raise ValueError("the password is 12345")

        @self.service.get("/refused")
        async def refused(upto: int) -> AsyncIterator[int]:
            if upto > 5:
                raise NotFound("too many")
            yield 0

        @self.service.get("/slow")
        async def slow(upto: int) -> AsyncIterator[int]:
            await self.go_on.wait()
            raise NotFound("too late")
            yield 0

        @self.service.get("/wrong")
        async def wrong(upto: int) -> AsyncIterator[int]:
            try:
                yield "0"  # type: ignore[misc]
            finally:
                self.closed = True


@pytest.mark.parametrize("name", ["good", "plain", "given", "iterator"])
async def test_a_stream_gives_its_items(name: str) -> None:
    streams = Streams()
    async with local_service(streams.service) as served:
        reply = await call_by_name(served, name, {"upto": 3})
        assert await items_of(reply) == ([0, 1, 2], None)
        assert await items_of(reply) == ([], None)


@pytest.mark.parametrize("name", ["given", "refused"])
async def test_a_stream_that_fails_at_once_is_a_failed_call(name: str) -> None:
    async with local_service(Streams().service) as served:
        reply = await call_by_name(served, name, {"upto": 9})
        assert reply.output is None
        assert reply.fault is not None
        assert (reply.fault.kind, reply.fault.detail) == ("not_found", "too many")


async def test_a_stream_whose_first_item_takes_long_has_begun_before_it_fails() -> None:
    streams = Streams()
    async with local_service(streams.service) as served:
        reply = await call_by_name(served, "slow", {"upto": 1})
        assert reply.fault is None
        streams.go_on.set()
        items, fault = await items_of(reply)
        assert items == []
        assert fault is not None
        assert fault.detail == "too late"


async def test_a_stream_may_be_closed_before_its_first_item() -> None:
    streams = Streams()
    async with local_service(streams.service) as served:
        reply = await call_by_name(served, "slow", {"upto": 1})
        await reply.output.aclose()
        assert await items_of(reply) == ([], None)


@pytest.mark.parametrize(
    ("name", "items", "kind", "detail"),
    [("faulty", [0], "conflict", "taken"), ("broken", [0], "internal", ""), ("wrong", [], "internal", "")],
)
async def test_a_stream_may_end_with_a_fault_and_nothing_else(
    name: str, items: list[int], kind: str, detail: str
) -> None:
    streams = Streams()
    async with local_service(streams.service, check_output=False) as served:
        got, fault = await items_of(await call_by_name(served, name, {"upto": 3}))
        assert got == items
        assert fault is not None
        assert (fault.kind, fault.detail) == (kind, detail)
        assert name != "wrong" or streams.closed


@pytest.mark.parametrize("upto", [0, 2])
@pytest.mark.parametrize("kind", ["async", "plain"])
@pytest.mark.parametrize("raised", NO_EXCEPTIONS)
async def test_whatever_a_stream_raises_is_the_fault_at_its_end(
    kind: str, raised: type[BaseException], upto: int
) -> None:
    service = Service("ticks")

    async def ticks() -> AsyncIterator[int]:
        for number in range(upto):
            yield number
        raise raised("the password is 12345")

    def plain_ticks() -> Iterator[int]:
        yield from range(upto)
        raise raised("the password is 12345")

    service.get("/")(ticks if kind == "async" else plain_ticks)
    async with local_service(service) as served:
        items, fault = await items_of(await call_by_name(served, served.service.operations[0].name, {}))
        assert items == list(range(upto))
        assert (fault and (fault.kind, fault.detail)) == ("internal", "")


async def test_a_call_that_is_dropped_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    service = Service("shop")

    @service.get("/")
    async def order() -> None:
        await asyncio.sleep(0)

    async with local_service(service) as served:
        running = served.invokes["order"](Call(served.service.operations[0], None)).__await__()
        next(running)
        running.close()  # type: ignore[attr-defined]
    assert caplog.records == []


@pytest.mark.parametrize("name", ["good", "plain"])
async def test_a_stream_that_nobody_reads_on_is_closed(name: str) -> None:
    streams = Streams()
    async with local_service(streams.service) as served:
        reply = await call_by_name(served, name, {"upto": 3})
        assert await anext(reply.output) == 0
        await reply.output.aclose()
        assert streams.closed
        assert await items_of(reply) == ([], None)


async def test_a_stream_in_is_handed_on() -> None:
    service = Service("sums")

    @service.operation()
    async def total(numbers: AsyncIterator[int], start: int) -> int:
        return start + sum([number async for number in numbers])

    async def numbers() -> AsyncIterator[int]:
        yield 1
        yield 2

    assert (await reply_of(service, {"start": 10}, stream=numbers())).output == 13


async def test_middleware_wraps_each_operation_once_the_first_outermost() -> None:
    service, seen = Service("shop"), []

    @service.get("/")
    async def ping() -> None:
        seen.append("ping")

    def telling(name: str) -> Middleware:
        def wrap(operation: Operation, invoke: Any) -> Any:
            seen.append(f"{name} wraps {operation.name}")

            async def told(call: Call) -> Reply:
                seen.append(name)
                return await invoke(call)  # type: ignore[no-any-return]

            return told

        return wrap

    await reply_of(service, middleware=[telling("outer"), telling("inner")])
    assert seen == ["inner wraps ping", "outer wraps ping", "outer", "inner", "ping"]


@pytest.mark.parametrize(
    ("principal", "kind", "told"),
    [
        (Principal(), "unauthenticated", "orders:read, orders:write"),
        (Principal("ann"), "forbidden", "orders:read, orders:write"),
        (Principal("ann", scopes=frozenset({"orders:read"})), "forbidden", "orders:write"),
        (Principal("ann", scopes=frozenset({"orders:read", "orders:write", "more"})), None, ""),
    ],
)
async def test_an_operation_with_scopes_is_for_those_who_hold_them(
    principal: Principal, kind: str | None, told: str
) -> None:
    service, ran = Service("shop"), []

    @service.post("/orders", scopes=["orders:write", "orders:read"])
    async def order() -> None:
        ran.append(1)

    reply = await reply_of(service, context=Context(principal=principal))
    assert (reply.fault.kind if reply.fault else None) == kind
    assert reply.fault is None or reply.fault.detail.endswith(told)
    assert ran == ([] if kind else [1])


async def test_calls_run_side_by_side() -> None:
    service, here = Service("shop"), asyncio.Barrier(2)

    @service.get("/")
    async def meet() -> None:
        await here.wait()

    async with local_service(service) as served:
        call = Call(served.service.operations[0], None)
        replies = await asyncio.wait_for(asyncio.gather(*(served.invokes["meet"](call) for _ in range(2))), 5)
        assert [reply.fault for reply in replies] == [None, None]


async def test_a_header_is_an_argument_like_any_other() -> None:
    service = Service("shop")

    @service.get("/")
    async def echo(token: Annotated[str, Header("X-Token")]) -> str:
        return token

    assert (await reply_of(service, {"token": "t"})).output == "t"


async def call_by_name(served: Any, name: str, given: dict[str, Any]) -> Reply:
    operation = served.service.operation(name)
    value = served.values.codec(operation.input).of_plain(given)
    return await served.invokes[name](Call(operation, value))  # type: ignore[no-any-return]
