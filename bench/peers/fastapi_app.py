"""FastAPI with pydantic models, as its own documentation writes it."""

from __future__ import annotations

from fastapi import FastAPI
from pydantic import BaseModel

from bench import data


class Item(BaseModel):
    id: int
    name: str
    price: float
    active: bool
    note: str


class NewItem(BaseModel):
    id: int


ITEMS = [Item(**item) for item in data.items()]
app = FastAPI()


@app.get("/items/{id}")
async def item(id: int) -> Item:
    return Item(**data.item(id))


@app.get("/items")
async def items() -> list[Item]:
    return ITEMS


@app.post("/items")
async def add(new: NewItem) -> Item:
    return Item(**data.item(new.id))
