"""The same operations, written for Entrepôt."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from bench import data
from entrepot import File, Service


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


@bench.put("/blob")
async def store(content: File) -> int:
    size = 0
    async for chunk in content.open():
        size += len(chunk)
    return size


@bench.get("/blob")
async def fetch() -> File:
    async def opener(_start: int, _stop: int | None) -> AsyncIterator[bytes]:
        for chunk in data.chunks():
            yield chunk

    return File(opener=opener)
