"""Hypothesis strategies for shapes, the data that fits them, data that nearly does, and operations.

The laws of the shapes room and of every protocol are tested with these. A generated contract
always has finite values: what a record requires never leads back to it.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st

from entrepot.model import shape as s
from entrepot.model.fault import DeclaredFault
from entrepot.model.file import File
from entrepot.model.operation import Operation
from entrepot.shapes.explain import first_repeat
from entrepot.shapes.scalars import int_bounds
from entrepot.shapes.schema_words import python_names
from entrepot.shapes.times import is_kept
from entrepot.shapes.values import Values

Draw = Callable[..., Any]

WIRE_NAMES = ("id", "name", "orderId", "x-rate", "class", "keys", "self", "ünï", "a b", "$type", "items", "next_", "A")
AWKWARD_NAMES = ('quo"te', "back\\slash", "", "tab\there")
PATTERNS = {
    "^[a-z]+$": st.text("abcxyz", min_size=1, max_size=8),
    r"^\d{3}$": st.text("0123456789", min_size=3, max_size=3),
    "b": st.text("ab", max_size=4).map(lambda text: text + "b"),
}
ZONES = st.sampled_from(["aware", "naive", "any"])
PRECISIONS = st.sampled_from(["microsecond", "any"])
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


class Contract(NamedTuple):
    """A shape, and the named types that it may refer to."""

    shape: s.Shape
    types: dict[str, s.Shape]


# Shapes


def ints() -> st.SearchStrategy[s.Shape]:
    """Integers of every width and wire."""
    widths = st.builds(
        s.Int,
        bits=st.sampled_from([8, 16, 32, 64]),
        signed=st.booleans(),
        wire=st.sampled_from(["number", "number", "text"]),
    )
    bounded = st.builds(
        s.Int,
        minimum=st.integers(-1000, 0),
        maximum=st.sampled_from([1000, 2**64, 10**30]),
        multiple_of=st.sampled_from([None, 5]),
    )
    unbounded = st.builds(s.Int, wire=st.sampled_from(["number", "text"]))
    return widths | bounded | unbounded


def decimals() -> st.SearchStrategy[s.Shape]:
    """Decimals on both wires, bounded or not."""
    wire = st.sampled_from(["number", "text"])
    bounded = st.builds(
        s.Decimal,
        wire=wire,
        minimum=st.sampled_from([None, "-10", "0.5"]),
        exclusive_maximum=st.sampled_from([None, "1000"]),
        scale=st.sampled_from([None, 2]),
        digits=st.sampled_from([None, 12]),
    )
    return st.builds(s.Decimal, wire=wire) | bounded


def scalars() -> st.SearchStrategy[s.Shape]:
    """Every scalar shape that has a JSON form."""
    texts = st.builds(
        s.Text,
        length_min=st.sampled_from([None, 1, 2]),
        length_max=st.sampled_from([None, 20]),
        format=st.sampled_from([None, "uri", "date"]),
    )
    return st.one_of(
        st.sampled_from([s.Bool(), s.Text(), s.Date(), s.Uuid(), s.Float(), s.Null()]),
        ints(),
        decimals(),
        st.builds(
            s.Float,
            minimum=st.sampled_from([None, -1.5]),
            exclusive_maximum=st.sampled_from([None, 1e9]),
            bits=st.just(64),
        ),
        texts,
        st.sampled_from(sorted(PATTERNS)).map(lambda pattern: s.Text(pattern=pattern)),
        st.builds(s.Bytes, encoding=st.sampled_from(["base64", "hex"]), length_max=st.sampled_from([None, 8])),
        st.builds(s.Time, zone=ZONES, precision=PRECISIONS),
        st.builds(s.DateTime, zone=ZONES, precision=PRECISIONS),
        st.builds(s.Duration, precision=PRECISIONS),
        st.builds(s.DateTime, wire=st.sampled_from(["unix", "unix_ms"])),
        enums(),
    )


def enums() -> st.SearchStrategy[s.Shape]:
    """Enumerations of texts or integers."""
    wires = st.lists(st.sampled_from(["red", "blue", "", "42", "dark red"]), min_size=1, max_size=4, unique=True)
    numbers = st.lists(st.integers(-3, 3), min_size=1, max_size=4, unique=True)
    closed = (wires | numbers).map(lambda values: s.Enum(values=tuple(map(s.EnumValue, values))))
    opened = wires.map(lambda values: s.Enum(values=tuple(map(s.EnumValue, values)), open=True))
    mixed = st.just(s.Enum(values=tuple(map(s.EnumValue, ["a", 1, True, None]))))
    return closed | opened | mixed


SCALARS = scalars()


def contracts(*, depth: int = 2, awkward: bool = True) -> st.SearchStrategy[Contract]:
    """A shape with its named types, some of them recursive.

    `awkward` lets in what few protocols beyond JSON carry: member names with quotes, kept extras.
    """
    return _contracts(depth, awkward)


shapes = contracts


@st.composite
def _contracts(draw: Draw, depth: int, awkward: bool) -> Contract:
    maker = _Maker(draw, awkward)
    for index in range(draw(st.integers(0, 3))):
        maker.add_type(f"T{index}", depth)
    return Contract(maker.shape(depth), maker.types)


class _Maker:
    """Draws shapes one choice at a time, which is many times faster than strategies of strategies."""

    def __init__(self, draw: Draw, awkward: bool) -> None:
        self.draw = draw
        self.awkward = awkward
        self.types: dict[str, s.Shape] = {}

    def pick(self, *options: Any) -> Any:
        return options[self.draw(st.integers(0, len(options) - 1))]

    def add_type(self, name: str, depth: int) -> None:
        itself = s.Ref(name=name)
        match self.pick("record", "tree", "json", "enum", "alias"):
            case "record":
                made: s.Shape = self.record(depth - 1)
            case "tree":
                made = self._tree(itself, depth)
            case "json":
                made = s.Union(arms=(s.List(item=itself), s.Map(value=itself), s.Text(), s.Null()))
            case "enum":
                made = self.draw(enums())
            case _:
                made = self.shape(depth - 1)
        self.types[name] = made

    def _tree(self, itself: s.Ref, depth: int) -> s.Record:
        record = self.record(depth - 1)
        again = (
            s.Field(name="parent", shape=s.Nullable(shape=itself), required=False),
            s.Field(name="children", shape=s.List(item=itself), required=False),
        )
        return msgspec.structs.replace(record, fields=(*record.fields, *again))

    def shape(self, depth: int) -> s.Shape:
        kind = self.draw(st.integers(0, 11 if depth > 0 else 4))
        match kind:
            case 0:
                return self.pick(s.Anything(), s.Json(schema=self.pick(*_SCHEMAS)[0]))
            case 1 if self.types:
                return s.Ref(name=self.pick(*self.types))
            case 5:
                if self.draw(st.booleans()):
                    return s.List(item=self.pick(s.Text(), s.Int(), s.Bool()), unique=True)
                return s.List(item=self.shape(depth - 1), length_max=self.pick(None, 3))
            case 6:
                return s.Tuple(items=tuple(self.shape(depth - 1) for _ in range(self.pick(0, 1, 2))))
            case 7:
                key = self.pick(s.Text(), s.Text(length_min=1), s.Int(), s.Uuid(), s.Enum(values=(s.EnumValue("k"),)))
                return s.Map(value=self.shape(depth - 1), key=key, length_max=self.pick(None, 3))
            case 8:
                return s.Page(item=self.shape(depth - 1))
            case 9:
                return self.record(depth - 1)
            case 10:
                return self.union(depth - 1)
            case 11:
                inner = self.shape(depth - 1)
                return inner if _takes_null(inner, self.types) else s.Nullable(shape=inner)
            case _:
                return self.draw(SCALARS)

    def record(self, depth: int) -> s.Record:
        """Required, optional, nullable and filled members."""
        pool = WIRE_NAMES + AWKWARD_NAMES if self.awkward and self.draw(st.integers(0, 9)) == 9 else WIRE_NAMES
        names = self.draw(st.lists(st.sampled_from(pool), max_size=4, unique=True))
        attributes = python_names(names)
        fields = []
        for name in names:
            required, shape = self.pick(True, False), self.shape(depth)
            default: Any = msgspec.UNSET
            if not required and isinstance(shape, s.Bool | s.Nullable):
                default = None if isinstance(shape, s.Nullable) else self.pick(msgspec.UNSET, True)
            python = "" if attributes[name] == name else attributes[name]
            role = self.pick("version", "cursor", "", "", "", "") if type(shape) in _VERSIONS else ""
            if role in {field.role for field in fields}:
                role = ""
            fields.append(s.Field(name=name, python=python, shape=shape, required=required, default=default, role=role))
        extras = self.pick("drop", "drop", "forbid", "keep") if self.awkward else self.pick("drop", "forbid")
        return s.Record(fields=tuple(fields), extras=extras)

    def union(self, depth: int) -> s.Shape:
        """Arms that can be told apart, in each of the four ways."""
        match self.pick("kind", "tag", "keys", "trial"):
            case "kind":
                return self._kind_union(depth)
            case "tag":
                return self._tag_union(depth)
            case "keys":
                return s.Union(arms=tuple(self._key_arm(i, depth) for i in range(self.pick(2, 3))), choose="keys")
            case _:
                return s.Union(arms=self.pick(*_TRIALS), choose="trial")

    def _kind_union(self, depth: int) -> s.Union:
        groups: list[Callable[[], s.Shape]] = [
            s.Bool,
            s.Null,
            lambda: self.pick(s.Int(), s.Int(bits=16), s.Float(), s.Decimal(wire="number")),
            lambda: self.pick(
                s.Text(), s.Text(pattern="^[a-z]+$"), s.Uuid(), s.Decimal(), s.DateTime(), s.DateTime(precision="any")
            ),
            lambda: s.List(item=self.shape(depth)),
            lambda: s.Map(value=self.shape(depth)),
        ]
        chosen = self.draw(st.lists(st.integers(0, len(groups) - 1), min_size=2, max_size=4, unique=True))
        return s.Union(arms=tuple(groups[index]() for index in chosen))

    def _tag_union(self, depth: int) -> s.Union:
        tags = self.draw(st.lists(st.sampled_from(["cat", "dog", "a b", "-"]), min_size=2, max_size=3, unique=True))
        arms = []
        for index, tag in enumerate(tags):
            kind = s.Field(name="kind", shape=self.pick(s.Text(), s.Enum(values=(s.EnumValue(tag),))))
            own = s.Field(name=f"m{index}", shape=self.shape(depth), required=self.pick(True, False))
            arms.append(s.Record(fields=(kind, own)))
        return s.Union(arms=tuple(arms), choose="tag", tag_field="kind", tags=tuple(tags))

    def _key_arm(self, index: int, depth: int) -> s.Record:
        own = s.Field(name=f"only{index}", shape=self.shape(depth))
        return s.Record(fields=(own, s.Field(name="both", shape=s.Int())))


_VERSIONS = (s.Int, s.Text, s.Uuid, s.Decimal, s.DateTime)
"""What versions and cursors are."""
_SCHEMAS: list[tuple[dict[str, Any], list[Any]]] = [
    ({"not": {"type": "string"}}, [None, 0, Decimal("1.50"), [], {"a": "b"}]),
    ({"type": "array", "contains": {"type": "integer"}}, [[1], ["a", 10**20], [Decimal("0.1"), 2]]),
    ({"type": "object", "patternProperties": {"^x": {"type": "integer"}}}, [{}, {"x1": 3}, {"y": [Decimal("0.1")]}]),
    ({"if": {"type": "integer"}, "then": {"minimum": 0}}, [0, 7, "a", [-1]]),
]
"""Schemas that no typed shape expresses, and values of each."""
_TRIALS = [
    (s.Int(bits=8), s.Text()),
    (s.Uuid(), s.Date(), s.Text(length_max=5)),
    (s.Int(), s.Decimal(wire="number")),
]


def _takes_null(shape: s.Shape, types: s.Types) -> bool:
    match s.resolve(shape, types):
        case s.Null() | s.Nullable() | s.Anything():
            return True
        case s.Enum(values=values):
            return any(value.wire is None for value in values)
        case s.Union(arms=arms):
            return any(_takes_null(arm, types) for arm in arms)
        case _:
            return False


# Data that fits


def values_of(shape: s.Shape, types: s.Types) -> st.SearchStrategy[Any]:
    """Plain JSON data that fits a shape; numbers that must stay exact are Decimals."""
    return _values(shape, types)


@st.composite
def _values(draw: Draw, shape: s.Shape, types: s.Types) -> Any:
    return _plain(draw, shape, types, 3)


def _plain(draw: Draw, shape: s.Shape, types: s.Types, depth: int) -> Any:
    """One value; when `depth` is used up, the smallest that there is."""
    match shape:
        case s.Ref(name=name):
            return _plain(draw, types[name], types, depth - 1)
        case s.Nullable(shape=inner):
            return None if depth <= 0 or draw(st.booleans()) else _plain(draw, inner, types, depth)
        case s.List():
            least = shape.length_min or 0
            count = draw(st.integers(least, least if depth <= 0 else max(least, min(shape.length_max or 3, 3))))
            items = [_plain(draw, shape.item, types, depth - 1) for _ in range(count)]
            return _without_repeats(items) if shape.unique else items
        case s.Tuple(items=shapes):
            return [_plain(draw, item, types, depth) for item in shapes]
        case s.Map():
            count = 0 if depth <= 0 else draw(st.integers(0, min(shape.length_max or 3, 3)))
            names = [str(_plain(draw, shape.key, types, 1)) for _ in range(count)]
            return {name: _plain(draw, shape.value, types, depth - 1) for name in names}
        case s.Page(item=item):
            items = [_plain(draw, item, types, depth - 1)] if depth > 0 and draw(st.booleans()) else []
            return {"items": items} | draw(st.sampled_from([{}, {"next": None}, {"next": "c", "total": 3}]))
        case s.Record():
            present = [f for f in shape.fields if f.required or (depth > 0 and draw(st.booleans()))]
            return {field.name: _plain(draw, field.shape, types, depth - 1) for field in present}
        case s.Union():
            return _of_an_arm(draw, shape, types, depth)
        case s.Anything() | s.Json(schema=True):
            return draw(anything()) if depth > 0 else None
        case s.Json(schema=schema):
            return draw(st.sampled_from(next(values for known, values in _SCHEMAS if known == schema)))
        case _:
            return draw(scalar_values(shape))


def _without_repeats(items: list[Any]) -> list[Any]:
    while (index := first_repeat(items)) is not None:
        items = items[:index] + items[index + 1 :]
    return items


def _of_an_arm(draw: Draw, union: s.Union, types: s.Types, depth: int) -> Any:
    index = draw(st.integers(0, len(union.arms) - 1))
    if depth <= 0 and union.choose == "kind":
        # An arm that cannot lead back: a recursive alias has one.
        index = next((i for i, arm in enumerate(union.arms) if not isinstance(arm, s.Ref)), index)
    value = _plain(draw, union.arms[index], types, depth)
    return value | {union.tag_field: union.tags[index]} if union.choose == "tag" else value


def scalar_values(shape: s.Shape) -> st.SearchStrategy[Any]:
    """Plain data for a scalar shape."""
    match shape:
        case s.Null():
            return st.none()
        case s.Bool():
            return st.booleans()
        case s.Int():
            numbers = _ints(shape)
            return numbers.map(str) if shape.wire == "text" else numbers
        case s.Float():
            low = shape.minimum if shape.minimum is not None else -1e300
            high = math.nextafter(shape.exclusive_maximum, 0) if shape.exclusive_maximum is not None else 1e300
            return st.floats(low, high, allow_nan=False)
        case s.Decimal():
            numbers = _decimals(shape)
            return numbers.map(str) if shape.wire == "text" else numbers
        case s.Text(pattern=str() as pattern):
            return PATTERNS[pattern]
        case s.Text():
            least = shape.length_min or 0
            most = max(least, min(shape.length_max or 12, 12))
            return st.text(st.characters(exclude_categories=["Cs"]), min_size=least, max_size=most)
        case s.Bytes():
            octets = st.binary(min_size=shape.length_min or 0, max_size=min(shape.length_max or 8, 8))
            return octets.map(bytes.hex) if shape.encoding == "hex" else octets.map(msgspec.to_builtins)
        case s.Enum(values=values):
            listed = st.sampled_from([value.wire for value in values])
            return listed | TEXT if shape.open else listed
        case _:
            return _temporal(shape)


def _ints(shape: s.Int) -> st.SearchStrategy[int]:
    low, high = int_bounds(shape)
    step = shape.multiple_of or 1
    least = -(10**30) if low is None else low
    most = 10**30 if high is None else high
    return st.integers(-(-least // step), most // step).map(lambda number: number * step)


def _decimals(shape: s.Decimal) -> st.SearchStrategy[Decimal]:
    places = shape.scale if shape.scale is not None else 6
    low = Decimal(shape.minimum) if shape.minimum is not None else Decimal(-(10**6))
    high = Decimal(shape.exclusive_maximum) - Decimal("0.01") if shape.exclusive_maximum is not None else Decimal(10**6)
    return st.decimals(low, high, allow_nan=False, allow_infinity=False, places=places)


_FINER = {
    s.Time: {"naive": ("23:59:60", "00:00:00.1234567"), "aware": ("12:30:00.000000001-00:00",)},
    s.DateTime: {
        "naive": ("2024-02-29T23:59:60", "0000-01-01 00:00:00.1234567"),
        "aware": ("2016-12-31T23:59:60Z", "1999-12-31t23:59:59.123456789+05:30", "2024-01-01T00:00:00.272-00:00"),
    },
    s.Duration: {"": ("P1M", "P1Y2M3W4DT5H6M7.00000001S", "P1W", "-P0.5D")},
}
"""Times that Python's own types cannot hold, by zone."""


