from __future__ import annotations

import enum
import inspect
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

import msgspec
import pydantic
import pytest

from entrepot import (
    Body,
    Cookie,
    Cursor,
    Fault,
    Form,
    Header,
    NotFound,
    Page,
    Path,
    Principal,
    Query,
    Reply,
    Service,
    Version,
)
from entrepot.model import shape
from entrepot.model.operation import Example, Operation


class Product(msgspec.Struct):
    """Something to sell."""

    id: int
    price: Decimal
    supplier_id: int
    version: Annotated[int, Version()] = 1


class Supplier(msgspec.Struct):
    id: int


class OutOfStock(Fault, kind="conflict"):
    """Fewer are left."""

    left: int


class Discontinued(Fault, kind="not_found"):
    """It was sold once."""


def only(service: Service) -> Operation:
    return service.describe().operations[0]


@pytest.mark.parametrize(
    ("verb", "safe", "idempotent"),
    [
        ("get", True, True),
        ("post", False, False),
        ("put", False, True),
        ("patch", False, False),
        ("delete", False, True),
    ],
)
def test_what_a_verb_promises(verb: str, safe: bool, idempotent: bool) -> None:
    service = Service("shop")

    @getattr(service, verb)("/things/{id}")
    async def thing(id: int) -> None: ...

    operation = only(service)
    assert (operation.safe, operation.idempotent) == (safe, idempotent)
    assert operation.bindings == {"rest": {"method": verb.upper(), "path": "/things/{id}"}}


def test_an_operation_without_http_has_no_binding() -> None:
    service = Service("shop")

    @service.operation(safe=True)
    async def quote(items: list[int]) -> Decimal: ...

    assert only(service) == Operation(
        name="quote",
        input=shape.Record(fields=(shape.Field(name="items", shape=shape.List(item=shape.Int())),), extras="forbid"),
        output=shape.Decimal(),
        safe=True,
        idempotent=True,
    )


def test_every_option_arrives() -> None:
    service = Service("shop", version="2", title="Shop", docs="Sells.")

    @service.post(
        "/orders",
        name="order",
        status=202,
        location="/orders/{id}",
        faults=[OutOfStock, Discontinued, NotFound],
        scopes=["orders:write"],
        timeout=2.5,
        deprecated=True,
        deferrable=True,
        tags=["sales"],
        examples=[{"id": 1}, Example(name="two", input={"id": 2}, output=None)],
    )
    async def place_order(id: int) -> None:
        """Order something.

        All of it, or nothing.
        """

    operation = only(service)
    assert operation.name == "order"
    assert (operation.summary, operation.docs) == ("Order something.", "All of it, or nothing.")
    assert operation.bindings["rest"] == {
        "method": "POST",
        "path": "/orders",
        "status": 202,
        "location": "/orders/{id}",
    }
    assert [(fault.name, fault.kind, fault.data, fault.docs) for fault in operation.faults] == [
        ("OutOfStock", "conflict", shape.Ref(name="OutOfStock"), "Fewer are left."),
        ("Discontinued", "not_found", None, "It was sold once."),
        ("", "not_found", None, "The thing asked for does not exist."),
    ]
    assert (operation.scopes, operation.timeout, operation.tags) == (("orders:write",), 2.5, ("sales",))
    assert operation.deprecated
    assert operation.deferrable
    assert [example.name for example in operation.examples] == ["example 1", "two"]
    described = service.describe()
    assert (described.name, described.version, described.title, described.docs) == ("shop", "2", "Shop", "Sells.")
    assert service.classes["OutOfStock"] is OutOfStock.Data


def test_a_date_says_since_when_and_until_when() -> None:
    service = Service("shop")

    @service.get(
        "/old", deprecated=date(2026, 1, 31), sunset=datetime(2026, 12, 31, 12, tzinfo=timezone(timedelta(hours=1)))
    )
    async def old() -> None: ...

    operation = only(service)
    assert operation.deprecated
    assert operation.deprecated_since == datetime(2026, 1, 31, tzinfo=UTC)
    assert operation.sunset == datetime(2026, 12, 31, 11, tzinfo=UTC)


