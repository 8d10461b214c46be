"""What an author may get wrong: each mistake has a code, a place and a remedy, and all come at once."""

from __future__ import annotations

import enum
import inspect
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any, NamedTuple

import msgspec
import pytest

from entrepot import Context, Fault, File, Header, NotFound, Page, Principal, Query, Reply, Service
from entrepot.kit.diagnostics import Diagnostic, Refused


class Product(msgspec.Struct):
    supplier_id: int


class Part(msgspec.Struct, rename="camel"):
    unit_price: int
    made_by: Product | None = None


class Color(enum.Enum):
    RED = "red"


class A: ...


class B: ...


def diagnostics(service: Service) -> list[Diagnostic]:
    with pytest.raises(Refused) as refused:
        service.describe()
    return list(refused.value.diagnostics)


def mistakes_of(function: Callable[..., Any], path: str = "/", **options: Any) -> list[Diagnostic]:
    service = Service("shop")
    service.get(path, **options)(function)
    return diagnostics(service)


def sole(found: list[Diagnostic]) -> Diagnostic:
    assert len(found) == 1, found
    assert found[0].remedy.endswith((".", "?"))
    return found[0]


async def no_parameter_type(id) -> None: ...  # type: ignore[no-untyped-def]


async def no_result_type(id: int): ...  # type: ignore[no-untyped-def]


async def only_a_reply() -> Reply: ...


async def unknown_name(id: Missing) -> None: ...  # type: ignore[name-defined]  # noqa: F821


async def socket_parameter(connection: socket.socket) -> None: ...


async def socket_result() -> list[socket.socket]: ...


async def many(*ids: int) -> None: ...


async def options(**options: int) -> None: ...


async def nameless(id: int, /) -> None: ...


async def wrong_default(id: int = "one") -> None: ...  # type: ignore[assignment]


async def null_default(id: int = None) -> None: ...  # type: ignore[assignment]  # noqa: RUF013


async def two_streams(a: AsyncIterator[int], b: AsyncIterator[int]) -> None: ...


def plain_reader(a: AsyncIterator[int]) -> None: ...


async def yields_without_saying() -> int:  # type: ignore[misc]
    yield 1


@pytest.mark.parametrize(
    ("function", "code", "words"),
    [
        (no_parameter_type, "E803", "parameter `id` of `no_parameter_type` has no type"),
        (no_result_type, "E803", "`no_result_type` does not say what it returns"),
        (only_a_reply, "E803", "`only_a_reply` does not say what it returns"),
        (unknown_name, "E804", "name 'Missing' is not defined"),
        (socket_parameter, "E805", "parameter `connection` of `socket_parameter`"),
        (socket_result, "E805", "the result of `socket_result`"),
        (many, "E806", "takes `*ids`"),
        (options, "E806", "takes `**options`"),
        (nameless, "E806", "`nameless` takes `id, /`"),
        (wrong_default, "E807", "'one'"),
        (null_default, "E807", "None"),
        (two_streams, "E809", "takes two streams"),
        (plain_reader, "E809", "only an `async def` can read"),
        (yields_without_saying, "E809", "not annotated as a stream"),
    ],
)
def test_a_function_that_no_caller_could_call(function: Callable[..., Any], code: str, words: str) -> None:
    found = sole(mistakes_of(function))
    assert found.code == code
    assert words in found.message
    assert (found.place.file, found.place.line) == (__file__, inspect.getsourcelines(function)[1])


def test_a_template_names_a_parameter() -> None:
    async def product(id: int) -> None: ...

    found = sole(mistakes_of(product, "/products/{id}/{part}"))
    assert found.code == "E808"
    assert "{part}" in found.message


def test_a_converter_in_a_template_is_told_what_to_write() -> None:
    async def product(id: int) -> None: ...

    found = sole(mistakes_of(product, "/products/{id:int}"))
    assert found.code == "E808"
    assert "Write `{id}`" in found.remedy


@pytest.mark.parametrize("path", ["products", "", "/products/{id", "/products?id={id}", "/products#{id}"])
def test_a_path_is_a_path(path: str) -> None:
    async def product(id: int) -> None: ...

    found = sole(mistakes_of(product, path))
    assert (found.code, repr(path) in found.message) == ("E812", True)


def test_a_parameter_of_the_context_is_no_template_name() -> None:
    async def product(caller: Principal, context: Context) -> None: ...

    assert sole(mistakes_of(product, "/{caller}")).code == "E808"