def _temporal(shape: s.Shape) -> st.SearchStrategy[Any]:
    plain = _python_time(shape)
    if not is_kept(shape):
        return plain
    by_zone = _FINER[type(shape)]
    zone = getattr(shape, "zone", "")
    return plain | st.sampled_from([text for own, texts in by_zone.items() if zone in (own, "any") for text in texts])


def _python_time(shape: s.Shape) -> st.SearchStrategy[Any]:
    offsets = st.integers(-14 * 60, 14 * 60).map(lambda m: datetime.timezone(datetime.timedelta(minutes=m)))
    match shape:
        case s.Date():
            return st.dates().map(str)
        case s.Uuid():
            return st.uuids().map(str)
        case s.Duration():
            return st.timedeltas(datetime.timedelta(-1000), datetime.timedelta(1000)).map(msgspec.to_builtins)
        case s.Time(zone=zone):
            naive = st.times(timezones=st.none())
            aware = st.times(timezones=st.just(datetime.UTC))
            return _zoned(zone, naive, aware).map(msgspec.to_builtins)
        case s.DateTime(wire="rfc3339", zone=zone):
            naive = st.datetimes(timezones=st.none())
            aware = st.datetimes(datetime.datetime(2, 1, 1), datetime.datetime(9998, 1, 1), timezones=offsets)
            return _zoned(zone, naive, aware).map(msgspec.to_builtins)
        case _:
            return st.integers(0, 4_000_000_000)