def test_an_operation_is_bound_to_any_protocol() -> None:
    service = Service("shop")
    bindings = {"jsonrpc": {"method": "orders.place"}, "rest": {"parameters": {"id": {"style": "comma"}}}}

    @service.post("/orders", bindings=bindings)
    async def place_order(id: Annotated[list[int], Query("ids")]) -> None: ...

    assert only(service).bindings == {
        "jsonrpc": {"method": "orders.place"},
        "rest": {
            "method": "POST",
            "path": "/orders",
            "parameters": {"id": {"in": "query", "name": "ids", "style": "comma"}},
        },
    }
    assert bindings["rest"] == {"parameters": {"id": {"style": "comma"}}}


def test_absent_null_and_default_are_three_things() -> None:
    service = Service("shop")

    @service.get("/")
    async def search(
        a: int,
        b: int | None,
        c: int = 3,
        d: int | None = None,
        e: int | msgspec.UnsetType = msgspec.UNSET,
        f: Annotated[Decimal, msgspec.Meta(description="How much.")] = Decimal("1.50"),
    ) -> None: ...

    a, b, c, d, e, f = only(service).input.fields
    assert (a.required, a.shape, a.default) == (True, shape.Int(), msgspec.UNSET)
    assert (b.required, b.shape) == (True, shape.Nullable(shape=shape.Int()))
    assert (c.required, c.default) == (False, 3)
    assert (d.required, d.shape, d.default) == (False, shape.Nullable(shape=shape.Int()), None)
    assert (e.required, e.shape, e.default) == (False, shape.Int(), msgspec.UNSET)
    assert (f.default, f.docs) == ("1.50", "How much.")


def test_markers_say_where_a_parameter_comes_from() -> None:
    service = Service("shop")

    @service.post("/things/{thing-id}")
    async def change(
        thing: Annotated[int, Path("thing-id")],
        if_new: Annotated[bool, Header()],
        token: Annotated[str, Header("X-Token")],
        session: Annotated[str, Cookie("sid")],
        size: Annotated[int, Query("page-size")],
        name: Annotated[str, Form()],
        rest: Annotated[str, Body()],
        plain: str,
    ) -> None: ...

    assert only(service).bindings["rest"]["parameters"] == {
        "thing": {"in": "path", "name": "thing-id"},
        "if_new": {"in": "header", "name": "if-new"},
        "token": {"in": "header", "name": "X-Token"},
        "session": {"in": "cookie", "name": "sid"},
        "size": {"in": "query", "name": "page-size"},
        "name": {"in": "form"},
        "rest": {"in": "body"},
    }


def test_a_record_in_a_query_may_be_written_member_by_member() -> None:
    service = Service("shop")

    @service.get("/products")
    async def products(price: Annotated[Supplier | None, Query("cost", deep=True)] = None) -> None: ...

    assert only(service).bindings["rest"]["parameters"] == {"price": {"in": "query", "name": "cost", "style": "deep"}}


def test_roles_are_read_from_parameters_and_fields() -> None:
    service = Service("shop")

    @service.get("/products")
    async def products(cursor: Annotated[str | None, Cursor()] = None) -> Page[Product]: ...

    operation, types = only(service), service.describe().types
    assert operation.input.fields[0].role == "cursor"
    assert operation.output == shape.Page(item=shape.Ref(name="Product"))
    product = types["Product"]
    assert isinstance(product, shape.Record)
    assert product.with_role("version") is product.field("version")
    assert product.docs == "Something to sell."


def test_what_callers_may_ask_of_an_answer_is_declared() -> None:
    service = Service("shop")

    @service.get("/products", fields=True, expand=True)
    async def products() -> list[Product]: ...

    service.link(Product, "others", operation=products, arguments={})
    assert only(service).bindings["rest"] == {"method": "GET", "path": "/products", "fields": True, "expand": True}


def test_a_marked_parameter_asks_for_a_page_and_is_bounded() -> None:
    service = Service("shop")

    @service.get("/products")
    async def products(
        page: Annotated[int, Page.Number()] = 1,
        per_page: Annotated[int, Page.Size(le=100)] = 20,
        offset: Annotated[int | None, Page.Offset(le=1000)] = None,
    ) -> Page[Product]: ...

    assert [(each.role, each.shape) for each in only(service).input.fields] == [
        ("page_number", shape.Int(minimum=1)),
        ("page_size", shape.Int(minimum=1, maximum=100)),
        ("offset", shape.Nullable(shape=shape.Int(minimum=0, maximum=1000))),
    ]


