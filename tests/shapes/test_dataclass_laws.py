"""A dataclass that was read is the one that its own constructor makes, and is written as that one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot import Service
from entrepot.app import CATALOG
from entrepot.model.call import Call
from entrepot.ports.exchange import Request, Response
from entrepot.runtime.local import local_service
from entrepot.shapes.reflect import Reflector
from entrepot.shapes.values import Codec, Values
from entrepot.wire.memory import memory_wire


@dataclass
class Point:
    x: int
    y: float = 0.0
    label: str | None = None
    tags: list[str] = field(default_factory=list)


@dataclass
class Deeper(Point):
    depth: int = 1


@dataclass(frozen=True, kw_only=True)
class Fixed:
    x: int
    y: float = 0.0
    label: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(slots=True)
class Slotted:
    x: int
    y: float = 0.0
    label: str | None = None
    tags: list[str] = field(default_factory=list)


@dataclass
class Chain:
    x: int
    next: Chain | None = None


class Tagged(msgspec.Struct, tag="tagged"):
    point: Point


class Other(msgspec.Struct, tag="other"):
    n: int


@dataclass
class Kind:
    kind: Literal["kind"]
    y: int = 2


MEMBERS = st.fixed_dictionaries(
    {"x": st.integers(-9, 9)},
    optional={
        "y": st.sampled_from([0.5, 2.5]),
        "label": st.sampled_from([None, "l"]),
        "tags": st.lists(st.just("t"), max_size=2),
    },
)
AROUND: dict[Any, Callable[[Any], Any]] = {
    list[Point]: lambda value: [value, value],
    dict[str, Point]: lambda value: {"a": value},
    tuple[int, Point]: lambda value: (1, value),
    Point | None: lambda value: value,
    Point | int: lambda value: value,
    Point | Kind: lambda value: value,
    Tagged | Other: Tagged,
    list[Tagged | int]: lambda value: [Tagged(value)],
}


def codec_of(annotation: Any) -> Codec:
    reflector = Reflector()
    shape = reflector.shape(annotation)
    return Values(reflector.types, reflector.classes).codec(shape)


def same(codec: Codec, plain: Any, value: Any) -> None:
    """However it is read, it is this value, and is written as the value is."""
    data = msgspec.json.encode(plain)
    for read in (codec.decode(data), codec.decode_trusted(data), codec.of_plain(plain)):
        assert read == value
        assert codec.encode(read) == codec.encode(value)
        assert codec.to_plain(read) == codec.to_plain(value)


@pytest.mark.parametrize("cls", [Point, Deeper, Fixed, Slotted])
@given(MEMBERS)
def test_reading_fills_in_what_the_constructor_would(cls: Any, members: dict[str, Any]) -> None:
    given_members = {**members, "tags": tuple(members["tags"])} if cls is Fixed and "tags" in members else members
    value = cls(**given_members)
    same(codec_of(cls), members, value)
    read = codec_of(cls).of_plain(members)
    assert dataclasses.asdict(read) == dataclasses.asdict(value)
    assert getattr(read, "__dict__", None) == getattr(value, "__dict__", None)


@pytest.mark.parametrize("annotation", AROUND, ids=str)
@given(MEMBERS)
def test_it_does_so_wherever_the_dataclass_stands(annotation: Any, members: dict[str, Any]) -> None:
    plain = msgspec.to_builtins(AROUND[annotation](members))
    same(codec_of(annotation), plain, AROUND[annotation](Point(**members)))


def test_it_does_so_within_itself_as_deep_as_it_may_be_read() -> None:
    plain: dict[str, Any] = {"x": 0}
    for x in range(1, 60):
        plain = {"x": x, "next": plain}
    written = codec_of(Chain).encode(codec_of(Chain).of_plain(plain))
    assert written.endswith(b'{"x":0,"next":null}' + b"}" * 59)


@pytest.mark.parametrize("name", sorted(CATALOG))
async def test_what_came_in_a_call_goes_out_whole(name: str) -> None:
    service = Service("points")

    @service.post("/points")
    async def keep(point: Point) -> Point:
        return point

    bodies: list[Any] = []

    async def watched(request: Request) -> Response:
        response = await exchange(request)
        bodies.append(response.body)
        return response

    protocol = CATALOG[name]
    async with local_service(service) as served:
        exchange = memory_wire(protocol.server.serve([served]))
        base_path = protocol.server.mounts(served.service)[0].path.rstrip("/")
        client = protocol.client.dial(served.service, served.values, watched, "upstream.test", base_path)
        # As a caller writes it who leaves members out.
        short = msgspec.defstruct("Short", [("point", dict[str, Any])])({"x": 1})
        reply = await client["keep"](Call(served.service.operations[0], short))
    assert reply.fault is None
    assert b'{"x":1,"y":0.0,"label":null,"tags":[]}' in bodies[0]
