"""Operations of a document that are on other servers than the rest."""

from __future__ import annotations

from typing import Any

import pytest

from entrepot.ports.protocol import Imported
from entrepot.protocols.rest import PROTOCOL
from entrepot.shapes.document import Document

MAIN = "https://api.example/v1"


def imported(own: Any = None, of_path: Any = None, root: Any = MAIN) -> Imported:
    operation: dict[str, Any] = {"operationId": "do", "responses": {"204": {"description": ""}}}
    item: dict[str, Any] = {"get": operation}
    if own is not None:
        operation["servers"] = own
    if of_path is not None:
        item["servers"] = of_path
    content = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/do": item}}
    return PROTOCOL.client.read(Document(content | {"servers": [{"url": root}]}, "x.json"), "made")


def at(url: str, **variables: str) -> list[Any]:
    return [{"url": url, "variables": {name: {"default": value} for name, value in variables.items()}}]


@pytest.mark.parametrize(
    ("own", "of_path", "expected"),
    [
        (None, None, {}),
        (at(MAIN), None, {}),
        (at(MAIN + "/"), None, {}),
        ([], None, {}),
        (at("https://b.example/up/"), None, {"do": "https://b.example/up"}),
        (at("https://{host}/up", host="b.example"), None, {"do": "https://b.example/up"}),
        (at("https://me:secret@b.example"), None, {"do": "https://b.example"}),
        (None, at("https://c.example"), {"do": "https://c.example"}),
        (at("https://b.example"), at("https://c.example"), {"do": "https://b.example"}),
        (at(MAIN), at("https://c.example"), {}),
    ],
)
def test_where_an_operation_is(own: Any, of_path: Any, expected: Any) -> None:
    found = imported(own, of_path)
    assert (found.elsewhere, found.refusals, len(found.service.operations)) == (expected, (), 1)


@pytest.mark.parametrize("url", ["/v2", "ftp://b.example", "https://", "http://[::1", "http://b.example:99999"])
def test_what_is_no_address_is_refused(url: str) -> None:
    [refusal] = imported(at(url)).refusals
    assert refusal.reason.startswith("it is on another server than the rest, and ")
    assert refusal.pointer == "/paths/~1do/get/servers"