@pytest.mark.parametrize(
    ("given", "items"),
    [
        ({}, [0, 1, 2]),
        ({"number": 3}, [6]),
        ({"number": 4}, []),
        ({"offset": 5}, [5, 6]),
        ({"sort": ["-real"]}, [6, 5, 4]),
        ({"sort": ["imag", "-real"], "number": 2}, [3, 2, 1]),
    ],
)
def test_a_page_is_cut_out_of_everything(given: dict[str, Any], items: list[int]) -> None:
    assert Page.of(range(7), size=3, **given) == Page(items, total=7)


def test_what_is_not_there_is_sorted_before_all_else() -> None:
    supplied = [Supplier(2), Supplier(None), Supplier(1)]  # type: ignore[arg-type]
    assert [each.id for each in Page.of(supplied, size=9, sort=("id",)).items] == [None, 1, 2]


def test_a_field_is_sorted_by_either_of_its_names() -> None:
    class Maker(msgspec.Struct, rename="camel"):
        home_town: str | msgspec.UnsetType = msgspec.UNSET

    class Part(msgspec.Struct, rename="camel"):
        unit_price: int
        made_by: Maker | None = None

    class Model(pydantic.BaseModel):
        unit_price: int = pydantic.Field(alias="unitPrice")

    parts = [Part(2, Maker("b")), Part(1, Maker("a")), Part(3, Maker()), Part(4)]
    for name in ("unitPrice", "unit_price"):
        assert [each.unit_price for each in Page.of(parts, size=9, sort=(name,)).items] == [1, 2, 3, 4]
        models = [Model(unitPrice=2), Model(unitPrice=1)]
        assert [each.unit_price for each in Page.of(models, size=9, sort=(name,)).items] == [1, 2]
    for name in ("-madeBy.homeTown", "-made_by.home_town"):
        assert [each.unit_price for each in Page.of(parts, size=2, sort=(name,)).items] == [2, 1]
    assert Page.of([{"a": 2}, {"a": 1}, {}], size=9, sort=("a",)).items == [{}, {"a": 1}, {"a": 2}]


def test_an_enum_is_sorted_by_what_it_is_on_the_wire() -> None:
    class Size(enum.Enum):
        SMALL = "s"
        LARGE = "l"

    class Shirt(NamedTuple):
        size: Size | None

    shirts = [Shirt(Size.SMALL), Shirt(None), Shirt(Size.LARGE)]
    assert [each.size for each in Page.of(shirts, size=9, sort=("-size",)).items] == [Size.SMALL, Size.LARGE, None]


def test_a_list_is_sorted_by_the_fields_that_are_declared() -> None:
    service = Service("shop")

    @service.get("/products")
    async def products(sort: Annotated[Sequence[str], Page.Sort(("price", "id"))] = ("-price",)) -> None: ...

    operation = only(service)
    [field] = operation.input.fields
    names = [shape.EnumValue(name) for name in ("price", "-price", "id", "-id")]
    assert field.shape == shape.List(item=shape.Enum(values=tuple(names)))
    assert (field.role, list(field.default)) == ("sort", ["-price"])
    assert operation.bindings["rest"]["parameters"] == {"sort": {"style": "comma"}}


def test_iterators_are_streams() -> None:
    service = Service("shop")

    @service.operation()
    async def both(ticks: AsyncIterator[int], id: int) -> AsyncIterator[str]:
        yield ""

    @service.get("/plain")
    def plain() -> Iterator[int]:
        yield 1

    first, second = service.describe().operations
    assert (first.stream_input, first.output, first.stream_output) == (shape.Int(), shape.Text(), True)
    assert [field.name for field in first.input.fields] == ["id"]
    assert (second.output, second.stream_output) == (shape.Int(), True)


def test_a_reply_may_be_returned_in_place_of_the_output() -> None:
    service = Service("shop")

    @service.get("/")
    async def product() -> Product | Reply: ...

    @service.get("/maybe")
    async def maybe() -> Product | Reply | None: ...

    first, second = service.describe().operations
    assert first.output == shape.Ref(name="Product")
    assert second.output == shape.Nullable(shape=shape.Ref(name="Product"))


