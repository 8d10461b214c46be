"""What an author writes in Python, as shapes."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, NotRequired, Optional, TypedDict, TypeVar

import msgspec
import pydantic
import pytest
from msgspec import Meta, UnsetType

from entrepot.model import shape as s
from entrepot.model.fault import Fault
from entrepot.model.file import File
from entrepot.model.page import Page
from entrepot.shapes.class_fields import NoShape
from entrepot.shapes.markers import Cursor, Version
from entrepot.shapes.reflect import Reflector
from entrepot.shapes.values import Codec, Values

T = TypeVar("T")
Sku = NewType("Sku", str)
Percent = Annotated[int, Meta(ge=0, le=100)]


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(enum.IntEnum):
    S = 1
    L = 2


class Box(msgspec.Struct, Generic[T]):
    item: T


class Cat(msgspec.Struct, tag="cat"):
    lives: int = 9


class Dog(msgspec.Struct, tag="dog"):
    name: str


@dataclasses.dataclass
class Address:
    street: str
    lines: list[str] = dataclasses.field(default_factory=list)


class Point(NamedTuple):
    x: float
    y: float


class Options(TypedDict):
    gift: bool
    wrap: NotRequired[Color]


class Contact(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    age: int = pydantic.Field(ge=18, alias="Age")
    email: str | None = None
    seen: datetime.datetime | None = pydantic.Field(None, description="When we last met.")

    @pydantic.field_validator("email")
    @classmethod
    def has_an_at(cls, email: str | None) -> str | None:
        if email is not None and "@" not in email:
            raise ValueError("an address has an @")
        return email


class Order(msgspec.Struct, rename="camel", kw_only=True):
    """An order."""

    order_id: uuid.UUID
    amount: decimal.Decimal
    color: Color
    size: Size = Size.S
    pets: list[Cat | Dog] = []
    address: Address
    at: Point
    options: Options
    box: Box[int]
    contact: Contact
    tags: set[str] = set()
    revision: Annotated[int, Version()] = 0
    parent: Order | None = None
    code: Annotated[str, Meta(pattern="^a$", description="The code.", examples=["a"])] = "a"
    extra: int | UnsetType = msgspec.UNSET
    created: datetime.datetime = msgspec.field(default_factory=lambda: datetime.datetime(2024, 1, 1))


ORDER = (
    b'{"orderId":"6a2f41a3-c54c-fce8-32d2-0324e1c32e22","amount":"1.10","color":"red","size":2,'
    b'"pets":[{"type":"cat","lives":8},{"type":"dog","name":"x"}],"address":{"street":"High St","lines":[]},'
    b'"at":[1.0,2.5],"options":{"gift":true},"box":{"item":3},"contact":{"Age":20,"email":null,"seen":null},'
    b'"tags":["t"],"revision":3,"parent":null,"code":"a","extra":5,"created":"2024-01-01T00:00:00"}'
)


def codec_of(annotation: Any) -> Codec:
    reflector = Reflector()
    shape = reflector.shape(annotation)
    return Values(reflector.types, reflector.classes).codec(shape)


@pytest.mark.parametrize(
    ("annotation", "shape"),
    [
        (int, s.Int()),
        (None, s.Null()),
        (Any, s.Anything()),
        (bytes, s.Bytes()),
        (File, s.File()),
        (Sku, s.Text()),
        (Percent, s.Int(minimum=0, maximum=100)),
        (Annotated[int, Meta(gt=0), Meta(lt=10)], s.Int(minimum=1, maximum=9)),
        (Annotated[decimal.Decimal, Meta(ge=0)], s.Decimal(minimum="0")),
        (Annotated[str, Meta(min_length=1)] | None, s.Nullable(shape=s.Text(length_min=1))),
        (Annotated[datetime.datetime, Meta(tz=True)], s.DateTime(zone="aware")),
        (datetime.datetime, s.DateTime(zone="any")),
        (datetime.timedelta, s.Duration()),
        (Optional[int], s.Nullable(shape=s.Int())),  # noqa: UP045
        (int | UnsetType, s.Int()),
        (list[int], s.List(item=s.Int())),
        (Sequence[int], s.List(item=s.Int())),
        (list, s.List(item=s.Anything())),
        (frozenset[str], s.List(item=s.Text(), unique=True)),
        (tuple[int, ...], s.List(item=s.Int())),
        (tuple[int, str], s.Tuple(items=(s.Int(), s.Text()))),
        (dict[str, Percent], s.Map(value=s.Int(minimum=0, maximum=100))),
        (Mapping[int, str], s.Map(key=s.Int(), value=s.Text())),
        (Literal["a", 1, None], s.Enum(values=(s.EnumValue("a"), s.EnumValue(1), s.EnumValue(None)))),
        (int | str, s.Union(arms=(s.Int(), s.Text()))),
        (int | str | None, s.Nullable(shape=s.Union(arms=(s.Int(), s.Text())))),
        (uuid.UUID | str, s.Union(arms=(s.Uuid(), s.Text()), choose="trial")),
        (Page[int], s.Page(item=s.Int())),
        (Color, s.Ref(name="Color")),
        (
            Cat | Dog,
            s.Union(
                arms=(s.Ref(name="Cat"), s.Ref(name="Dog")), choose="tag", tag_field="type", tags=("cat", "dog")
            ),
        ),
        (Cat | Dog | str, None),
        (Box[list[Color]], s.Ref(name="BoxList")),
    ],
)  # fmt: skip
def test_a_type_is_a_shape(annotation: Any, shape: s.Shape | None) -> None:
    found = Reflector().shape(annotation)
    if shape is None:
        assert isinstance(found, s.Union)
        assert [type(arm) for arm in found.arms] == [s.Union, s.Text]
    else:
        assert found == shape


def test_a_whole_record_is_read() -> None:
    reflector = Reflector()
    assert reflector.shape(Order) == s.Ref(name="Order")
    order = reflector.types["Order"]
    assert isinstance(order, s.Record)
    assert order.docs == "An order."
    fields = {field.attribute: field for field in order.fields}
    assert fields["order_id"].name == "orderId"
    assert fields["revision"].role == "version"
    assert fields["code"].docs == "The code."
    assert fields["code"].examples == ("a",)
    assert fields["size"].default == 1
    assert fields["tags"].default == []
    assert fields["parent"].shape == s.Nullable(shape=s.Ref(name="Order"))
    assert (fields["extra"].required, fields["extra"].default) == (False, msgspec.UNSET)
    assert (fields["created"].required, fields["created"].default) == (False, msgspec.UNSET)
    contact = reflector.types["Contact"]
    assert isinstance(contact, s.Record)
    assert [field.name for field in contact.fields] == ["Age", "email", "seen"]
    assert (contact.extras, contact.fields[2].docs) == ("forbid", "When we last met.")
    assert reflector.classes["Order"] is Order


def test_values_of_an_authors_classes_survive() -> None:
    codec = codec_of(Order)
    value = codec.decode(ORDER)
    assert type(value) is Order
    assert codec.encode(value) == ORDER
    assert codec.of_plain(codec.to_plain(value)) == value
    assert codec.accepts(value)
    assert value.pets == [Cat(lives=8), Dog(name="x")]
    assert isinstance(value.contact, Contact)
    assert value.at == Point(1.0, 2.5)


@pytest.mark.parametrize(
    ("old", "new", "pointer", "code"),
    [
        (b'"1.10"', b"1.10", "/amount", "type"),
        (b'"1.10"', b'"NaN"', "/amount", "number_form"),
        (b'"type":"cat",', b"", "/pets/0/type", "missing"),
        (b'"code":"a"', b'"code":"a\\n"', "/code", "pattern"),
        (b'["t"]', b'["t","t"]', "/tags/1", "unique"),
        (b'"Age":20', b'"Age":"20"', "/contact/Age", "type"),
        (b'"Age":20', b'"Age":2', "/contact/Age", "range"),
        (b'"Age":20', b'"Age":20,"z":1', "/contact/z", "unknown"),
        (b'"color":"red"', b'"color":"pink"', "/color", "enum"),
        (b"[1.0,2.5]", b"[1.0]", "/at", "length"),
        (b'"gift":true', b'"gift":1', "/options/gift", "type"),
        (b'"street":"High St"', b'"street":null', "/address/street", "null"),
    ],
)
def test_an_authors_class_is_held_to_its_shape(old: bytes, new: bytes, pointer: str, code: str) -> None:
    with pytest.raises(Fault) as caught:
        codec_of(Order).decode(ORDER.replace(old, new))
    assert [(issue.pointer, issue.code) for issue in caught.value.issues] == [(pointer, code)]


def test_a_rule_that_only_the_class_knows_has_its_message() -> None:
    with pytest.raises(Fault, match="does not fit") as caught:
        codec_of(Order).decode(ORDER.replace(b'"email":null', b'"email":"nobody"'))
    assert [issue.code for issue in caught.value.issues] == ["format"]
    assert "an address has an @" in caught.value.issues[0].message


def test_a_value_of_another_type_is_not_accepted() -> None:
    codec = codec_of(Order)
    value = codec.decode(ORDER)
    value.revision = "three"
    value.address.lines = [1]
    assert not codec.accepts(value)
    assert [(issue.pointer, issue.code) for issue in codec.issues(value)] == [
        ("/address/lines/0", "type"),
        ("/revision", "type"),
    ]
    assert not codec.accepts(object())
    assert not codec_of(float).accepts(float("nan"))


def test_a_lone_tagged_struct_must_say_its_tag() -> None:
    assert codec_of(Cat).decode(b'{"type":"cat"}') == Cat()
    with pytest.raises(Fault) as caught:
        codec_of(Cat).decode(b"{}")
    assert [(issue.pointer, issue.code) for issue in caught.value.issues] == [("/type", "missing")]


def test_members_that_are_told_apart_by_what_they_require() -> None:
    codec = codec_of(Address | Options)
    assert codec.decode(b'{"street":"x"}') == Address("x")
    assert codec.decode(b'{"gift":true}') == {"gift": True}


def test_a_role_is_found_inside_an_optional() -> None:
    assert Reflector().member(Annotated[str, Cursor()] | None).role == "cursor"
    assert Reflector().member(Annotated[str | None, Cursor()]).role == "cursor"


def test_types_of_one_name_are_kept_apart() -> None:
    def another() -> Any:
        return dataclasses.make_dataclass("Address", [("zip", int)])

    reflector = Reflector()
    assert reflector.shape(Address) == s.Ref(name="Address")
    assert reflector.shape(another()) == s.Ref(name="Address_2")
    assert reflector.shape(Address) == s.Ref(name="Address")


class Looped(msgspec.Struct):
    left: Looped | None = None
    others: dict[str, list[Looped]] = {}


def test_a_recursive_class_is_read_once() -> None:
    codec = codec_of(Looped)
    data = b'{"left":{"left":null,"others":{}},"others":{"a":[{"left":null,"others":{}}]}}'
    assert codec.encode(codec.decode(data)) == data


class Unreadable(msgspec.Struct):
    call: Callable[[], int]


class Undefined(msgspec.Struct):
    other: Missing  # type: ignore[name-defined]  # noqa: F821


class Tupled(msgspec.Struct):
    value: Annotated[int, Meta(ge=1)] | tuple[int, str]


class Trapped(msgspec.Struct):
    value: Annotated[str, Meta(pattern="^a$")] | list[int]


class AsArray(msgspec.Struct, array_like=True):
    x: int


class Bounded(msgspec.Struct):
    price: Annotated[decimal.Decimal, Meta(ge=0)]


class HalfPoint(NamedTuple):
    x: int
    y: int = 0


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (complex, "pay.amount: complex is not a type that a contract can hold"),
        (Annotated[str, Meta(ge=3)], "pay.amount: the constraint 'ge' has no meaning for Text"),
        (dict[float, int], "a key of float cannot be written as a member's name"),
        ("Later", "pay.amount: the name 'Later' is not resolved to a type"),
        (Literal[b"x"], "the literal b'x' is not text"),
        (Unreadable, "Unreadable.call"),
        (Undefined, "Undefined mentions 'Missing', which is not defined in its module"),
        (Trapped, "Trapped.value: a text with a pattern cannot share a union with a list or a record"),
        (Tupled, "Tupled.value: a tuple cannot share a union with what has bounds"),
        (AsArray, "a Struct with array_like has no names on the wire"),
        (Bounded, "Bounded: "),
        (HalfPoint, "HalfPoint: a NamedTuple is written as an array of fixed length"),
        (Address | Looped, "these records cannot be told apart"),
        (enum.Enum("Odd", {"A": 1.5}), "Odd.A: the value 1.5 is neither text nor an integer"),
    ],
)
def test_what_has_no_shape_is_named_with_its_place(annotation: Any, message: str) -> None:
    with pytest.raises(NoShape) as caught:
        Reflector().shape(annotation, "pay.amount")
    assert message in str(caught.value)


def test_the_pattern_trap_is_only_one_inside_an_authors_class() -> None:
    codec = codec_of(Annotated[str, Meta(pattern="^a$")] | list[int])
    assert codec.decode(b'"a"') == "a"
    with pytest.raises(Fault):
        codec.decode(b'"b"')


def test_a_chain_of_types_may_be_of_any_length() -> None:
    last: Any = int
    for number in range(2000):
        last = msgspec.defstruct(f"T{number}", [("next", last if number == 0 else last | None)])
    reflector = Reflector()
    assert reflector.shape(last) == s.Ref(name="T1999")
    assert len(reflector.types) == 2000
    codec = Values(reflector.types, reflector.classes).codec(s.Ref(name="T1999"))
    assert codec.decode(b'{"next":{"next":null}}').next.next is None


def test_what_msgspec_cannot_follow_is_refused() -> None:
    first = msgspec.defstruct("First", [("next", object)])
    last: Any = first
    for number in range(20_000):
        last = msgspec.defstruct(f"T{number}", [("next", last | None)])
    first.__annotations__["next"] = last | None
    with pytest.raises(NoShape, match="nested too deeply"):
        Reflector().shape(last)
