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


REST = named("rest")
MOUNTS = [
    (Mount("/api/shop/v1/"), REST),
    (Mount("/api/bank/v2/"), REST),
    (Mount("/soap/shop/"), named("soap")),
    (Mount("/jsonrpc", exact=True), named("rpc")),
    (Mount("/api/shop/v1/exact", exact=True), named("exact")),
]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/shop/v1/", "rest"),
        ("/api/shop/v1/products/1", "rest"),
        ("/api/shop/v1/a%2Fb", "rest"),
        ("/api/shop/v1//", "rest"),
        ("/api/other/v1/x", "rest"),
        ("/api/shop/v1/exact", "exact"),
        ("/api/shop/v1/exact/", "rest"),
        ("/soap/shop/", "soap"),
        ("/jsonrpc", "rpc"),
    ],
)
async def test_a_request_goes_to_its_exact_path_or_else_by_its_first_segment(path: str, name: str) -> None:
    response = await dispatcher(MOUNTS)(Request("GET", path.encode()))
    assert response.body == f"{name} {path}".encode()


@pytest.mark.parametrize(
    "path", ["/", "", "/api", "/apix", "/apix/", "api/", "//api/", "/jsonrpc/", "/API/shop/v1/x", "/soap", "*"]
)
async def test_any_other_path_is_a_problem(path: str) -> None:
    response = await dispatcher(MOUNTS)(Request("GET", path.encode()))
    assert response.status == 404
    assert dict(response.headers)[b"content-type"] == b"application/problem+json"
    assert isinstance(response.body, bytes)
    assert json.loads(response.body)["kind"] == "unknown_operation"


@pytest.mark.parametrize("path", [b"/-/health", b"/-/ready", b"/-/live"])
async def test_health_is_answered_by_the_worker_itself(path: bytes) -> None:
    response = await dispatcher([])(Request("GET", path))
    assert (response.status, response.body) == (200, b"ok\n")


@pytest.mark.parametrize(
    ("one", "other"), [(Mount("/rpc", exact=True), Mount("/rpc", exact=True)), (Mount("/rpc/a/"), Mount("/rpc/b/"))]
)
def test_two_protocols_cannot_share_an_address(one: Mount, other: Mount) -> None:
    with pytest.raises(ValueError, match="/rpc"):
        dispatcher([(one, named("a")), (other, named("b"))])
