from __future__ import annotations

import json

import pytest

from entrepot.ports.exchange import Exchange, Request, Response
from entrepot.ports.protocol import Mount
from entrepot.runtime.dispatch import dispatcher


def named(name: str) -> Exchange:
    async def exchange(request: Request) -> Response:
        return Response(200, [], name.encode() + b" " + request.path)

    return exchange


MOUNTS = [
    (Mount("/api/shop/v1/"), named("shop")),
    (Mount("/api/shop/v1/admin/"), named("admin")),
    (Mount("/api/bank/v2/"), named("bank")),
    (Mount("/jsonrpc", exact=True), named("rpc")),
    (Mount("/api/shop/v1/exact", exact=True), named("exact")),
]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/shop/v1/", "shop"),
        ("/api/shop/v1/products/1", "shop"),
        ("/api/shop/v1/a%2Fb", "shop"),
        ("/api/shop/v1//", "shop"),
        ("/api/shop/v1/admin/", "admin"),
        ("/api/shop/v1/admin/x/y/z", "admin"),
        ("/api/shop/v1/admin", "shop"),
        ("/api/shop/v1/exact", "exact"),
        ("/api/shop/v1/exact/", "shop"),
        ("/api/bank/v2/transfer", "bank"),
        ("/jsonrpc", "rpc"),
    ],
)
async def test_a_request_goes_to_its_exact_path_or_else_to_the_longest_prefix(path: str, name: str) -> None:
    response = await dispatcher(MOUNTS)(Request("GET", path.encode()))
    assert response.body == f"{name} {path}".encode()


@pytest.mark.parametrize(
    "path", ["/", "", "/api", "/api/shop/v1", "/api/shop/v2/x", "/jsonrpc/", "/API/shop/v1/x", "/api//shop/v1/x", "*"]
)
async def test_any_other_path_is_a_problem(path: str) -> None:
    response = await dispatcher(MOUNTS)(Request("GET", path.encode()))
    assert response.status == 404
    assert dict(response.headers)[b"content-type"] == b"application/problem+json"
    assert isinstance(response.body, bytes)
    assert json.loads(response.body)["kind"] == "unknown_operation"


async def test_health_is_answered_by_the_worker_itself() -> None:
    response = await dispatcher([])(Request("GET", b"/-/health"))
    assert (response.status, response.body) == (200, b"ok\n")


def test_two_protocols_cannot_share_an_address() -> None:
    with pytest.raises(ValueError, match="/rpc"):
        dispatcher([(Mount("/rpc", exact=True), named("a")), (Mount("/rpc", exact=True), named("b"))])
