"""FastAPI with pydantic models, as its own documentation writes it."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
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


@app.put("/blob")
async def store(request: Request) -> int:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
    return size


@app.get("/blob")
async def fetch() -> StreamingResponse:
    async def content():
        for chunk in data.chunks():
            yield chunk

    return StreamingResponse(content(), media_type="application/octet-stream")
