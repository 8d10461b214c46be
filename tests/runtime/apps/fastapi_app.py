from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

state: list[str] = []


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    state.append("started")
    yield
    print("the application has stopped", flush=True)


app = FastAPI(lifespan=lifespan)


@app.get("/hello/{name}")
async def hello(name: str, request: Request, q: str = "") -> dict[str, Any]:
    return {
        "name": name,
        "root_path": request.scope["root_path"],
        "url": str(request.url_for("hello", name="x")),
        "query": q,
        "state": state,
        "caller": request.client.host if request.client else "",
    }


@app.post("/echo")
async def echo(request: Request) -> dict[str, str]:
    return {"body": (await request.body()).decode()}


@app.get("/stream")
async def stream() -> StreamingResponse:
    async def chunks() -> AsyncIterator[str]:
        for number in range(1000):
            yield str(number)

    return StreamingResponse(chunks())


@app.get("/endless")
async def endless() -> StreamingResponse:
    async def chunks() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000

    return StreamingResponse(chunks())
