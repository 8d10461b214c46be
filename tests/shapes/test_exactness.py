"""Nothing changes on its way, and nothing that would have to change is let in."""

from __future__ import annotations

import datetime
import subprocess
import sys
import textwrap
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from entrepot.kit.limits import Limits
from entrepot.model import shape as s
from entrepot.model.fault import Fault
from entrepot.shapes import guard
from entrepot.shapes import text as bare
from entrepot.shapes.values import Codec, Values

ORDER = s.Record(
    fields=(
        s.Field(name="id", shape=s.Int()),
        s.Field(name="price", shape=s.Decimal(), required=False),
        s.Field(name="rate", shape=s.Decimal(wire="number"), required=False),
        s.Field(name="at", shape=s.DateTime(), required=False),
        s.Field(name="seen", shape=s.DateTime(wire="unix"), required=False),
        s.Field(name="count", shape=s.Int(bits=64, wire="text"), required=False),
        s.Field(name="hash", shape=s.Bytes(encoding="hex"), required=False),
        s.Field(name="note", shape=s.Nullable(shape=s.Text()), required=False),
        s.Field(name="any", shape=s.Anything(), required=False),
    )
)


def codec(shape: s.Shape, **types: s.Shape) -> Codec:
    return Values(types).codec(shape)


def issues_of(shape: s.Shape, data: bytes, limits: Limits | None = None) -> list[tuple[str, str]]:
    with pytest.raises(Fault) as caught:
        Values({}, limits=limits or Limits()).codec(shape).decode(data)
    return [(issue.pointer, issue.code) for issue in caught.value.issues]


@pytest.mark.parametrize(
    "data",
    [
        b'{"id":1,"price":"10.50"}',
        b'{"id":1,"price":"0.10000000000000000000000000000000000001"}',
        b'{"id":1,"rate":1.10}',
        b'{"id":1,"rate":100000000000000000000000.000000000001}',
        b'{"id":123456789012345678901234567890}',
        b'{"id":1,"count":"9223372036854775807"}',
        b'{"id":1,"at":"2024-01-01T12:30:00.123456+05:30"}',
        b'{"id":1,"seen":1700000000}',
        b'{"id":1,"seen":1700000000.250000}',
        b'{"id":1,"hash":"00ff10"}',
        b'{"id":1,"note":null}',
        b'{"id":1}',
        b'{"id":1,"any":{"deep":[1.10,1E+400,123456789012345678901]}}',
        b'{"id":1,"price":"1.10","rate":1.10,"any":1.10}',
    ],
)
def test_a_value_is_written_as_it_was_read(data: bytes) -> None:
    order = codec(ORDER)
    assert order.encode(order.decode(data)) == data
    assert order.encode(order.of_plain(order.to_plain(order.decode(data)))) == data


def test_values_are_plain_python() -> None:
    value = codec(ORDER).decode(b'{"id":1,"count":"7","seen":0,"hash":"0a","rate":2}')
    assert value.count == 7
    assert value.seen == datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    assert value.hash == b"\n"
    assert value.rate == Decimal(2)
    assert value.price is msgspec.UNSET


def test_a_value_made_by_hand_is_written_like_one_that_was_read() -> None:
    order = codec(ORDER)
    moment = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    made = order.type(id=1, price=Decimal("1.10"), rate=Decimal("1.10"), seen=moment, count=2**62, hash=b"\xff")
    written = b'{"id":1,"price":"1.10","rate":1.10,"seen":1704067200,"count":"4611686018427387904","hash":"ff"}'
    assert order.encode(made) == written


