from __future__ import annotations

from typing import Any

import msgspec
import pytest

from entrepot.model import faults, shape
from entrepot.model.call import Conditions, Context, Meta, Reply
from entrepot.model.fault import KINDS, Fault
from entrepot.model.file import File
from entrepot.model.operation import Operation, Service

TREE = shape.Record(
    fields=(shape.Field(name="children", shape=shape.List(item=shape.Ref(name="Tree")), required=False),)
)


class OutOfStock(Fault, kind="conflict"):
    left: int


def test_a_service_survives_being_sealed() -> None:
    service = Service(
        name="garden", types={"Tree": TREE}, operations=(Operation(name="plant", output=shape.Ref(name="Tree")),)
    )
    assert msgspec.json.decode(msgspec.json.encode(service), type=Service) == service


def test_equal_shapes_are_equal_by_content() -> None:
    assert shape.Int(bits=32) == shape.Int(bits=32)
    assert hash(shape.List(item=shape.Text())) == hash(shape.List(item=shape.Text()))
    assert shape.Int(bits=32) != shape.Int(bits=64)


def test_what_is_reachable_ends_although_types_are_recursive() -> None:
    found = shape.reachable(shape.Ref(name="Tree"), {"Tree": TREE})
    assert found == [TREE, shape.List(item=shape.Ref(name="Tree"))]


def test_a_reference_to_itself_alone_is_refused() -> None:
    with pytest.raises(KeyError, match="refers to itself"):
        shape.resolve(shape.Ref(name="A"), {"A": shape.Ref(name="A")})


def test_a_declared_fault_carries_its_data() -> None:
    fault = OutOfStock("only a few are left", left=3)
    assert (fault.kind, fault.name, fault.data.left) == ("conflict", "OutOfStock", 3)


def test_a_plain_fault_takes_no_data() -> None:
    with pytest.raises(TypeError, match="declares no data"):
        faults.NotFound("gone", left=3)


def test_a_declared_fault_may_not_reuse_a_reserved_name() -> None:
    with pytest.raises(TypeError, match="upstream means something else"):
        type("Broken", (Fault,), {"__annotations__": {"upstream": str}})


def test_every_kind_has_one_class_to_raise() -> None:
    classes = [value for value in vars(faults).values() if isinstance(value, type) and value is not Fault]
    assert sorted(cls.kind for cls in classes) == sorted(KINDS)


@pytest.mark.parametrize("present", ["2", None])
def test_if_match_fails_unless_the_version_is_present(present: object) -> None:
    with pytest.raises(faults.PreconditionFailed):
        Conditions(if_match=("1",)).check(present)


def test_conditions_that_hold_say_nothing() -> None:
    Conditions().check(None)
    Conditions(if_match=("1",)).check(1)
    Conditions(if_match=("*",)).check(7)
    Conditions(if_none_match=("*",)).check(None)


def test_if_none_match_star_refuses_what_exists() -> None:
    with pytest.raises(faults.PreconditionFailed):
        Conditions(if_none_match=("*",)).check(1)


def test_a_context_keeps_the_trace_id_it_got_and_makes_one_otherwise() -> None:
    got = Context(traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    assert got.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    made = Context()
    assert made.trace_id == made.trace_id


def test_meta_reads_headers_and_cookies() -> None:
    meta = Meta(headers=[(b"x-a", b"1"), (b"x-a", b"2"), (b"cookie", b"a=1; b=2=3")])
    assert meta.header(b"x-a") == b"1"
    assert meta.header(b"x-b") is None
    assert (meta.cookie("b"), meta.cookie("c")) == ("2=3", None)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [(b'"x y"', "x y"), (b'"a%20b"', "a b"), (b"%22a%22", '"a"'), (b'"', '"'), (b'""', ""), (b'a"', 'a"'),
     (b"%zz", "%zz"), (b"\xc3\xa9", "\xe9"), (b"\xe9", "\xe9"), (b"a+b", "a+b")],
)  # fmt: skip
def test_a_cookie_is_without_its_quotes_and_percent_decoded(sent: bytes, meant: str) -> None:
    assert Meta([(b"cookie", b"other=1; sid=" + sent), (b"cookie", b"sid=far")]).cookie("sid") == meant


async def test_a_file_is_read_whole_only_within_a_limit() -> None:
    file = File.of(b"abcdef", name="letters.txt")
    assert await file.read(6) == b"abcdef"
    assert b"".join([chunk async for chunk in file.open(2, 4)]) == b"cd"
    with pytest.raises(faults.TooLarge, match="longer than 5"):
        await file.read(5)


def test_a_reply_may_have_headers_beside_its_output() -> None:
    reply = Reply.of({"id": 1}, headers={"X-Left": "3", "Cache-Control": "no-store"})
    assert reply.output == {"id": 1}
    assert reply.meta == Meta([(b"x-left", b"3"), (b"cache-control", b"no-store")])


@pytest.mark.parametrize(("kind", "remedy"), [("conflct", "Did you mean `conflict`?"), (409, "There is: cancelled")])
def test_a_fault_has_a_kind_that_there_is(kind: Any, remedy: str) -> None:
    with pytest.raises(TypeError, match=r"Taken: .* is no kind of fault") as raised:
        type("Taken", (Fault,), {}, kind=kind)
    assert remedy in str(raised.value)
