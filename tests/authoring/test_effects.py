"""What an author says that nothing would come of is an error, with its place and what to do."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import pytest

from entrepot import Body, Conditions, Cursor, File, Header, Page, Principal, Query, Reply, Service, Version
from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.model.operation import Example


class Book(msgspec.Struct):
    id: int
    author_id: int
    version: Annotated[int, Version()] = 1


class Author(msgspec.Struct):
    id: int


def found_in(service: Service) -> list[Diagnostic]:
    try:
        service.describe()
    except Refused as refused:
        return list(refused.diagnostics)
    return []


def found_of(function: Callable[..., Any], **options: Any) -> list[Diagnostic]:
    service = Service("shop")
    service.get("/books", **options)(function)
    return found_in(service)


async def numbered(page: Annotated[int, Page.Number()] = 1) -> list[Book]: ...


async def sized(size: Annotated[int, Page.Size()] = 1) -> Book: ...


async def offset(start: Annotated[int | None, Page.Offset()] = None) -> AsyncIterator[Book]: ...


async def after(cursor: Annotated[str, Cursor()] = "") -> list[Book]: ...


async def twice(a: Annotated[int, Page.Number()] = 1, b: Annotated[int, Page.Number()] = 1) -> Page[Book]: ...


async def versioned(version: Annotated[int, Version()] = 1) -> Book: ...


async def marked_result() -> Annotated[int, Version()]: ...


async def placed_result() -> Annotated[Book, Body()] | None: ...


async def placed_caller(caller: Annotated[Principal, Header("x-user")]) -> Book: ...


async def placed_inside(ids: list[Annotated[int, Query()]]) -> Book: ...


async def placed_inside_again(ids: Annotated[list[Annotated[int, Query()]], Query()]) -> Book: ...


async def placed_twice(id: Annotated[int, Query(), Header("x-id")]) -> Book: ...


async def conditional(conditions: Conditions) -> Book: ...


@pytest.mark.parametrize(
    ("function", "parameter", "mark", "remedy"),
    [
        (numbered, "page", "Page.Number()", "Answer with a `Page[T]`, `return Page.of(…)`"),
        (sized, "size", "Page.Size()", "Answer with a `Page[T]`"),
        (offset, "start", "Page.Offset()", "Answer with a `Page[T]`"),
        (after, "cursor", "Cursor()", "Answer with a `Page[T]` or an `AsyncIterator[T]`."),
        (twice, "b", "Page.Number()", "Leave one of the two out."),
        (versioned, "version", "Version()", "a parameter of type `Conditions`"),
        (marked_result, "return", "Version()", "it belongs to a parameter"),
        (placed_result, "return", "Body()", "it belongs to a parameter"),
        (placed_caller, "caller", "Header('x-user')", "annotate the parameter as what a caller gives"),
        (placed_inside, "ids", "Query()", "Write it around the whole: `ids: Annotated"),
        (placed_inside_again, "ids", "Query()", "Write it around the whole: `ids: Annotated"),
        (placed_twice, "id", "Header('x-id')", "Leave one of the two out."),
        (conditional, "conditions", "", "mark that field of what is answered with `Version()`"),
    ],
)
def test_a_mark_without_effect_is_told(function: Callable[..., Any], parameter: str, mark: str, remedy: str) -> None:
    [found] = found_of(function)
    lines, first = inspect.getsourcelines(function)
    column = lines[0].index(f"{parameter}:" if parameter != "return" else lines[0].partition("-> ")[2]) + 1
    assert (found.code, found.place) == ("E811", msgspec.structs.replace(found.place, line=first, column=column))
    assert mark in found.message
    assert function.__name__ in found.message
    assert remedy in found.remedy


async def paged(
    page: Annotated[int, Page.Number()] = 1,
    size: Annotated[int, Page.Size()] = 9,
    q: Annotated[str, Query("query")] | None = None,
) -> Page[Book] | Reply: ...


async def going_on(after: Annotated[int, Cursor()] = 0) -> AsyncIterator[Book]: ...


async def uploaded(items: Annotated[AsyncIterator[Book], Body()]) -> None: ...


@pytest.mark.parametrize("function", [paged, going_on, uploaded])
def test_a_mark_with_effect_is_none(function: Callable[..., Any]) -> None:
    assert found_of(function) == []


def test_a_marker_beside_none_is_that_of_the_parameter() -> None:
    service = Service("shop")
    service.get("/books")(paged)
    [operation] = service.describe().operations
    assert operation.bindings["rest"]["parameters"] == {"q": {"in": "query", "name": "query"}}


async def callers_name(caller: Annotated[Principal, "who"] | None) -> Book: ...


def test_a_caller_cannot_be_named_by_callers() -> None:
    service = Service("shop")
    service.get("/books")(callers_name)
    [operation] = service.describe().operations
    assert operation.input.fields == ()


def test_a_mark_of_parameters_is_none_of_a_records_field() -> None:
    @dataclass
    class Search:
        page: Annotated[int, Page.Number()]
        words: Annotated[str, Query("q")]

    async def search(search: Search) -> Page[Book]: ...

    service = Service("shop")
    service.post("/search")(search)
    page, words = found_in(service)
    assert (page.code, page.place.line) == ("E811", inspect.getsourcelines(Search)[1])
    assert page.message.startswith("`Page.Number()` at the field `page` of `Search` has no effect")
    assert words.message.startswith("`Query('q')` at the field `words` of `Search` has no effect")


async def books() -> list[Book]: ...


async def count() -> int: ...


async def download() -> File: ...


def test_there_is_something_to_choose() -> None:
    assert [each.code for each in found_of(count, fields=True)] == ["E811"]
    assert found_of(books, fields=True) == []


def linked(author: Callable[..., Any], *, safe: bool) -> list[Diagnostic]:
    service = Service("shop")
    service.get("/books", expand=True)(books)
    service.operation(safe=safe)(author)
    service.link(Book, "author", operation=author, arguments={"id": "author_id"})
    return found_in(service)


async def author(id: int) -> Author: ...


async def portrait(id: int) -> File: ...


def test_there_is_a_link_to_expand() -> None:
    [nothing] = found_of(books, expand=True)
    assert (nothing.code, "no link leads from what it answers" in nothing.message) == ("E811", True)
    assert 'arguments={"id": "author_id"}' in nothing.remedy
    assert linked(author, safe=True) == []


@pytest.mark.parametrize(("operation", "safe"), [(author, False), (portrait, True)])
def test_a_link_to_expand_can_be_followed(operation: Callable[..., Any], safe: bool) -> None:
    [found] = linked(operation, safe=safe)
    assert (found.code, found.place.line) == ("E811", inspect.getsourcelines(books)[1])
    assert f"its link `Book.author` is not followed: `{operation.__name__}`" in found.message
    assert "safe operation" in found.remedy


async def placed_by_class(q: Annotated[str, Query]) -> Book: ...


async def marked_by_class(page: Annotated[int, Page.Number] = 1) -> Page[Book]: ...


async def result_by_class() -> Annotated[int, Version]: ...


@pytest.mark.parametrize(
    ("function", "mark"),
    [(placed_by_class, "Query"), (marked_by_class, "Page.Number"), (result_by_class, "Version")],
)
def test_a_class_is_no_mark(function: Callable[..., Any], mark: str) -> None:
    [found] = found_of(function)
    assert (found.code, found.remedy) == ("E811", f"Write `{mark}()`.")
    assert found.message.startswith(f"`{mark}` at ")
    assert found.place.line == inspect.getsourcelines(function)[1]


class Thing(msgspec.Struct):
    version: Annotated[int, Version]


async def thing() -> Thing: ...


def test_a_class_is_no_mark_of_a_field() -> None:
    [found] = found_of(thing)
    assert (found.message, found.place.line) == (
        "`Version` at the field `version` of `Thing` has no effect: it is a class, and not a mark of it",
        inspect.getsourcelines(Thing)[1],
    )


def test_a_link_leads_from_what_is_answered() -> None:
    async def add(book: Book) -> None: ...

    service = Service("shop")
    service.post("/books")(add)
    service.get("/authors/{id}")(author)
    service.link(Book, "author", operation=author, arguments={"id": "author_id"})
    [found] = found_in(service)
    assert (found.code, "answers with a `Book`" in found.message) == ("E830", True)


async def look(id: int) -> Book: ...


def test_an_example_is_a_call_that_could_be_made() -> None:
    fitting = {"id": 1, "author_id": 2}
    assert found_of(look, examples=[{"id": 1}, Example(name="two", input={"id": 2}, output=fitting)]) == []
    unknown, missing, typed = found_of(look, examples=[{"idd": 1}, Example(name="x", output=fitting | {"id": "1"})])
    assert (missing.code, "the input of example 1 does not fit: `/idd`" in missing.message) == ("E811", True)
    assert ("`/id` is required" in unknown.message, "the output of x does not fit: `/id`" in typed.message) == (
        True,
        True,
    )
