"""The same operations, written for Entrepôt."""

from __future__ import annotations

import msgspec

from bench import data
from entrepot import Service


class Item(msgspec.Struct):
    id: int
    name: str
    price: float
    active: bool
    note: str


class NewItem(msgspec.Struct):
    id: int


ITEMS = [Item(**item) for item in data.items()]
bench = Service("bench")


@bench.get("/items/{id}")
async def item(id: int) -> Item:
    return Item(**data.item(id))


@bench.get("/items")
async def items() -> list[Item]:
    return ITEMS


@bench.post("/items")
async def add(new: NewItem) -> Item:
    return Item(**data.item(new.id))