def _zoned(zone: str, naive: st.SearchStrategy[Any], aware: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return {"aware": aware, "naive": naive, "any": naive | aware}[zone]


def anything() -> st.SearchStrategy[Any]:
    """Any JSON data, with exact numbers."""
    numbers = st.decimals(-(10**6), 10**6, allow_nan=False, allow_infinity=False, places=3)
    leaves = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | numbers | TEXT
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=6
    )


def python_values(contract: Contract, values: Values) -> st.SearchStrategy[Any]:
    """Python values of a shape, as a handler would be given them."""
    if holds_octets(contract.shape, contract.types):
        return _octet_values(contract, values)
    return values_of(contract.shape, contract.types).map(values.codec(contract.shape).of_plain)


def holds_octets(part: s.Shape, types: s.Types) -> bool:
    """Whether a file or a raw body is in it, which has no form as plain data."""
    return any(isinstance(each, s.File | s.Raw) for each in s.reachable(part, types))


@st.composite
def _octet_values(draw: Draw, contract: Contract, values: Values) -> Any:
    match s.resolve(contract.shape, contract.types):
        case s.Nullable(shape=inner):
            return draw(st.none() | python_values(contract._replace(shape=inner), values))
        case s.File() as file:
            return draw(files(file))
        case s.Record(fields=fields) as record:
            present = [each for each in fields if each.required or draw(st.booleans())]
            members = {
                each.attribute: draw(python_values(contract._replace(shape=each.shape), values)) for each in present
            }
            return values.codec(record).type(**members)
        case _:
            return draw(st.binary(max_size=20))


