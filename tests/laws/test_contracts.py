"""The documents of the examples, as tools that know nothing of us find them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from entrepot.app import CATALOG
from entrepot.compiler.compile import compile
from entrepot.model.operation import Service
from entrepot.shapes.document import Document
from support.contracts import contract as written
from support.references import dangling

EXAMPLES = Path(__file__).parents[2] / "examples"


def services(example: str) -> list[Service]:
    if example == "import":
        document = Document(json.loads((EXAMPLES / example / "tickets.json").read_bytes()), "tickets.json")
        return [CATALOG["rest"].client.read(document, "tickets").service]
    compiled = compile(EXAMPLES / example, CATALOG, mode="dev")
    return [table.service for table in compiled.release.worker.services]


@pytest.mark.parametrize("example", ["shop", "gateway", "import"])
def test_every_reference_in_a_contract_leads_somewhere(example: str) -> None:
    for service in services(example):
        openapi, openrpc = (contract(name, service) for name in ("rest", "jsonrpc"))
        assert [error.message for error in OpenAPIV31SpecValidator(openapi).iter_errors()] == []
        assert dangling(openapi) == []
        assert dangling(openrpc) == []


def contract(protocol: str, service: Service) -> Any:
    refusals = CATALOG[protocol].can.refusals(service)
    carried = service.only({each.name for each in service.operations} - refusals.keys())
    return msgspec.json.decode(written(CATALOG[protocol], carried))
