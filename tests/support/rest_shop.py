"""A small service with one operation for each thing REST does, and a way to talk to it in octets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from entrepot.http.bodies import read
from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model import shape as s
from entrepot.model.call import Call, Reply
from entrepot.model.fault import DeclaredFault, Fault
from entrepot.model.operation import Example, Link, Operation, Service
from entrepot.ports.exchange import Body, Exchange, Request, Response
from entrepot.ports.protocol import ServedService
from entrepot.protocols.rest.client import RestClient
from entrepot.protocols.rest.server import RestServer
from entrepot.shapes.values import Values

BASE = b"/api/shop/v1"
PRODUCT = s.Ref(name="Product")
UNSET = msgspec.UNSET


def field(name: str, shape: s.Shape, **more: Any) -> s.Field:
    return s.Field(name=name, shape=shape, **more)


def optional(name: str, shape: s.Shape, **more: Any) -> s.Field:
    return s.Field(name=name, shape=shape, required=False, **more)


def record(*fields: s.Field, **more: Any) -> s.Record:
    return s.Record(fields=fields, **more)


def operation(name: str, *fields: s.Field, rest: dict[str, Any] | None = None, **more: Any) -> Operation:
    bindings = {} if rest is None else {"rest": rest}
    return Operation(name=name, input=record(*fields), bindings=bindings, **more)


TYPES: dict[str, s.Shape] = {
    "Product": record(
        field("id", s.Int()),
        field("name", s.Text(length_min=1)),
        field("version", s.Int(), role="version"),
        optional("note", s.Nullable(shape=s.Text())),
        docs="Something to sell.",
    ),
    "Change": record(optional("name", s.Text()), optional("note", s.Nullable(shape=s.Text())), extras="forbid"),
    "Tick": record(field("at", s.Int(), role="cursor"), field("price", s.Decimal())),
}

OUT_OF_STOCK = DeclaredFault(name="OutOfStock", kind="conflict", data=record(field("left", s.Int())), docs="None left.")
TEAPOT = DeclaredFault(name="Teapot", kind="rejected", docs="It is a teapot.", bindings={"rest": {"status": 418}})

OPERATIONS = (
    operation(
        "product",
        field("id", s.Int(minimum=0)),
        rest={"method": "GET", "path": "/products/{id}"},
        output=PRODUCT,
        safe=True,
        idempotent=True,
        faults=(OUT_OF_STOCK, TEAPOT),
        summary="One product.",
        docs="With everything about it.",
        tags=("products",),
        examples=(Example(name="a chair", input={"id": 7}, output={"id": 7, "name": "chair", "version": 1}),),
    ),
    operation(
        "place",
        field("product", PRODUCT),
        optional("dry", s.Bool(), default=False),
        rest={"method": "POST", "path": "/products", "location": "/products/{id}"},
        output=PRODUCT,
    ),
    operation(
        "change",
        field("id", s.Int()),
        field("change", s.Ref(name="Change")),
        rest={"method": "PATCH", "path": "/products/{id}"},
        output=PRODUCT,
    ),
    operation(
        "replace",
        field("id", s.Int()),
        field("product", PRODUCT),
        rest={"method": "PUT", "path": "/products/{id}", "conditions": True},
        output=PRODUCT,
        idempotent=True,
    ),
    operation(
        "remove", field("id", s.Int()), rest={"method": "DELETE", "path": "/products/{id}"}, idempotent=True
    ),
    operation(
        "search",
        optional("tag", s.List(item=s.Text()), default=[]),
        optional("limit", s.Int(maximum=100), default=20),
        optional("cursor", s.Nullable(shape=s.Text()), default=None, role="cursor"),
        optional("language", s.Text()),
        optional("session", s.Text()),
        rest={
            "method": "GET",
            "path": "/products",
            "parameters": {"language": {"in": "header", "name": "X-Language"}, "session": {"in": "cookie"}},
        },
        output=s.Page(item=PRODUCT),
        safe=True,
        idempotent=True,
    ),
    operation("quote", field("items", s.List(item=s.Decimal())), field("code", s.Text()), output=s.Decimal()),
    operation(
        "ticks",
        field("symbol", s.Text()),
        optional("after", s.Nullable(shape=s.Int()), default=None, role="cursor"),
        rest={"method": "GET", "path": "/ticks/{symbol}"},
        output=s.Ref(name="Tick"),
        stream_output=True,
        safe=True,
        idempotent=True,
    ),
    operation(
        "record_ticks",
        field("source", s.Text()),
        rest={"method": "POST", "path": "/ticks"},
        stream_input=s.Ref(name="Tick"),
        output=s.Int(),
    ),
    operation(
        "picture", field("id", s.Int()), rest={"method": "GET", "path": "/pictures/{id}"}, output=s.File(), safe=True
    ),
    operation(
        "store_picture",
        field("id", s.Int()),
        field("picture", s.File(media_types=("image/*",), bytes_max=100)),
        rest={"method": "PUT", "path": "/pictures/{id}"},
        output=s.Text(),
    ),
    operation(
        "describe",
        field("title", s.Text()),
        field("tags", s.List(item=s.Text())),
        field("change", s.Ref(name="Change")),
        field("pictures", s.List(item=s.File())),
        rest={
            "method": "POST",
            "path": "/pictures",
            "parameters": {name: {"in": "form"} for name in ("title", "tags", "change", "pictures")},
        },
        output=s.Text(),
    ),
    operation(
        "log_in",
        field("user", s.Text()),
        optional("remember", s.Bool()),
        rest={"method": "POST", "path": "/log-in", "parameters": {"user": {"in": "form"}, "remember": {"in": "form"}}},
        output=s.Text(),
    ),
    operation(
        "shout", field("text", s.Raw(media_type="text/plain")), rest={"method": "POST", "path": "/shout"},
        output=s.Raw(media_type="text/plain"),
    ),
    operation("ping"),
)  # fmt: skip

SERVICE = Service(
    name="shop",
    title="Shop",
    docs="Sells things.",
    operations=OPERATIONS,
    types=TYPES,
    links=(Link(type="Tick", field="product", operation="product", arguments={"id": "at"}),),
)


class Shop:
    """The service with answers that a test sets, and every call that came."""

    def __init__(self, *, limits: Limits = DEFAULT_LIMITS, service: Service = SERVICE) -> None:
        self.service = service
        self.values = Values(service.types, limits=limits)
        self.calls: list[Call] = []
        self.reply: Any = Reply()
        invokes = {operation.name: self._invoke for operation in service.operations}
        served = ServedService(service=service, values=self.values, invokes=invokes)
        self.exchange: Exchange = RestServer().serve([served])

    async def _invoke(self, call: Call) -> Reply:
        self.calls.append(call)
        reply = await self.reply(call) if callable(self.reply) else self.reply
        assert isinstance(reply, Reply)
        return reply

    def fails(self, fault: Fault) -> None:
        self.reply = Reply(fault=fault)

    def product(self, **members: Any) -> Any:
        return self.values.codec(PRODUCT).of_plain({"id": 7, "name": "chair", "version": 3} | members)

    def tick(self, at: int) -> Any:
        return self.values.codec(s.Ref(name="Tick")).of_plain({"at": at, "price": "1.50"})

    def call(self, name: str, **plain: Any) -> Call:
        """A call of an operation whose input is plain data."""
        called = self.service.operation(name)
        assert called is not None
        return Call(called, self.values.codec(called.input).of_plain(plain))

    async def send(
        self, method: str, path: bytes, query: bytes = b"", body: Body = b"", **headers: str
    ) -> tuple[int, dict[bytes, bytes], bytes]:
        """Status, headers and body of the answer; `if_match` is the header If-Match."""
        response = await self.exchange(self.request(method, path, query, body, **headers))
        return response.status, dict(response.headers), await read(response.body, 10**8)

    def request(self, method: str, path: bytes, query: bytes = b"", body: Body = b"", **headers: str) -> Request:
        pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        return Request(method, BASE + path, query, pairs, body)

    async def problem(self, method: str, path: bytes, query: bytes = b"", body: Body = b"", **headers: str) -> Any:
        """The problem that the answer is."""
        status, answered, content = await self.send(method, path, query, body, **headers)
        assert answered[b"content-type"] == b"application/problem+json"
        problem = msgspec.json.decode(content)
        assert problem["status"] == status
        assert len(problem["trace_id"]) == 32
        return problem


def dialled(answer: Any, *, limits: Limits = DEFAULT_LIMITS, service: Service = SERVICE) -> tuple[Any, list[Request]]:
    """Invokes of the service at an upstream that answers so, and the requests that it gets."""
    requests: list[Request] = []

    async def exchange(request: Request) -> Response:
        requests.append(request)
        return await answer(request) if callable(answer) else answer

    return RestClient().dial(
        service, Values(service.types, limits=limits), exchange, "shop.example", "/api/shop/v1"
    ), requests


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
