"""The shop over JSON-RPC through the real edge, by clients that nobody here wrote."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pjrpc.client.backend import requests as pjrpc_requests
from pjrpc.client.exceptions import InvalidParamsError, JsonRpcError, MethodNotFoundError

from entrepot.kit.limits import DEFAULT_LIMITS
from support.needs import NPM_PACKAGES, require_npm
from support.running import Running, running_example

TOO_MANY = [{"product_id": 2, "quantity": 900}]


@pytest.fixture(scope="module")
def shop() -> Iterator[Running]:
    """A shop of their own, as prices and stock are compared."""
    with running_example("shop") as shop:
        yield shop


@pytest.fixture
def client(shop: Running) -> Iterator[pjrpc_requests.Client]:
    with pjrpc_requests.Client(f"{shop.url}/jsonrpc") as client:
        yield client


@pytest.fixture(scope="module")
def out_of_stock(shop: Running) -> int:
    """The code of the declared fault, as the shop's own OpenRPC document gives it."""
    methods = shop.rpc("rpc.discover")["result"]["methods"]
    [place_order] = [each for each in methods if each["name"] == "shop.place_order"]
    return int(place_order["errors"][0]["code"])


def test_pjrpc_calls_by_name_and_by_position(client: pjrpc_requests.Client, shop: Running) -> None:
    product = shop.get("/api/shop/v1/products/1").json()
    assert client("shop.product", 1) == client("shop.product", id=1) == product
    assert client("shop.quote", items=[{"product_id": 3, "quantity": 2}]) == "239.90"


def test_pjrpc_notifies(client: pjrpc_requests.Client) -> None:
    """A notification has no answer, yet is carried out."""
    before = client("shop.product", id=1)["stock"]
    assert client.notify("shop.place_order", items=[{"product_id": 1}]) is None
    assert client("shop.product", id=1)["stock"] == before - 1


def test_pjrpc_understands_declared_faults(client: pjrpc_requests.Client, out_of_stock: int) -> None:
    with pytest.raises(JsonRpcError) as caught:
        client("shop.place_order", items=TOO_MANY)
    assert caught.value.code == out_of_stock
    assert caught.value.data["name"] == "OutOfStock"
    assert caught.value.data["data"]["product_id"] == 2


def test_pjrpc_understands_the_other_faults(client: pjrpc_requests.Client) -> None:
    with pytest.raises(MethodNotFoundError):
        client("shop.nothing")
    with pytest.raises(InvalidParamsError) as invalid:
        client("shop.place_order", items=[{"product_id": "one"}, {}])
    assert [each["pointer"] for each in invalid.value.data["errors"]] == ["/items/0/product_id", "/items/1/product_id"]
    with pytest.raises(JsonRpcError) as missing:
        client("shop.product", id=99999)
    assert (missing.value.data["kind"], missing.value.message) == ("not_found", "there is no product 99999")


def test_pjrpc_sends_batches(client: pjrpc_requests.Client) -> None:
    with client.batch() as batch:
        batch("shop.product", 1)
        batch.notify("shop.product", 1)
        batch("shop.quote", items=[{"product_id": 3, "quantity": 1}])
    first, quote = batch.get_results()
    assert (first["id"], quote) == (1, "119.95")


def test_pjrpc_gets_the_failures_of_a_batch_one_by_one(client: pjrpc_requests.Client, out_of_stock: int) -> None:
    with client.batch() as batch:
        batch("shop.product", id=1)
        batch("shop.place_order", items=TOO_MANY)
        batch("shop.product", id=99999)
    responses = batch.get_response()
    assert responses is not None
    in_order = sorted(responses, key=lambda response: int(response.id))
    assert in_order[0].unwrap_result()["id"] == 1
    assert [each.unwrap_error().code for each in in_order[1:]] == [out_of_stock, -32004]


def test_a_batch_that_is_too_long_is_refused_as_a_whole(client: pjrpc_requests.Client) -> None:
    with client.batch() as batch:
        for _ in range(DEFAULT_LIMITS.batch_max + 1):
            batch("shop.product", id=1)
    with pytest.raises(JsonRpcError) as caught:
        batch.get_results()
    assert caught.value.data["kind"] == "too_large"


def test_clients_from_npm_get_what_they_ask_for(shop: Running, out_of_stock: int) -> None:
    got = _from_npm(f"{shop.url}/jsonrpc")
    name = shop.rpc("shop.product", id=1)["result"]["name"]
    for client in got.values():
        left = client["declared"]["data"].pop("left")
        assert left < 900
    first = got["json-rpc-2.0"]
    assert (first["named"], first["positional"], first["quote"], first["notified"]) == (name, name, "239.90", None)
    assert (first["declared"]["code"], first["declared"]["name"]) == (out_of_stock, "OutOfStock")
    assert first["declared"]["data"] == {"product_id": 2}
    assert (first["missing"]["code"], first["missing"]["message"]) == (-32004, "there is no product 99999")
    assert (first["invalid"]["code"], len(first["invalid"]["errors"])) == (-32602, 2)
    assert (first["unknown"]["code"], first["unknown"]["kind"]) == (-32601, "unknown_operation")
    assert first["batch"] == {"a": name, "b": "not_found", "c": "unknown_operation"}
    assert got["jayson"] == {
        "named": name,
        "positional": name,
        "text_id": "an id",
        "declared": {"name": "OutOfStock", "data": {"product_id": 2}},
        "notified": None,
        "batch": [name, "not_found", "unknown_operation"],
    }


def _from_npm(address: str) -> Any:
    require_npm("jayson")
    require_npm("json-rpc-2.0")
    command = ["node", str(Path(__file__).with_name("shop_clients.cjs")), address]
    environment = {**os.environ, "NODE_PATH": str(NPM_PACKAGES)}
    return json.loads(subprocess.run(command, env=environment, capture_output=True, check=True, timeout=60).stdout)