@pytest.mark.parametrize(
    ("data", "pointer", "code"),
    [
        (b'{"id":1.5}', "/id", "type"),
        (b'{"id":1e999999}', "/id", "number_form"),
        (b'{"id":1,"price":"1e500"}', "/price", "number_form"),
        (b'{"id":"1"}', "/id", "type"),
        (b'{"id":true}', "/id", "type"),
        (b'{"id":null}', "/id", "null"),
        (b'{"id":1,"price":10.5}', "/price", "type"),
        (b'{"id":1,"price":"NaN"}', "/price", "number_form"),
        (b'{"id":1,"price":" 1_0 "}', "/price", "number_form"),
        ('{"id":1,"price":"٣"}'.encode(), "/price", "number_form"),
        (b'{"id":1,"price":"1e999999999"}', "/price", "number_form"),
        (b'{"id":1,"rate":"1.5"}', "/rate", "type"),
        (b'{"id":1,"rate":1e300000}', "/rate", "number_form"),
        (b'{"id":1,"any":[1e300000]}', "/any/0", "number_form"),
        (b'{"id":1,"any":1e-300000}', "/any", "number_form"),
        (b'{"id":1,"at":"2024-01-01T00:00:00"}', "/at", "format"),
        (b'{"id":1,"at":"2024-01-01T00:00:00.1234567Z"}', "/at", "format"),
        (b'{"id":1,"at":"2024-01-01T00:00:60Z"}', "/at", "format"),
        (b'{"id":1,"seen":1e20}', "/seen", "range"),
        (b'{"id":1,"seen":0.0000001}', "/seen", "format"),
        (b'{"id":1,"count":"9223372036854775808"}', "/count", "range"),
        (b'{"id":1,"count":7}', "/count", "type"),
        (b'{"id":1,"hash":"0"}', "/hash", "encoding"),
    ],
)
def test_what_would_have_to_change_is_refused(data: bytes, pointer: str, code: str) -> None:
    assert issues_of(ORDER, data) == [(pointer, code)]


def test_a_fraction_beyond_microseconds_is_let_in_when_nothing_is_lost() -> None:
    at = codec(s.DateTime()).decode(b'"2024-01-01T00:00:00.1234560000Z"')
    assert at.microsecond == 123456


def test_a_long_fraction_in_a_text_is_nobodys_business() -> None:
    shape = s.Record(fields=(s.Field(name="t", shape=s.Text()), s.Field(name="at", shape=s.DateTime())))
    assert codec(shape).decode(b'{"t":"0.12345678","at":"2024-01-01T00:00:00Z"}').t == "0.12345678"


def test_absent_and_null_are_two_things() -> None:
    shape = s.Record(
        fields=(
            s.Field(name="a", shape=s.Nullable(shape=s.Int())),
            s.Field(name="b", shape=s.Int(), required=False),
            s.Field(name="c", shape=s.Nullable(shape=s.Int()), required=False),
        )
    )
    assert issues_of(shape, b"{}") == [("/a", "missing")]
    assert issues_of(shape, b'{"a":1,"b":null}') == [("/b", "null")]
    absent, null = codec(shape).decode(b'{"a":null}'), codec(shape).decode(b'{"a":null,"c":null}')
    assert (absent.c, null.c) == (msgspec.UNSET, None)
    assert codec(shape).to_plain(absent) == {"a": None}


def test_an_authors_default_is_filled_in_and_a_mutable_one_is_not_shared() -> None:
    field = s.Field(name="tags", shape=s.List(item=s.Text()), required=False, default=[])
    record = codec(s.Record(fields=(field,)))
    first, second = record.decode(b"{}"), record.decode(b"{}")
    first.tags.append("x")
    assert second.tags == []
    assert issues_of(s.Record(fields=(field,)), b'{"tags":null}') == [("/tags", "null")]


