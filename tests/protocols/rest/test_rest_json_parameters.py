"""Parameters that are written as JSON, because no text alone says what they hold."""

from __future__ import annotations

import msgspec
import pytest

from entrepot import Service
from entrepot.app import CATALOG
from entrepot.ports.exchange import Request
from entrepot.runtime.local import local_service


class Where(msgspec.Struct):
    a: int


@pytest.mark.parametrize("given", [b"1", b"[1]", b"a"])
async def test_a_parameter_that_is_json_says_how_one_is_written(given: bytes) -> None:
    service = Service("shop")

    @service.get("/search")
    async def search(where: Where) -> int:
        return where.a

    async with local_service(service) as served:
        exchange = CATALOG["rest"].server.serve([served])
        good = await exchange(Request("GET", b"/api/shop/v1/search", b"where=%7B%22a%22:1%7D", [], b""))
        bad = await exchange(Request("GET", b"/api/shop/v1/search", b"where=" + given, [], b""))
    assert good.body == b"1"
    assert isinstance(bad.body, bytes)
    (error,) = msgspec.json.decode(bad.body)["errors"]
    assert error["pointer"] == "/where"
    assert error["message"].endswith('; this parameter is written as JSON, such as {"a":1} or [1,2]')
