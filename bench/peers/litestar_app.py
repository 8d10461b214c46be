"""Litestar with msgspec Structs, its fastest form."""

from __future__ import annotations

import msgspec
from litestar import Litestar, get, post

from bench import data


class Item(msgspec.Struct):
    id: int
    name: str
    price: float
    active: bool
    note: str


class NewItem(msgspec.Struct):
    id: int


ITEMS = [Item(**item) for item in data.items()]


@get("/items/{id:int}")
async def item(id: int) -> Item:
    return Item(**data.item(id))


@get("/items")
async def items() -> list[Item]:
    return ITEMS


@post("/items", status_code=200)
async def add(data: NewItem) -> Item:
    from bench import data as source

    return Item(**source.item(data.id))


app = Litestar([item, items, add], openapi_config=None)