def test_a_rule_holds_at_every_depth_of_a_recursive_type() -> None:
    node = s.Record(
        fields=(
            s.Field(name="tags", shape=s.List(item=s.Int(), unique=True), required=False),
            s.Field(name="big", shape=s.Int(maximum=2**70), required=False),
            s.Field(name="inner", shape=s.List(item=s.Ref(name="Node")), required=False),
        )
    )
    nodes = codec(s.Ref(name="Node"), Node=node)
    nodes.decode(b'{"inner":[{"inner":[{"tags":[1,2],"big":1180591620717411303424}]}]}')
    for inner in (b'"tags":[1,1]', b'"big":1180591620717411303425'):
        with pytest.raises(Fault):
            nodes.decode(b'{"inner":[{"inner":[{' + inner + b"}]}]}")


def test_kept_members_are_written_back_beside_the_named_ones() -> None:
    fields = (s.Field(name="extras", shape=s.Int()),)
    kept = codec(s.Record(fields=fields, extras="keep", extra=s.Decimal()))
    data = b'{"extras":1,"a":"1.10","b c":"2"}'
    value = kept.decode(data)
    assert (value.extras, value.extras_) == (1, {"a": Decimal("1.10"), "b c": Decimal(2)})
    assert kept.encode(value) == data
    assert isinstance(value, kept.type)


@pytest.mark.parametrize("number", [b"1e400", b"1E+309", b"9" * 400, b"9" * 400 + b".0"])
def test_a_number_beyond_64_bits_is_no_float_wherever_it_stands(number: bytes) -> None:
    record = s.Record(fields=(s.Field(name="f", shape=s.Float()),))
    other = s.Record(fields=(s.Field(name="g", shape=s.Float()),))
    kept = s.Record(fields=record.fields, extras="keep", extra=s.Float())
    for shape in (
        record,
        kept,
        s.Union(arms=(record, other), choose="keys"),
        s.Union(arms=(record, other), choose="trial"),
    ):
        for data in (b'{"f":' + number + b"}", b'{"f" : ' + number + b"}"):
            with pytest.raises(Fault):
                codec(shape).decode(data)
            with pytest.raises(Fault):
                codec(shape).decode_trusted(data)
    assert issues_of(kept, b'{"f":1,"x":' + number + b"}") == [("/x", "number_form")]


def test_the_tag_of_a_union_of_one_is_asked_for() -> None:
    arm = s.Record(fields=(s.Field(name="a", shape=s.Int()),))
    union = s.Union(arms=(arm,), choose="tag", tag_field="kind", tags=("x",))
    assert codec(union).decode(b'{"kind":"x","a":1}').a == 1
    assert issues_of(union, b'{"a":1}') == [("/kind", "missing")]


# JSON text


@pytest.mark.parametrize(
    ("data", "pointers"),
    [
        (b'{"id":1,"id":2}', ["/id"]),
        (b'{"id":1,"\\u0069d":2}', ["/id"]),
        (b'{"id":1,"any":{"a":{"b":1,"b":1}}}', ["/any/a/b"]),
        (b'{"id":1,"any":[{"x":":"},{"x":1,"x":":"}]}', ["/any/1/x"]),
        (b'{"id":1,"any":"\\u003a","any":1}', ["/any"]),
        (b'{"id":1,"unknown":1,"unknown":1}', ["/unknown"]),
        (b'{"id":1,"at":"2024-01-01T00:00:00+0200","id":1}', ["/id"]),
        (b'{"id":1,"a\\"b":1,"a\\"b":1}', ['/a"b']),
        (b'{":k":1,":k":2,"id":1}', ["/:k"]),
    ],
)
def test_a_repeated_name_is_refused_with_its_place(data: bytes, pointers: list[str]) -> None:
    assert issues_of(ORDER, data) == [(pointer, "duplicate") for pointer in pointers]


@pytest.mark.parametrize(
    "data", [b'{"id":1,"any":[{"a":1},{"a":1}]}', b'{"id":1,"any":"\\u003a"}', b'{"id":1,"any":"id:id:id"}']
)
def test_a_name_in_two_objects_is_no_repetition(data: bytes) -> None:
    codec(ORDER).decode(data)