def test_operations_have_names_of_their_own() -> None:
    service = Service("shop")

    @service.get("/a")
    async def product() -> None: ...

    first = service.places["product"]

    @service.get("/b", name="product")
    async def other() -> None: ...

    found = sole(diagnostics(service))
    assert found.code == "E802"
    assert str(first) in found.message


@pytest.mark.parametrize("name", ["not a name", "2nd", "a-b"])
def test_an_operation_is_named_as_an_identifier(name: str) -> None:
    async def ping() -> None: ...

    assert sole(mistakes_of(ping, name=name)).code == "E801"


@pytest.mark.parametrize(("name", "version"), [("My Shop", "1"), ("", "1"), ("shop", "1/2"), ("a/b", "1")])
def test_a_service_has_a_name_that_can_stand_in_an_address(name: str, version: str) -> None:
    assert sole(diagnostics(Service(name, version=version))).code == "E801"


@pytest.mark.parametrize("fault", [ValueError, "NotFound", NotFound("no")])
def test_declared_faults_are_classes_of_faults(fault: Any) -> None:
    async def ping() -> None: ...

    assert sole(mistakes_of(ping, faults=[fault])).code == "E810"


def test_a_fault_carries_no_file() -> None:
    class Blurred(Fault, kind="rejected"):
        photos: list[File]

    async def ping() -> None: ...

    found = sole(mistakes_of(ping, faults=[Blurred]))
    assert found.code == "E810"
    assert "`Blurred`: a file cannot stand beside a failure" in found.message


def test_a_faults_name_means_one_thing() -> None:
    def fault() -> type[Fault]:
        class Gone(Fault, kind="not_found"): ...

        return Gone

    async def ping() -> None: ...

    async def pong() -> None: ...

    service, one, other = Service("shop"), fault(), fault()
    service.get("/ping", faults=[one, one])(ping)
    service.get("/pong", faults=[one, other])(pong)
    found = sole(diagnostics(service))
    assert found.code == "E810"
    assert "`pong` declares another fault `Gone`" in found.message


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"timeout": 0}, "positive number of seconds"),
        ({"timeout": -1.5}, "positive number of seconds"),
        ({"timeout": "5s"}, "positive number of seconds"),
        ({"timeout": True}, "positive number of seconds"),
        ({"timeout": float("nan")}, "positive number of seconds"),
        ({"status": 404}, "from 200 to 299"),
        ({"status": 99}, "from 200 to 299"),
        ({"status": "201"}, "from 200 to 299"),
        ({"location": 1}, 'location="/things/{id}"'),
        ({"faults": NotFound}, "faults=[NotFound]"),
        ({"scopes": "books:write"}, 'scopes=["books:write"]'),
        ({"scopes": [1]}, "scopes="),
        ({"tags": "abc"}, 'tags=["books"]'),
        ({"examples": {"id": 1}}, 'examples=[{"id": 1}]'),
        ({"deprecated": "no"}, "True or False"),
        ({"sunset": "2026-01-01"}, "A time of day needs a zone."),
        ({"deferrable": 1}, "True or False"),
        ({"fields": ["id"]}, "True or False"),
        ({"expand": "owner"}, "True or False"),
        ({"bulk": 100}, "True or False"),
        ({"cache_control": "max-age=1\r\nx: y"}, "max-age=3600"),
        ({"cache_control": 60}, "max-age=3600"),
        ({"cache_control": ""}, "max-age=3600"),
        ({"name": 5}, "text"),
        ({"bindings": {"jsonrpc": "books.list"}}, "JSON data by protocol"),
        ({"bindings": []}, "JSON data by protocol"),
    ],
)
def test_an_option_is_what_it_takes(options: dict[str, Any], remedy: str) -> None:
    async def ping() -> None: ...

    found = sole(mistakes_of(ping, **options))
    (name, value), *_ = options.items()
    written = "NotFound" if value is NotFound else repr(value)
    assert (found.code, found.message) == ("E811", f"`ping`: {name}={written} is not what this option takes")
    assert remedy in found.remedy