FILE_NAMES = ("", "a.txt", 'a "1".png', "ünï.pdf", "日本.txt", "a;b=c, d.txt", "a%20b", "a\\b.txt", "...")


@st.composite
def files(draw: Draw, shape: s.File) -> File:
    """Files in memory, which may be read more than once; of some the size is not known before."""
    file = File.of(
        draw(st.binary(max_size=100)),
        name=draw(st.sampled_from(FILE_NAMES)),
        media_type=draw(st.sampled_from(shape.media_types or ("application/octet-stream", "text/plain;charset=utf-8"))),
    )
    return draw(st.sampled_from([file, msgspec.structs.replace(file, size=None)]))


# Data that does not fit

TRICKY: list[Any] = [
    None, True, False, 0, 1, -1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**25, 10**1001, 1.5,
    Decimal("1.0"), Decimal("0.001"), Decimal("1E+400"), Decimal("1E+5000"),
    "", "null", "true", "1", "1.0", "01", " 1_0 ", "NaN", "Infinity", "-0", "1e5", "٣", "a\n", "ABC", "red",
    "2024-02-30", "2024-01-01", "2024-01-01T00:00:00", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00.1234567Z",
    "2024-01-01T00:00:00.1234560Z", "24:00:00", "P1M", "PT1S", "YQ==", "YQ", "6G", "6a",
    "6a2f41a3-c54c-fce8-32d2-0324e1c32e22",
    [], [[]], [1, 1], [1, True], {}, {"kind": "cat"}, {"kind": 1}, {"k": None}, {"items": []},
]  # fmt: skip
"""Values at the edges of what the shapes accept."""


