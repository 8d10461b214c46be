"""The shop through every pair of protocols: served over one, imported from its own contract, re-served over the other.

Whoever calls at the far end, in memory or through the edge, is told what the shop itself says. Orders of
calls matter, since the shop remembers: each pair and the shop itself are told the same story, as far as
both protocols carry it.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from entrepot.app import CATALOG
from entrepot.model.call import Call, Conditions, Context
from entrepot.model.fault import Fault
from entrepot.model.file import File
from entrepot.ports.protocol import Protocol, ServedService
from entrepot.runtime.local import local_service
from entrepot.shapes.document import Document
from entrepot.shapes.values import Values
from entrepot.wire.memory import memory_wire
from support.contracts import contract
from support.laws import Wire
from support.through_edge import Edge

SHOP = Path(__file__).parents[2] / "examples" / "shop"
PNG = File.of(b"\x89PNG" + bytes(100_000), name="apple.png", media_type="image/png")
CONDITIONAL = ("rest",)
"""The protocols that carry conditions."""


class Step(NamedTuple):
    """One call of the story."""

    name: str
    arguments: dict[str, Any]
    if_match: str = ""


STORY = (
    Step("products", {"limit": 2}),
    Step("products", {"limit": 2, "cursor": "2"}),
    Step("products", {"limit": 0}),
    Step("product", {"id": 1}),
    Step("product", {"id": 404}),
    Step("supplier", {"id": 1}),
    Step("add_product", {"product": {"name": "Jar of honey", "price": "7.35"}}),
    Step("add_product", {"product": {"name": "", "price": "much"}}),
    Step("change_product", {"id": 1, "change": {"note": "ripe"}}, if_match="1"),
    Step("change_product", {"id": 1, "change": {"note": "rotten"}}, if_match="1"),
    Step("change_product", {"id": 1, "change": {"note": None}}),
    Step("change_product", {"id": 1, "change": {}}),
    Step("photo", {"id": 1}),
    Step("set_photo", {"id": 1, "photo": PNG}),
    Step("photo", {"id": 1}),
    Step("set_photo", {"id": 404, "photo": PNG}),
    Step("quote", {"items": [{"product_id": 1, "quantity": 3}]}),
    Step("place_order", {"items": [{"product_id": 1}], "channel": "stand", "voucher": "TEN"}),
    Step("place_order", {"items": [{"product_id": 1, "quantity": 999}]}),
    Step("place_order", {"items": []}),
    Step("order", {"id": 1}),
    Step("progress", {"id": 1}),
    Step("progress", {"id": 1, "after": 3}),
    Step("progress", {"id": 404}),
)


class Teller:
    """Somebody who can be called: a service with its values and its Invokes."""

    def __init__(self, served: ServedService) -> None:
        self._served = served

    async def tell(self, step: Step) -> Any:
        """What one call gives, in a form that compares."""
        operation = self._served.service.operation(step.name)
        assert operation is not None
        values = self._served.values
        context = Context(conditions=Conditions(if_match=(step.if_match,) if step.if_match else ()))
        try:
            call = Call(operation, self._input(step), None, context)
            reply = await self._served.invokes[step.name](call)
            if reply.fault is not None:
                return _told(reply.fault)
            if isinstance(reply.output, AsyncIterator):
                return [values.codec(operation.output).to_plain(item) async for item in reply.output]
            if isinstance(reply.output, File):
                return reply.output.media_type, await reply.output.read(limit=10**6)
            return values.codec(operation.output).to_plain(reply.output)
        except Fault as fault:
            return _told(fault)

    def _input(self, step: Step) -> Any:
        operation = self._served.service.operation(step.name)
        assert operation is not None
        codec = self._served.values.codec(operation.input)
        holds_file = any(isinstance(argument, File) for argument in step.arguments.values())
        return codec.type(**step.arguments) if holds_file else codec.of_plain(step.arguments)


def _told(fault: Fault) -> Any:
    data = msgspec.to_builtins(fault.data) if fault.data is not None else None
    return fault.kind, fault.name, fault.detail, data, sorted(issue.pointer for issue in fault.issues)


def imported(origin: ServedService, protocol: Protocol, wire: Wire) -> ServedService:
    """The service as one who has only its contract and its address has it."""
    service = origin.service
    refused = protocol.can.refusals(service)
    kept = service.only({operation.name for operation in service.operations} - refused.keys())
    served = msgspec.structs.replace(origin, service=kept)
    document = Document(msgspec.json.decode(contract(protocol, kept)), "the shop's own contract")
    found = protocol.client.read(document, service.name)
    assert not found.refusals
    assert found.service.links == kept.links
    values = Values(found.service.types)
    base_path = protocol.server.mounts(service)[0].path.rstrip("/")
    invokes = protocol.client.dial(
        found.service, values, wire(protocol.server.serve([served])), "shop.example", base_path
    )
    return ServedService(service=found.service, values=values, invokes=invokes)


async def stories(inward: str, outward: str, wire: Wire) -> list[tuple[Step, Any, Any]]:
    """Each step with what the shop tells, and what arrives through the two protocols, the outward one over the wire."""
    async with AsyncExitStack() as stack:
        own = await stack.enter_async_context(local_service(_shop()))
        other = await stack.enter_async_context(local_service(_shop()))
        through = imported(imported(other, CATALOG[inward], memory_wire), CATALOG[outward], wire)
        conditional = inward in CONDITIONAL and outward in CONDITIONAL
        carried = [
            step
            for step in STORY
            if through.service.operation(step.name) is not None and (conditional or not step.if_match)
        ]
        assert len(carried) == len(STORY) or {inward, outward} != {"rest"}
        assert len(carried) > len(STORY) / 2
        return [(step, await Teller(own).tell(step), await Teller(through).tell(step)) for step in carried]


def _shop() -> Any:
    sys.path.insert(0, str(SHOP))
    try:
        return importlib.import_module("shop").shop
    finally:
        sys.path.remove(str(SHOP))


pairs = pytest.mark.parametrize(
    ("inward", "outward"), [(one, two) for one in sorted(CATALOG) for two in sorted(CATALOG)]
)


@pairs
def test_the_shop_is_the_same_through_every_pair(inward: str, outward: str) -> None:
    for step, own, through in asyncio.run(stories(inward, outward, memory_wire)):
        assert through == own, step


@pairs
def test_the_shop_is_the_same_through_every_pair_and_the_edge(edge: Edge, inward: str, outward: str) -> None:
    for step, own, through in edge.run(stories(inward, outward, edge.wire)):
        assert through == own, step