def test_a_change_is_not_kept_by_caches() -> None:
    async def place() -> int: ...

    service = Service("shop")
    service.post("/", cache_control="max-age=1")(place)
    found = sole(diagnostics(service))
    assert (found.code, found.message) == (
        "E811", "`place` says `cache_control`, but a POST changes something, and no cache may answer it",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"tag": "a"}, "Did you mean `tags`?"),
        ({"status_code": 201}, "Did you mean `status`?"),
        ({"response_model": int}, "Annotate the result"),
        ({"summary": "Pings."}, "docstring"),
        ({"colour": "blue"}, "There is: bindings, bulk, cache_control, csv, deferrable"),
    ],
)
def test_an_unknown_option_is_told_what_there_is(options: dict[str, Any], remedy: str) -> None:
    async def ping() -> None: ...

    found = sole(mistakes_of(ping, **options))
    assert (found.code, found.message) == ("E811", f"`ping`: there is no option `{next(iter(options))}`")
    assert remedy in found.remedy


def test_an_option_is_wrong_where_its_decorator_stands() -> None:
    service = Service("shop")

    def plain(function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    @plain
    @service.get("/", timeout=0)
    async def ping() -> None: ...

    found = sole(diagnostics(service))
    line = next(
        n
        for n, text in enumerate(inspect.getsource(inspect.getmodule(plain)).splitlines(), 1)
        if text.strip() == '@service.get("/", timeout=0)'
    )
    assert (found.place.file, found.place.line, found.place.column) == (__file__, line, 6)


@pytest.mark.parametrize(
    ("bindings", "pointer"),
    [
        ({"rest": {"path": "/other"}}, "/rest/path"),
        ({"rest": {"parameters": {"token": {"in": "query"}}}}, "/rest/parameters/token/in"),
        ({"rest": {"parameters": "none"}}, "/rest/parameters"),
    ],
)
def test_bindings_say_what_nothing_else_says(bindings: Any, pointer: str) -> None:
    async def ping(token: Annotated[str, Header()]) -> None: ...

    found = sole(mistakes_of(ping, bindings=bindings))
    assert (found.code, f"`bindings` say {pointer} otherwise" in found.message) == ("E811", True)


@pytest.mark.parametrize("option", ["safe", "idempotent"])
def test_an_operation_without_http_is_held_to_the_same_table(option: str) -> None:
    service = Service("shop")

    @service.operation(**{option: "yes"}, status=201)
    async def ping() -> None: ...

    wrong, unknown = diagnostics(service)
    assert wrong.message == f"`ping`: {option}='yes' is not what this option takes"
    assert unknown.message == "`ping`: there is no option `status`"


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ({"name": 5}, "E801", "lower-case letters"),
        ({"version": 2}, "E801", 'version="2"'),
        ({"version": "v2"}, "E801", "addresses have a `v` before it"),
        ({"version": ""}, "E801", "letters, digits"),
        ({"title": 1}, "E811", "text"),
        ({"docs": ["Sells."]}, "E811", "text"),
    ],
)
def test_a_service_is_held_to_the_same_table(given: dict[str, Any], code: str, words: str) -> None:
    found = sole(diagnostics(Service(**{"name": "shop", **given})))
    assert (found.code, found.place.file) == (code, __file__)
    assert words in found.remedy


@pytest.mark.parametrize(("scope", "remedy"), [("applicaton", "Did you mean `application`?"), (3, "There is: appl")])
def test_a_resource_has_one_of_two_scopes(scope: Any, remedy: str) -> None:
    service = Service("shop")

    @service.resource(scope=scope)
    def session() -> Iterator[A]:
        yield A()

    @service.get("/")
    async def ping(a: A) -> None: ...

    found = sole(diagnostics(service))
    assert (found.code, found.message) == ("E811", f"`session`: scope={scope!r} is not what this option takes")
    assert (found.place.file, remedy in found.remedy) == (__file__, True)


def test_a_resource_is_an_annotated_generator() -> None:
    service = Service("shop")

    @service.resource()
    async def no_generator() -> A: ...

    @service.resource()
    async def no_type():  # type: ignore[no-untyped-def]
        yield A()

    @service.resource()
    async def no_parameter_type(a) -> AsyncIterator[B]:  # type: ignore[no-untyped-def]
        yield B()

    assert [found.code for found in diagnostics(service)] == ["E820"] * 3


def test_a_type_has_one_resource() -> None:
    service = Service("shop")

    @service.resource()
    def one() -> Iterator[A]:
        yield A()

    @service.resource()
    def two() -> Iterator[A]:
        yield A()

    found = sole(diagnostics(service))
    assert found.code == "E821"
    assert "`two` and `one` both provide `A`" in found.message