def test_of_a_trusted_reply_the_last_of_a_repeated_name_wins() -> None:
    assert codec(ORDER).decode_trusted(b'{"id":1,"id":2}').id == 2


@pytest.mark.parametrize("text", [b'"[[[["', b'"]]"', b'"\\"[["'])
@pytest.mark.parametrize("levels", [1, 63, 64, 65, 200])
def test_depth_is_counted_exactly(text: bytes, levels: int) -> None:
    data = b"[" * levels + text + b"]" * levels
    assert guard.depth(data) == levels
    if levels <= 64:
        codec(s.Anything()).decode(data)
    else:
        assert issues_of(s.Anything(), data) == [("", "depth")]


def test_many_brackets_are_not_depth() -> None:
    codec(s.List(item=s.List(item=s.Int()))).decode(b"[" + b",".join([b"[1]"] * 1000) + b"]")


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 2000 + b"]" * 2000])
def test_endless_nesting_is_a_fault_and_no_crash(data: bytes) -> None:
    for shape in (s.Anything(), ORDER, s.List(item=s.Int())):
        with pytest.raises(Fault):
            codec(shape).decode(data)


@pytest.mark.parametrize("digits", [999, 1000, 1001, 4301, 100_000])
def test_endless_numbers_are_refused(digits: int) -> None:
    for number, shape in ((b"9" * digits, s.Int()), (b"1." + b"9" * (digits - 1), s.Decimal(wire="number"))):
        if digits <= 1000:
            codec(shape).decode(number)
        else:
            assert issues_of(shape, number) == [("", "number_form")]


def test_a_long_text_of_digits_is_text() -> None:
    assert len(codec(s.Text()).decode(b'"' + b"9" * 5000 + b'"')) == 5000


@pytest.mark.parametrize(
    "data", [b'"\xff"', b'{"\xff":1}', b'{"unknown":"\xff","id":1}', b'"\xed\xa0\x80"', b"\xef\xbb\xbf1"]
)
def test_broken_utf8_is_malformed(data: bytes) -> None:
    for shape in (s.Anything(), ORDER, s.Text()):
        with pytest.raises(Fault) as caught:
            codec(shape).decode(data)
        assert caught.value.kind in ("malformed", "invalid")
    with pytest.raises(Fault) as caught:
        codec(s.Anything()).decode(data)
    assert caught.value.kind == "malformed"


# What msgspec does, on which all of this rests


def test_msgspec_is_never_given_a_pattern_beside_an_array() -> None:
    """msgspec 0.22 frees memory twice for such a union: rebuilt often, it would kill this process."""
    program = """
        import gc
        from entrepot.model import shape as s
        from entrepot.shapes.values import Values
        text = s.Text(pattern="^a+$")
        for arm in (s.List(item=s.Int()), s.Map(value=s.Int()), s.Record(fields=()), s.Tuple(items=(s.Int(),))):
            for union in (s.Union(arms=(text, arm)), s.Union(arms=(s.Nullable(shape=text), arm))):
                for _ in range(200):
                    codec = Values({"T": s.Record(fields=(s.Field(name="u", shape=union),))}).codec(s.Ref(name="T"))
                    codec.decode(b'{"u":"aaa"}')
                    codec.of_plain({"u": "aaa"})
                    del codec
                    gc.collect() if _ % 50 == 0 else None
        try:
            Values({}).codec(union).decode(b'"b"')
        except Exception as fault:
            print(fault.issues[0].code)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "pattern\n"), done.stderr


@pytest.mark.parametrize(
    "escaped", [rb"0.1234567\u0053", rb"0\u002e1234567S", rb"0.123456\u0037S", rb"0\u002C1234567S"]
)
def test_a_duration_that_is_written_with_escapes_is_not_rounded(escaped: bytes) -> None:
    duration = Values({}).codec(s.Duration())
    for decode in (duration.decode, duration.decode_trusted):
        with pytest.raises(Fault) as fault:
            decode(b'"PT' + escaped + b'"')
        assert fault.value.issues[0].code == "format"


def test_escapes_that_some_libraries_always_write_are_no_reason_to_read_twice() -> None:
    assert not guard.may_cut_time(rb'{"text":"a \u0026 b \u003c c \u003e.","at":"2024-01-01T00:00:00.5Z"}')


def test_msgspec_is_never_given_a_tuple_beside_what_has_bounds() -> None:
    """msgspec 0.22 takes a bound for a type there, and the next collection of garbage kills the process."""
    program = """
        import gc
        from entrepot.model import shape as s
        from entrepot.shapes.values import Values
        pair = s.Tuple(items=(s.Int(), s.Text()))
        arms = [s.Int(minimum=1), s.Text(length_max=2), s.Text(pattern="^a"), s.Float(minimum=0.5)]
        arms += [s.Bytes(length_max=9), s.Map(value=s.Int(), length_max=3), s.Int(bits=8)]
        arms += [s.Nullable(shape=s.Int(minimum=1)), s.Text()]
        for arm in arms:
            for union in (s.Union(arms=(pair, arm)), s.Union(arms=(arm, s.Nullable(shape=pair)))):
                values = Values({"T": s.Record(fields=(s.Field(name="u", shape=union, required=False),))})
                codecs = [values.codec(union), values.codec(s.Ref(name="T"))]
                codecs[0].decode(b'[1,"x"]')
                codecs[1].decode(b'{"u":[1,"x"]}')
                gc.collect()
        print("alive")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr


@pytest.mark.parametrize("data", [b"1.0", b"1e2", b"1E400"])
def test_msgspec_takes_no_other_number_for_an_integer(data: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(data, type=int)


def test_msgspec_calls_the_hook_for_a_type_of_ours_and_asks_nothing_of_its_answer() -> None:
    value = codec(s.List(item=s.Decimal(wire="number"))).decode(b"[0, 0.0, 1]")
    assert value == [Decimal(0), Decimal("0.0"), Decimal(1)]
    assert [type(item) for item in value] == [Decimal] * 3


def test_equal_shapes_share_a_codec_and_unequal_ones_that_python_thinks_equal_do_not() -> None:
    values = Values({})
    assert values.codec(s.Int(bits=8)) is values.codec(s.Int(bits=8))
    one, true = s.Enum(values=(s.EnumValue(1),)), s.Enum(values=(s.EnumValue(True),))
    assert one == true
    assert values.codec(one).decode(b"1") == 1
    assert values.codec(true).decode(b"true") is True


def test_a_contract_that_is_loaded_again_makes_no_new_classes() -> None:
    before, after = Values({"Order": ORDER}), Values({"Order": ORDER})
    assert before.codec(s.Ref(name="Order")).type is after.codec(s.Ref(name="Order")).type
    assert Values({"Order": ORDER}, {"Order": dict}).codec(s.Ref(name="Order")).type is dict


@pytest.mark.parametrize("shape", [s.File(), s.Raw(), s.List(item=s.File())])
def test_what_has_no_json_form_says_so(shape: s.Shape) -> None:
    values = Values({}).codec(s.Record(fields=(s.Field(name="f", shape=shape),)))
    assert values.type(f=None).f is None
    attempts: list[Any] = ["decode", "encode", "of_plain", "to_plain", "decode_trusted"]
    for attempt in attempts:
        with pytest.raises(TypeError, match="no JSON form"):
            getattr(values, attempt)


def test_a_value_of_a_union_is_written_as_the_arm_that_it_can_be_of() -> None:
    kept = s.Record(fields=(), extras="keep")
    pair = s.Tuple(items=(s.Text(), kept))
    for arms in ((pair, s.Json(schema={"minItems": 0})), (s.Json(schema={"minItems": 0}), pair)):
        codec = Values({}).codec(s.Union(arms=arms, choose="trial"))
        for written in (b"[]", b"[1,2,3]", b'{"a":1}'):
            assert codec.encode(codec.decode(written)) == written
    codec = Values({}).codec(s.Union(arms=(pair, s.List(item=s.Int(wire="text"))), choose="trial"))
    for written in (b'["x",{"a":1}]', b'["7","8"]'):
        assert codec.encode(codec.decode(written)) == written


KEPT = {
    s.DateTime(precision="any"): (
        "2024-01-01T00:00:00.1234567Z",
        "2024-01-01T00:00:00.272Z",
        "2024-01-01T00:00:00.000000000000000000001-00:00",
        "2016-12-31T23:59:60Z",
        "2024-02-29t12:30:00+0530",
        "0000-01-01 00:00:00z",
    ),
    s.DateTime(zone="naive", precision="any"): ("2024-01-01T00:00:00.1234567",),
    s.Time(zone="any", precision="any"): ("23:59:60", "12:30:00.1234567+01:00"),
    s.Duration(precision="any"): ("P1M", "P1Y2M3W4DT5H6M7.00000001S", "P1W", "-PT0.5S", "P0D", "pt1h"),
}
NO_TIME = {
    s.DateTime(precision="any"): (
        "2024-01-01T00:00:00",
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2024-04-31T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:61Z",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00Z\n",
        "2024-01-01T00:00:00+24:00",
        "٢024-01-01T00:00:00Z",
        "",
    ),
    s.DateTime(zone="naive", precision="any"): ("2024-01-01T00:00:00Z",),
    s.Time(zone="aware", precision="any"): ("12:30:00", "12:30Z"),
    s.Duration(precision="any"): ("P", "PT", "P1", "1D", "P1DT", "P1H", "PT1D", "P1D2W"),
}


@pytest.mark.parametrize(("shape", "text"), [(shape, text) for shape, texts in KEPT.items() for text in texts])
def test_a_time_of_any_precision_is_kept_to_the_letter(shape: s.Shape, text: str) -> None:
    times, data = codec(shape), msgspec.json.encode(text)
    assert times.decode(data) == times.decode_trusted(data) == times.of_plain(text) == text
    assert times.encode(times.decode(data)) == data
    assert times.accepts(text)
    assert bare.reader(shape, {})(text) == text
    assert bare.writer(shape, {})(text) == text


@pytest.mark.parametrize(("shape", "text"), [(shape, text) for shape, texts in NO_TIME.items() for text in texts])
def test_what_has_not_the_form_of_a_time_is_refused(shape: s.Shape, text: str) -> None:
    assert issues_of(shape, msgspec.json.encode(text)) == [("", "format")]


def test_a_kept_time_may_share_a_union_with_anything() -> None:
    times = codec(s.Union(arms=(s.DateTime(precision="any"), s.List(item=s.Int()), s.Tuple(items=(s.Int(), s.Int())))))
    assert times.decode(b'"2024-01-01T00:00:00.1234567Z"') == "2024-01-01T00:00:00.1234567Z"
    assert issues_of(times.shape, b'"yesterday"') == [("", "format")]


@pytest.mark.parametrize("width", range(38, 90))
def test_records_that_repeat_themselves_are_not_taken_for_an_endless_number(width: int) -> None:
    """A sample of every so many bytes may hit digits alone."""
    data = b"[" + b",".join(b'{"at":"2024-01-31T12:30:00.123456Z"}'.ljust(width) for _ in range(200)) + b"]"
    assert not guard.may_have_endless_numbers(data, Limits())
    assert not guard.may_overflow(data)


@pytest.mark.parametrize("number", [b"1" * 1001, b"1" * 501 + b"." + b"2" * 500, b"0." + b"3" * 1001])
def test_an_endless_number_is_found_wherever_it_stands(number: bytes) -> None:
    for before in range(0, 200, 7):
        assert guard.may_have_endless_numbers(b"[" + b" " * before + number + b"]", Limits())
