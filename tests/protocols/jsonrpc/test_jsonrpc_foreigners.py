"""Clients and servers that nobody here wrote."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pjrpc
import pytest
from pjrpc.client.backend import requests as pjrpc_requests

from entrepot.model.call import Reply
from entrepot.model.fault import DeclaredFault
from entrepot.protocols.jsonrpc import PROTOCOL
from entrepot.protocols.jsonrpc.faults import codes_of
from entrepot.wire.http1 import Http1Client
from support.asgi_server import serving
from support.calculator import OVERDRAWN, Calculator
from support.needs import NPM_PACKAGES, require_npm

HERE = Path(__file__).parent
NODE_ENVIRONMENT = {**os.environ, "NODE_PATH": str(NPM_PACKAGES)}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(PROTOCOL.server.serve([Calculator().served])) as base_url:
        yield f"{base_url}/jsonrpc"


# pjrpc


@pytest.fixture
def client(address: str) -> Iterator[pjrpc_requests.Client]:
    with pjrpc_requests.Client(address) as client:
        yield client


def test_pjrpc_calls_by_name_and_by_position(client):
    assert client("calc.subtract", 42, 23) == 19
    assert client("calc.subtract", minuend=42, subtrahend=23) == 19
    assert client("calc.get_data") == ["hello", 5]
    assert client("calc.update", 1, 2, 3, 4, 5) is None


def test_pjrpc_notifies(client):
    assert client.notify("calc.note", "x") is None
    assert client.notify("calc.nothing") is None


def test_pjrpc_sends_batches(client):
    with client.batch() as batch:
        batch("calc.total", 1, 2, 3)
        batch.notify("calc.note", "x")
        batch("calc.subtract", 3, 1)
    assert batch.get_results() == [6, 2]


def test_pjrpc_understands_errors(client):
    with pytest.raises(pjrpc.client.exceptions.MethodNotFoundError):
        client("calc.nothing")
    with pytest.raises(pjrpc.client.exceptions.InvalidParamsError) as invalid:
        client("calc.subtract", "x", 1)
    assert invalid.value.data["errors"][0]["pointer"] == "/minuend"
    with pytest.raises(pjrpc.client.exceptions.JsonRpcError) as declared:
        client("calc.withdraw", "10.50")
    assert declared.value.code == codes_of([OVERDRAWN])["Overdrawn"]
    assert declared.value.data["data"] == {"missing": "10.50"}


# npm


def test_clients_from_npm_get_what_they_ask_for(address):
    require_npm("jayson")
    require_npm("json-rpc-2.0")
    command = ["node", str(HERE / "foreign_clients.cjs"), address]
    output = subprocess.run(command, env=NODE_ENVIRONMENT, capture_output=True, check=True, timeout=60).stdout
    got = json.loads(output)
    error = got["json-rpc-2.0"].pop("error")
    assert (error["code"], error["message"]) == (codes_of([OVERDRAWN])["Overdrawn"], "not enough")
    assert (error["data"]["name"], error["data"]["data"]) == ("Overdrawn", {"missing": "10.50"})
    assert got["json-rpc-2.0"] == {
        "named": 19,
        "positional": 19,
        "nothing": None,
        "notified": None,
        "batch": [6, -32601],
    }
    assert got["jayson"] == {
        "named": 19, "positional": 19, "text_id": "an id", "invalid": -32602, "notified": None, "batch": [6, -32601],
    }  # fmt: skip


@pytest.fixture(scope="module")
def jayson_port() -> Iterator[int]:
    require_npm("jayson")
    command = ["node", str(HERE / "foreign_server.cjs")]
    process = subprocess.Popen(command, env=NODE_ENVIRONMENT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


async def test_our_client_calls_a_server_from_npm(jayson_port):
    calculator = Calculator()
    broke = DeclaredFault(name="Broke", kind="conflict", bindings={"jsonrpc": {"code": 77}})
    changes: dict[str, dict[str, Any]] = {
        "withdraw": {"faults": (broke,)},
        "total": {"bindings": {"jsonrpc": {"params": "by-position"}}},
    }
    operations = tuple(
        msgspec.structs.replace(each, **changes.get(each.name, {})) for each in calculator.service.operations
    )
    service = msgspec.structs.replace(calculator.service, operations=operations)
    http = Http1Client(host="127.0.0.1", port=jayson_port)
    invokes = PROTOCOL.client.dial(service, calculator.values, http, "jayson")

    async def call(name: str, **members: Any) -> Reply:
        return await invokes[name](calculator.call(name, **members))

    assert (await call("subtract", minuend=42, subtrahend=23)).output == 19
    assert (await call("total", a=1, b=2, c=3)).output == 6
    assert (await call("note", text="x")).fault is None
    faults = [
        (await call("get_data")).fault,
        (await call("fail", kind="")).fault,
        (await call("withdraw", amount="1")).fault,
        (await call("lie")).fault,
    ]
    assert [(fault.kind, fault.name) for fault in faults if fault] == [
        ("upstream_failed", ""), ("not_found", ""), ("conflict", "Broke"), ("upstream_failed", ""),
    ]  # fmt: skip
    await http.close()