def test_what_a_resource_needs_is_provided() -> None:
    service = Service("shop")

    @service.resource()
    def one(b: B) -> Iterator[A]:
        yield A()

    found = sole(diagnostics(service))
    assert found.code == "E822"
    assert "`b` of `one` asks for `B`" in found.message


def test_what_lives_long_does_not_need_what_lives_shorter() -> None:
    service = Service("shop")

    @service.resource(scope="application")
    def long(b: B) -> Iterator[A]:
        yield A()

    @service.resource(scope="call")
    def short() -> Iterator[B]:
        yield B()

    found = sole(diagnostics(service))
    assert found.code == "E822"
    assert "lives for one call" in found.message


def test_resources_do_not_wait_for_each_other() -> None:
    service = Service("shop")

    @service.resource()
    def one(b: B) -> Iterator[A]:
        yield A()

    @service.resource()
    def two(a: A) -> Iterator[B]:
        yield B()

    assert sole(diagnostics(service)).code == "E823"


@pytest.mark.parametrize(
    ("type", "field", "operation", "arguments", "words"),
    [
        (A, "supplier", "suppliers", {}, "takes or gives a record `A`"),
        ("Product", "supplier", "suppliers", {}, "takes or gives a record `'Product'`"),
        (Color, "supplier", "suppliers", {}, "takes or gives a record `Color`"),
        (Product, "supplier", "nobody", {}, "no operation `nobody`"),
        (Product, "supplier", "suppliers", {"key": "supplier_id"}, "no parameter `key`"),
        (Product, "supplier", "supplier", {"id": "owner"}, "`Product` has no field `owner`"),
        (Product, "supplier_id", "supplier", {"id": "supplier_id"}, "a field `supplier_id` of its own"),
    ],
)
def test_a_link_leads_somewhere(type: Any, field: str, operation: str, arguments: dict[str, str], words: str) -> None:
    service = Service("shop")

    @service.get("/products")
    async def products(color: Color) -> list[Product]: ...

    @service.get("/suppliers/{id}")
    async def supplier(id: int) -> None: ...

    @service.get("/suppliers")
    async def suppliers() -> None: ...

    service.link(type, field, operation=operation, arguments=arguments)
    found = sole(diagnostics(service))
    assert found.code == "E830"
    assert words in found.message
    assert found.place.file == __file__


@pytest.mark.parametrize(
    ("operation", "arguments", "batch", "words"),
    [
        ("supplier", {}, False, ["`supplier` needs the parameter `id`"]),
        (
            "named",
            {"name": "supplier_id"},
            False,
            ["`supplier_id` of `Product` is `int`, and `name` of `named` takes `text`"],
        ),
        ("both", {"id": "name"}, False, ["`both` needs the parameter `need`", "`name` of `Product` is `text`"]),
        (
            "supplier",
            {"id": "supplier_id"},
            True,
            ["with batch=True one call serves many values, but `id` of `supplier`"],
        ),
        (
            "both",
            {"id": "name", "need": "supplier_id"},
            True,
            ["`id` of `both` takes `int`", "`need` of `both` takes `text`"],
        ),
        ("several", {"names": "supplier_id"}, True, ["`names` of `several` takes `text`"]),
        ("several", {"names": "name"}, False, ["`names` of `several` takes `[text]`"]),
        ("take", {}, False, ["`take` takes a stream"]),
    ],
)
def test_a_link_gives_what_its_operation_takes(
    operation: str, arguments: dict[str, str], batch: bool, words: list[str]
) -> None:
    class Product(msgspec.Struct):
        supplier_id: int
        name: str

    service = Service("shop")

    @service.get("/products")
    async def products() -> list[Product]: ...

    @service.get("/suppliers/{id}")
    async def supplier(id: int, language: str = "en") -> None: ...

    @service.operation()
    async def named(name: str) -> None: ...

    @service.operation()
    async def both(id: int, need: str) -> None: ...

    @service.operation()
    async def several(names: list[str]) -> None: ...

    @service.operation()
    async def take(items: AsyncIterator[int]) -> None: ...

    service.link(Product, "joined", operation=operation, arguments=arguments, batch=batch)
    found = diagnostics(service)
    assert [each.code for each in found] == ["E830"] * len(words)
    assert all(word in each.message for word, each in zip(words, found, strict=True)), found
    assert {each.place.file for each in found} == {__file__}
    assert all(each.remedy.endswith(".") for each in found)


