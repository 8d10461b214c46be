"""The shop through every pair of protocols: served over one, imported from its own contract, re-served over the other.

Whoever calls at the far end is told what the shop itself says. Orders of calls matter, since
the shop remembers: each pair and the shop itself are told the same story.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from entrepot.app import CATALOG
from entrepot.model.call import Call
from entrepot.model.fault import Fault
from entrepot.ports.protocol import Protocol, ServedService
from entrepot.runtime.local import local_service
from entrepot.shapes.document import Document
from entrepot.shapes.values import Values
from entrepot.wire.memory import memory_wire
from support.contracts import contract

SHOP = Path(__file__).parents[2] / "examples" / "shop"
STORY: tuple[tuple[str, dict[str, Any]], ...] = (
    ("products", {"limit": 2}),
    ("products", {"limit": 2, "cursor": "2"}),
    ("products", {"limit": 0}),
    ("product", {"id": 1}),
    ("product", {"id": 404}),
    ("supplier", {"id": 1}),
    ("add_product", {"product": {"name": "Jar of honey", "price": "7.35"}}),
    ("add_product", {"product": {"name": "", "price": "much"}}),
    ("change_product", {"id": 1, "change": {"note": "ripe"}}),
    ("change_product", {"id": 1, "change": {"note": None}}),
    ("change_product", {"id": 1, "change": {}}),
    ("quote", {"items": [{"product_id": 1, "quantity": 3}]}),
    ("place_order", {"items": [{"product_id": 1}], "channel": "stand", "voucher": "TEN"}),
    ("place_order", {"items": [{"product_id": 1, "quantity": 999}]}),
    ("place_order", {"items": []}),
    ("order", {"id": 1}),
)


class Teller(NamedTuple):
    """Somebody who can be called: a service with its values and its Invokes."""

    served: ServedService

    async def tell(self, name: str, arguments: dict[str, Any]) -> Any:
        """What one call gives, in a form that compares."""
        operation = self.served.service.operation(name)
        assert operation is not None
        values = self.served.values
        try:
            given = values.codec(operation.input).of_plain(arguments)
        except Fault as fault:
            return _told(fault)
        reply = await self.served.invokes[name](Call(operation, given))
        if reply.fault is not None:
            return _told(reply.fault)
        return values.codec(operation.output).to_plain(reply.output)


def _told(fault: Fault) -> Any:
    data = msgspec.to_builtins(fault.data) if fault.data is not None else None
    return fault.kind, fault.name, fault.detail, data, sorted(issue.pointer for issue in fault.issues)


def imported(origin: ServedService, protocol: Protocol) -> ServedService:
    """The service as one who has only its contract and its address has it."""
    service = origin.service
    refusals = protocol.can.refusals(service)
    carried = [operation for operation in service.operations if operation.name not in refusals]
    kept = msgspec.structs.replace(service, operations=tuple(carried), links=())
    served = msgspec.structs.replace(origin, service=kept)
    document = Document(msgspec.json.decode(contract(protocol, kept)), "the shop's own contract")
    found = protocol.client.read(document, service.name)
    assert not found.refusals
    values = Values(found.service.types)
    base_path = protocol.server.mounts(service)[0].path.rstrip("/")
    exchange = memory_wire(protocol.server.serve([served]))
    invokes = protocol.client.dial(found.service, values, exchange, "shop.example", base_path)
    return ServedService(service=found.service, values=values, invokes=invokes)


async def stories(inward: Protocol, outward: Protocol) -> Mapping[str, list[Any]]:
    """The story as the shop tells it, and as it arrives through the two protocols."""
    async with AsyncExitStack() as stack:
        own = await stack.enter_async_context(local_service(_shop()))
        other = await stack.enter_async_context(local_service(_shop()))
        through = imported(imported(other, inward), outward)
        return {
            "the shop": [await Teller(own).tell(*call) for call in STORY],
            "through": [await Teller(through).tell(*call) for call in STORY],
        }


def _shop() -> Any:
    sys.path.insert(0, str(SHOP))
    try:
        return importlib.import_module("shop").shop
    finally:
        sys.path.remove(str(SHOP))


@pytest.mark.parametrize("inward", sorted(CATALOG))
@pytest.mark.parametrize("outward", sorted(CATALOG))
def test_the_shop_is_the_same_through_every_pair(inward: str, outward: str) -> None:
    told = asyncio.run(stories(CATALOG[inward], CATALOG[outward]))
    for call, own, through in zip(STORY, told["the shop"], told["through"], strict=True):
        assert through == own, call
