"""A service with every way in, handlers that fail, and answers that carry what callers sent."""

import asyncio
import datetime
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec

from entrepot import Body, Context, Cookie, Cursor, Fault, File, Form, Header, NotFound, Reply, Service, Version

target = Service("target")


class Tree(msgspec.Struct):
    name: str
    children: list["Tree"] = []


class Thing(msgspec.Struct, forbid_unknown_fields=True):
    """One field of each kind that a wire could spoil."""

    name: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    count: int = 0
    small: Annotated[int, msgspec.Meta(ge=-128, le=127)] = 0
    price: Decimal = Decimal(0)
    ratio: float = 0.0
    at: datetime.datetime | None = None
    day: datetime.date | None = None
    pause: datetime.timedelta | None = None
    kind: Literal["a", "b"] = "a"
    code: Annotated[str, msgspec.Meta(pattern="^a+a*$", max_length=500)] = "a"
    content: bytes = b""
    labels: dict[str, str] = {}
    numbers: list[int] = []
    distinct: set[int] = set()
    by_number: dict[int, int] = {}
    by_id: dict[uuid.UUID, int] = {}
    tree: Tree | None = None
    anything: Any = None


class Numbered(msgspec.Struct):
    number: Annotated[int, Cursor()]


class Versioned(msgspec.Struct):
    key: str
    version: Annotated[str, Version()]


class Spoilt(Fault, kind="conflict"):
    """A fault that carries what the caller sent."""

    what: str


@target.post("/things")
async def echo(thing: Thing) -> Thing:
    return thing


@target.operation(safe=True)
async def plain(name: str, count: int = 0) -> str:
    return f"{name}{count}"


@target.operation(safe=True)
async def long(length: int) -> str:
    return "x" * length


@target.get("/keys/{key}")
async def key(key: str) -> str:
    return key


@target.get("/keys/{key}/version")
async def version(key: str) -> Versioned:
    return Versioned(key, version=key)


@target.post("/keys", location="/keys/{key}/version", faults=[Spoilt])
async def add(key: Annotated[str, Body()], spoil: bool = False) -> Versioned:
    if spoil:
        raise Spoilt(key, what=key)
    return Versioned(key, version=key)


@target.get("/search")
async def search(word: str = "", words: list[str] = [], number: int = 0, price: Decimal = Decimal(0)) -> list[str]:
    return [word, *words, str(number), str(price)]


@target.get("/told")
async def told(
    channel: Annotated[str | None, Header("X-Channel")] = None, voucher: Annotated[str | None, Cookie()] = None
) -> list[str | None]:
    return [channel, voucher]


@target.get("/seen")
async def seen(context: Context) -> list[tuple[str, str]]:
    """The headers as they arrived."""
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in context.meta.headers]


@target.get("/mirrored")
async def mirrored(value: str) -> str:
    """An answer whose header is what the caller sent."""
    return Reply.of(value, headers={"X-Mirrored": value})  # type: ignore[return-value]


@target.post("/forms")
async def fill(name: Annotated[str, Form()], notes: Annotated[list[str], Form()] = []) -> int:
    return len(name) + len(notes)


@target.post("/uploads")
async def upload(name: Annotated[str, Form()], file: Annotated[File, Form()]) -> int:
    return len(await file.read(limit=1_000_000))


@target.put("/blobs/{key}")
async def store(key: str, content: File) -> int:
    size = 0
    async for chunk in content.open():
        size += len(chunk)
    return size


@target.post("/sums")
async def total(numbers: AsyncIterator[Numbered]) -> int:
    sum = 0
    async for each in numbers:
        sum += each.number
    return sum


@target.get("/ticks")
async def ticks(after: Annotated[int, Cursor()] = 0, pad: int = 0) -> AsyncIterator[Numbered]:
    number = after
    while True:
        number += 1
        yield Numbered(number)
        await asyncio.sleep(0)


@target.get("/crash")
async def crash(said: str = "") -> str:
    raise RuntimeError(f"the database at db.internal refused, after {said!r}")


def endless() -> str:
    return endless()


class Panic(BaseException):
    """As extensions written in Rust raise it."""


RAISED: dict[str, type[BaseException]] = {
    "exit": SystemExit,
    "interrupt": KeyboardInterrupt,
    "cancelled": asyncio.CancelledError,
    "generator": GeneratorExit,
    "panic": Panic,
    "memory": MemoryError,
    "stop": StopIteration,
    "stop-async": StopAsyncIteration,
    "assertion": AssertionError,
    "group": ExceptionGroup,
}


@target.get("/raised/{what}")
async def raised(what: str) -> str:
    if what == "recursion":
        return endless()
    error = RAISED[what]
    raise ExceptionGroup("db.internal", [OSError("db.internal")]) if error is ExceptionGroup else error("db.internal")


@target.get("/raised-in-a-thread/{what}")
def raised_in_a_thread(what: str) -> str:
    raise RAISED[what]("db.internal")


@target.get("/raised-in-a-stream/{what}")
async def raised_in_a_stream(what: str) -> AsyncIterator[Numbered]:
    yield Numbered(1)
    raise RAISED[what]("db.internal")


@target.get("/wrong/{what}")
async def wrong(what: str) -> Versioned:
    """What is not of the declared type."""
    values: dict[str, Any] = {"text": "db.internal", "nothing": None, "inside": Versioned(key=1, version="db.internal")}  # type: ignore[arg-type]
    return values.get(what, object())  # type: ignore[no-any-return]


@target.get("/crashes")
async def crashes() -> AsyncIterator[Numbered]:
    yield Numbered(1)
    raise RuntimeError("the cursor at db.internal broke")


@target.get("/slow")
async def slow() -> str:
    await asyncio.sleep(0.2)
    return "done"


@target.get("/nothing/{id}")
async def nothing(id: str) -> str:
    raise NotFound(f"there is no {id}")