def test_a_link_joins_two_operations() -> None:
    service = Service("shop")

    @service.get("/products")
    async def products() -> list[Product]: ...

    @service.get("/suppliers/{id}", name="supplier_by_id")
    async def supplier(id: int) -> Supplier: ...

    @service.get("/makers")
    async def makers(ids: list[int], language: str = "en") -> list[Supplier]: ...

    service.link(Product, "supplier", operation=supplier, arguments={"id": "supplier_id"})
    service.link(Product, "maker", operation="makers", arguments={"ids": "supplier_id"}, batch=True)
    by_function, by_name = service.describe().links
    assert (by_function.type, by_function.field, by_function.operation) == ("Product", "supplier", "supplier_by_id")
    assert dict(by_function.arguments) == {"id": "supplier_id"}
    assert (by_name.operation, by_name.batch) == ("makers", True)


def test_resources_stand_after_what_they_need() -> None:
    class Pool: ...

    class Session: ...

    service = Service("shop")

    @service.resource()
    async def session(pool: Pool) -> AsyncIterator[Session]:
        yield Session()

    @service.resource(scope="application")
    def pool() -> Iterator[Pool]:
        yield Pool()

    @service.get("/")
    async def ping(session: Session, id: int) -> None: ...

    assert [(each.provides, each.scope, each.needs) for each in service.resources] == [
        (Pool, "application", {}),
        (Session, "call", {"pool": Pool}),
    ]
    assert [field.name for field in only(service).input.fields] == ["id"]
    sources = [(each.name, each.source, each.provides) for each in service.handlers["ping"].parameters]
    assert sources == [("session", "resource", Session), ("id", "input", None)]


def test_nothing_that_surrounds_a_call_becomes_an_input() -> None:
    class Session(msgspec.Struct): ...

    service = Service("shop")

    @service.resource()
    async def session() -> AsyncIterator[Session]:
        yield Session()

    @service.get("/")
    async def ping(
        who: Principal,
        maybe: Principal | None,
        noted: Annotated[Principal, "the caller"],
        session: Session | None = None,
    ) -> None: ...

    assert only(service).input.fields == ()
    sources = {each.name: each.source for each in service.handlers["ping"].parameters}
    assert sources == {
        "who": "principal",
        "maybe": "principal",
        "noted": "principal",
        "session": "resource",
    }


def test_decorated_functions_stay_callable_and_their_places_are_known() -> None:
    service = Service("shop")

    @service.get("/")
    def answer() -> int:
        return 42

    assert answer() == 42
    line = inspect.getsourcelines(answer)[1]
    place = service.places["answer"]
    assert (place.file, place.line) == (__file__, line)


def test_types_may_be_defined_below_and_inside_a_function() -> None:
    service = Service("shop")

    class Local(msgspec.Struct):
        id: int

    @service.get("/local")
    async def local() -> Local: ...

    @service.get("/below")
    async def below() -> Below: ...

    assert set(service.describe().types) == {"Local", "Below"}


class Below(msgspec.Struct):
    id: int


def test_a_description_follows_what_is_added_later() -> None:
    service = Service("shop")
    assert service.describe().operations == ()

    @service.get("/")
    async def ping() -> None: ...

    assert len(service.describe().operations) == 1
    assert service.describe() is service.describe()


def test_a_description_survives_being_sealed() -> None:
    service = Service("shop")

    @service.post("/", faults=[OutOfStock], examples=[{"id": 1}])
    async def order(id: int, note: Annotated[str | None, Header()] = None) -> Product: ...

    described = service.describe()
    again = msgspec.json.decode(msgspec.json.encode(described), type=type(described))
    assert msgspec.json.encode(again) == msgspec.json.encode(described)


def test_a_decorator_without_its_path_says_so() -> None:
    service = Service("shop")
    with pytest.raises(TypeError, match="a path comes first"):

        @service.get
        async def ping() -> None: ...


def test_a_resource_without_its_call_says_so() -> None:
    service = Service("shop")
    with pytest.raises(TypeError, match=r"resource\(\)"):

        @service.resource  # type: ignore[arg-type]
        def session() -> Iterator[int]:
            yield 1