def nearly(plain: Any) -> st.SearchStrategy[Any]:
    """The data with one or two changes, which may or may not break its shape."""
    return _nearly(plain)


@st.composite
def _nearly(draw: Draw, plain: Any) -> Any:
    for _ in range(draw(st.integers(1, 2))):
        plain = draw(_changed(plain))
    return plain


@st.composite
def _changed(draw: Draw, plain: Any) -> Any:
    here = draw(st.integers(0, 3)) == 0
    if here or not isinstance(plain, list | dict) or not plain:
        if isinstance(plain, dict) and draw(st.booleans()):
            return plain | {draw(st.sampled_from(WIRE_NAMES)): draw(st.sampled_from(TRICKY))}
        return draw(st.sampled_from(TRICKY))
    if isinstance(plain, list):
        index = draw(st.integers(0, len(plain) - 1))
        if draw(st.integers(0, 4)) == 0:
            return [*plain, plain[index]]
        return [*plain[:index], draw(_changed(plain[index])), *plain[index + 1 :]]
    name = draw(st.sampled_from(sorted(plain)))
    rest = {key: value for key, value in plain.items() if key != name}
    return rest if draw(st.integers(0, 2)) == 0 else rest | {name: draw(_changed(plain[name]))}


# Operations


class ServedOperation(NamedTuple):
    """An operation, and the named types that it may refer to."""

    operation: Operation
    types: dict[str, s.Shape]


def operations(*, depth: int = 1) -> st.SearchStrategy[ServedOperation]:
    """Operations without bindings: an input record, an output, declared faults, flags."""
    return _operations(depth)


@st.composite
def _operations(draw: Draw, depth: int) -> ServedOperation:
    contract = draw(contracts(depth=depth))
    maker = _Maker(draw, awkward=True)
    maker.types = contract.types
    names = draw(st.lists(st.sampled_from(["OutOfStock", "Blocked"]), max_size=2, unique=True))
    safe = draw(st.booleans())
    record = maker.record(depth)
    operation = Operation(
        name="operate",
        # A parameter without a name is one that protocols refuse.
        input=msgspec.structs.replace(record, fields=tuple(each for each in record.fields if each.name), extras="drop"),
        output=contract.shape,
        faults=tuple(_declared(maker, name) for name in names),
        safe=safe,
        idempotent=safe or draw(st.booleans()),
    )
    return ServedOperation(operation, contract.types)


def _declared(maker: _Maker, name: str) -> DeclaredFault:
    data = maker.pick(None, maker.record(0), maker.shape(0))
    return DeclaredFault(name=name, kind=maker.pick("conflict", "rejected", "not_found"), data=data)
