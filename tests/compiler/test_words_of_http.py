"""What an author says of HTTP is an error where REST cannot honour it: the operation would be missing there unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from entrepot.app import CATALOG
from entrepot.compiler.compile import compile
from entrepot.compiler.draft import Mode
from entrepot.kit.diagnostics import Diagnostic, Refused

HEAD = """\
from typing import Annotated

from entrepot import Body, Context, File, Query, Service

shop = Service("shop")


"""


def diagnostics(project: Path, function: str, mode: Mode = "dev", declaration: str = "") -> list[Diagnostic]:
    (project / "shop.py").write_text(HEAD + function)
    if declaration:
        (project / "entrepot.yaml").write_text(declaration)
    try:
        return list(compile(project if declaration else project / "shop.py", CATALOG, mode=mode).diagnostics)
    except Refused as refused:
        return list(refused.diagnostics)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ('@shop.post("/x", location="/y/{id}")\ndef x() -> int: ...\n', "the location /y/{id} names id"),
        ('@shop.get("/x")\ndef x(a: Annotated[list[int], Body()]) -> int: ...\n', "a GET request has no body"),
        ('@shop.get("/x/{a}")\ndef x(a: Annotated[int, Query()]) -> int: ...\n', "the path /x/{a}"),
        ('@shop.get("/t/{x}/{x}")\ndef x(x: int) -> int: ...\n', "{x}"),
        ('@shop.post("/x", status=204)\ndef x() -> int: ...\n', "status 204"),
        ('@shop.get("/x")\ndef x() -> list[File]: ...\n', "the output holds a file"),
        ('@shop.post("/x", bulk=True)\ndef x(a: int) -> int: ...\n', "it has no body"),
    ],
)
@pytest.mark.parametrize("mode", ["dev", "serve"])
def test_words_that_rest_cannot_honour_are_an_error(tmp_path: Path, mode: Mode, function: str, words: str) -> None:
    found = [each for each in diagnostics(tmp_path, function, mode) if each.severity != "note"]
    assert [each.code for each in found] == ["E310"]
    assert words in found[0].message
    assert str(found[0].place) == "shop.py:8:1"
    assert found[0].remedy == "Correct what its code says of rest, or write `@service.operation()`."


def test_an_operation_without_words_is_left_out_with_a_note(tmp_path: Path) -> None:
    function = "@shop.operation()\ndef x(context: Context) -> list[File]: ...\n"
    codes = {each.code for each in diagnostics(tmp_path, function)}
    assert codes == {"N311", "W326"}


def test_words_do_not_matter_where_rest_is_not_asked_for(tmp_path: Path) -> None:
    function = '@shop.post("/x", location="/y/{id}")\ndef x() -> int: ...\n'
    declaration = "entrepot: 1\nservices: {shop: {python: shop, expose: [jsonrpc]}}\n"
    assert diagnostics(tmp_path, function, declaration=declaration) == []


def test_two_services_of_one_name_are_told_apart_by_their_lines(tmp_path: Path) -> None:
    found = diagnostics(tmp_path, 'again = Service("shop")\n')
    assert [str(each.place) for each in found if each.code == "E309"] == ["shop.py:8:9"]
    assert "the other: shop.py:5:8" in next(each.message for each in found if each.code == "E309")


def test_a_second_place_is_told_as_the_first_is(tmp_path: Path) -> None:
    twice = '@shop.get("/a")\ndef a() -> int: ...\n\n\n@shop.get("/b", name="a")\ndef b() -> int: ...\n'
    (found,) = diagnostics(tmp_path, twice)
    assert (found.code, str(found.place)) == ("E802", "shop.py:12:1")
    assert found.message == "there are two operations `a`; the other one is at shop.py:8:1"