def test_what_a_mistaken_resource_gives_is_asked_of_nobody_else() -> None:
    service = Service("shop")

    @service.resource()
    def a(b: B) -> Iterator[A]:
        yield A()

    @service.resource()
    def b(a: A) -> B:
        return B()

    @service.get("/")
    async def ping(a: A, b: B) -> None: ...

    assert sole(diagnostics(service)).code == "E820"


class HalfPoint(NamedTuple):
    x: int
    y: int = 0


class Left(msgspec.Struct):
    id: int


class Right(msgspec.Struct):
    id: int


@pytest.mark.parametrize(
    ("type", "remedy"),
    [
        (Annotated[str, msgspec.Meta(pattern="^(a+)+$")], "pattern"),
        (Left | Right, "Make them Structs with a `tag`."),
        (HalfPoint, "Leave the defaults out"),
        (dict[float, int], "as the key"),
        (Annotated[str, msgspec.Meta(ge=3)], "constraint"),
    ],
)
def test_a_type_that_cannot_travel_is_told_its_own_remedy(type: Any, remedy: str) -> None:
    async def take(it: Any) -> None: ...

    take.__annotations__["it"] = type
    found = sole(mistakes_of(take))
    assert (found.code, remedy in found.remedy, "resource" in found.remedy) == ("E805", True, False), found


def test_a_page_is_asked_for_by_an_integer() -> None:
    async def listed(page: Annotated[str, Page.Number()]) -> None: ...

    found = sole(mistakes_of(listed))
    assert (found.code, found.remedy) == ("E805", "Annotate it as `int`.")
    assert "parameter `page` of `listed`: what is marked as a page number is no integer" in found.message


def test_a_list_is_sorted_by_names() -> None:
    async def listed(sort: Annotated[str, Page.Sort(("id",))]) -> None: ...

    async def misnamed(sort: Annotated[list[str], Page.Sort(("id",))] = ["name"]) -> None: ...  # noqa: B006

    assert sole(mistakes_of(listed)).remedy == "Annotate it as `Sequence[str]`."
    assert sole(mistakes_of(misnamed)).code == "E807"


def test_a_list_is_sorted_by_what_its_items_have() -> None:
    async def sound(
        sort: Annotated[list[str], Page.Sort(("unitPrice", "unit_price", "madeBy.supplier_id"))],
    ) -> Page[Part]: ...

    async def unknown(sort: Annotated[list[str], Page.Sort(("unitPrise", "madeBy.nope"))]) -> list[Part]: ...

    service = Service("shop")
    service.get("/")(sound)
    service.describe()
    first, second = mistakes_of(unknown)
    assert (first.code, first.place.line) == ("E811", inspect.getsourcelines(unknown)[1])
    assert first.message == "parameter `sort` of `unknown` sorts by `unitPrise`, which the items do not have"
    assert "Did you mean `unitPrice`?" in first.remedy
    assert ("madeBy.nope" in second.message, second.remedy.endswith(".")) == (True, True)


def test_only_a_parameter_can_be_provided() -> None:
    assert "provide it with a `resource`" in sole(mistakes_of(socket_parameter)).remedy
    assert "resource" not in sole(mistakes_of(socket_result)).remedy


def test_a_marker_is_no_default() -> None:
    async def page(a: int = Query(1), b: str = Query()) -> None: ...  # type: ignore[assignment, arg-type]

    first, second = mistakes_of(page)
    assert first.code == second.code == "E807"
    assert first.remedy == "Write `a: Annotated[int, Query()] = 1`."
    assert second.remedy == "Write `b: Annotated[str, Query()]`."


def test_a_markers_name_is_text() -> None:
    async def page(a: Annotated[int, Query(1)]) -> None: ...  # type: ignore[arg-type]

    found = sole(mistakes_of(page))
    assert (found.code, "Annotated[int, Query()] = 1" in found.remedy) == ("E811", True)


def test_a_variable_takes_one_segment() -> None:
    async def page(rest: str) -> None: ...

    found = sole(mistakes_of(page, "/{rest:path}"))
    assert found.code == "E808"
    assert "a variable takes one segment" in found.message
    assert "routes" in found.remedy


def test_all_mistakes_come_at_once() -> None:
    service = Service("My Shop")
    service.get("/{x}")(many)
    service.get("/{y}")(wrong_default)
    service.resource()(no_result_type)
    assert sorted(found.code for found in diagnostics(service)) == ["E801", "E806", "E807", "E808", "E808", "E820"]
