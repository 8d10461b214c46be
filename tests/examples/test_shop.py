"""The shop as it is started by hand, over both protocols."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from support.running import Running

API = "/api/shop/v1"


def add_product(shop: Running, name: str = "Keg of nails", price: str = "12.30") -> int:
    """A product of the test's own, so that tests leave each other alone."""
    answer = shop.request("POST", f"{API}/products", {"name": name, "price": price})
    assert answer.status == 201, answer.body
    product = answer.json()
    assert answer.headers["location"] == f"{API}/products/{product['id']}"
    return int(product["id"])


def test_who_starts_it_is_told_what_to_open_and_what_is_left_out(running_shop: Running) -> None:
    printed = running_shop.printed(until="a change is brought live by: entrepot apply ")
    assert f"entrepot apply {running_shop.project}\n" in printed
    assert f"read: {running_shop.url}/docs/shop/v1" in printed
    assert "left out: photo, because it carries a file" in printed
    assert "left out: progress, because it answers with a stream" in printed
    page = running_shop.get("/docs/shop/v1").body.decode()
    assert '<td class="hint">it carries a file</td>' in page


def test_a_misspelt_member_changes_nothing(running_shop: Running) -> None:
    number = add_product(running_shop)
    before = running_shop.get(f"{API}/products/{number}").json()
    answer = running_shop.request("PATCH", f"{API}/products/{number}", {"nam": "Misspelt"})
    assert answer.status == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/change/nam"]
    assert running_shop.get(f"{API}/products/{number}").json() == before


def test_a_product_is_the_same_over_both(running_shop: Running) -> None:
    over_rest = running_shop.get(f"{API}/products/1").json()
    over_rpc = running_shop.rpc("shop.product", id=1)["result"]
    assert over_rest == over_rpc
    assert over_rest["price"] == "18.50"


def test_a_missing_product_is_the_same_fault_over_both(running_shop: Running) -> None:
    over_rest = running_shop.get(f"{API}/products/99999")
    over_rpc = running_shop.rpc("shop.product", id=99999)["error"]
    assert over_rest.status == 404
    assert over_rest.headers["content-type"] == "application/problem+json"
    assert over_rest.json()["kind"] == over_rpc["data"]["kind"] == "not_found"
    assert over_rest.json()["detail"] == over_rpc["message"] == "there is no product 99999"


def test_pages_follow_each_other(running_shop: Running) -> None:
    add_product(running_shop)
    seen, path = [], f"{API}/products?limit=2"
    while path:
        answer = running_shop.get(path)
        page = answer.json()
        seen += [product["id"] for product in page["items"]]
        found = re.search('<([^>]*)>; rel="next"', answer.headers.get("link", ""))
        assert (found is None) == (page.get("next") is None)
        path = found[1] if found else ""
    assert seen == sorted(set(seen))
    assert len(seen) >= 4


def test_versions_guard_changes(running_shop: Running) -> None:
    path = f"{API}/products/{add_product(running_shop)}"
    etag = running_shop.get(path).headers["etag"]
    assert running_shop.get(path, if_none_match=etag).status == 304
    changed = running_shop.request("PATCH", path, {"note": "rusty"}, if_match=etag)
    assert changed.status == 200
    assert changed.json()["note"] == "rusty"
    assert changed.json()["name"] == "Keg of nails"
    assert running_shop.request("PATCH", path, {"note": None}, if_match=etag).status == 412
    assert running_shop.request("PATCH", path, {"note": None}).json()["note"] is None


@pytest.mark.parametrize("channel", ["web", "phone"])
def test_orders_take_header_and_cookie(running_shop: Running, channel: str) -> None:
    items = [{"product_id": 1, "quantity": 2}]
    headers = {} if channel == "web" else {"x_channel": channel}
    answer = running_shop.request("POST", f"{API}/orders", items, cookie="voucher=TEN", **headers)
    order = answer.json()
    assert answer.status == 201
    assert order["channel"] == channel
    assert order["customer"] == "guest"
    assert Decimal(order["total"]) == Decimal("33.3")
    assert running_shop.get(answer.headers["location"]).json() == order


def test_a_declared_fault_carries_its_data_over_both(running_shop: Running) -> None:
    items = [{"product_id": 2, "quantity": 900}]
    over_rest = running_shop.request("POST", f"{API}/orders", items)
    over_rpc = running_shop.rpc("shop.place_order", items=items)["error"]["data"]
    problem = over_rest.json()
    assert over_rest.status == 409
    assert problem["name"] == over_rpc["name"] == "OutOfStock"
    assert problem["data"] == over_rpc["data"]
    assert problem["data"]["product_id"] == 2


def test_an_order_that_fails_takes_nothing(running_shop: Running) -> None:
    before = running_shop.get(f"{API}/products/1").json()["stock"]
    items = [{"product_id": 1, "quantity": 1}, {"product_id": 2, "quantity": 900}]
    assert running_shop.request("POST", f"{API}/orders", items).status == 409
    assert running_shop.get(f"{API}/products/1").json()["stock"] == before


def test_every_error_of_an_input_is_told(running_shop: Running) -> None:
    items = [{"product_id": "one", "quantity": 0}, {}]
    problem = running_shop.request("POST", f"{API}/orders", items).json()
    pointers = {error["pointer"] for error in problem["errors"]}
    assert pointers == {"/items/0/product_id", "/items/0/quantity", "/items/1/product_id"}


def test_photos_come_back_as_they_went(running_shop: Running) -> None:
    path = f"{API}/products/{add_product(running_shop)}/photo"
    assert running_shop.get(path).headers["content-type"] == "image/png"
    content = bytes(range(256)) * 1000
    stored = running_shop.request("PUT", path, content, content_type="image/png")
    assert stored.json()["size"] == len(content)
    photo = running_shop.get(path)
    assert photo.body == content
    assert photo.headers["content-type"] == "image/png"


def test_a_stream_goes_on_after_what_was_seen(running_shop: Running) -> None:
    placed = running_shop.request("POST", f"{API}/orders", [{"product_id": 1}])
    assert placed.status == 201, placed.body
    path = f"{placed.headers['location']}/progress"
    whole = running_shop.get(path, accept="application/x-ndjson").body.splitlines()
    assert len(whole) == 4
    rest = running_shop.get(path, accept="text/event-stream", last_event_id="3").body.decode()
    assert "id: 4\n" in rest
    assert "id: 3\n" not in rest


def test_an_operation_without_http_words_is_everywhere(running_shop: Running) -> None:
    items = [{"product_id": 3, "quantity": 2}]
    assert running_shop.request("POST", f"{API}/quote", {"items": items}).json() == "239.90"
    assert running_shop.rpc("shop.quote", items=items)["result"] == "239.90"


def test_a_plain_function_serves_too(running_shop: Running) -> None:
    assert running_shop.get(f"{API}/suppliers/2").json() == {"id": 2, "name": "Moreau et fils"}
