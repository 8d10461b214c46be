"""What must hold of every shape: reading and writing are duals, and every refusal is explained."""

from __future__ import annotations

import decimal
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from entrepot.model import shape as s
from entrepot.model.fault import Fault
from entrepot.shapes.explain import explain
from entrepot.shapes.values import Values
from support.strategies import Contract, anything, contracts, nearly, values_of

write = msgspec.json.Encoder(decimal_format="number").encode
read = msgspec.json.Decoder(float_hook=decimal.Decimal).decode
law = settings(
    max_examples=300,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)


@given(st.data(), contracts())
@law
def test_a_value_survives_being_written_and_read(data: st.DataObject, contract: Contract) -> None:
    note(f"{contract}")
    plain = data.draw(values_of(contract.shape, contract.types))
    codec = Values(contract.types).codec(contract.shape)
    value = codec.decode(write(plain))
    assert codec.decode(codec.encode(value)) == value
    assert codec.decode_trusted(codec.encode(value)) == value


@given(st.data(), contracts())
@law
def test_plain_data_and_values_are_duals(data: st.DataObject, contract: Contract) -> None:
    note(f"{contract}")
    plain = data.draw(values_of(contract.shape, contract.types))
    codec = Values(contract.types).codec(contract.shape)
    value = codec.of_plain(plain)
    assert value == codec.decode(write(plain))
    assert read(write(codec.to_plain(value))) == read(codec.encode(value))
    assert codec.of_plain(codec.to_plain(value)) == value
    assert codec.accepts(value)


@given(st.data(), contracts())
@law
def test_an_issue_is_found_exactly_when_reading_refuses(data: st.DataObject, contract: Contract) -> None:
    note(f"{contract}")
    fitting = data.draw(values_of(contract.shape, contract.types))
    plain = data.draw(nearly(fitting) | anything())
    codec = Values(contract.types).codec(contract.shape)
    written = write(plain)
    issues = explain(contract.shape, read(written), contract.types)
    assert bool(issues) == refuses(codec.decode, written), issues
    assert bool(issues) == refuses(codec.decode_trusted, written), issues
    assert bool(issues) == refuses(codec.of_plain, plain), issues


@given(st.data(), contracts())
@law
def test_a_value_that_is_put_together_without_msgspec_is_the_same(data: st.DataObject, contract: Contract) -> None:
    note(f"{contract}")
    plain = data.draw(values_of(contract.shape, contract.types))
    first, values = Values(contract.types), Values(contract.types)
    assembled = first.assembled(contract.shape, plain)
    codec = values.codec(contract.shape)
    assert assembled == codec.of_plain(plain)
    assert type(assembled) is type(codec.of_plain(plain))
    assert codec.encode(assembled) == first.codec(contract.shape).encode(codec.of_plain(plain))


@given(st.data(), contracts())
@law
def test_a_repeated_name_is_found_however_the_text_is_written(data: st.DataObject, contract: Contract) -> None:
    note(f"{contract}")
    plain = data.draw(values_of(contract.shape, contract.types) | anything())
    codec = Values(contract.types).codec(contract.shape)
    once = spelt(data, plain, None)
    objects = [] if refuses(codec.decode, once) else list(objects_in(plain))
    if objects:
        assert codec.decode(once) == codec.decode(write(plain))
        twice = spelt(data, plain, data.draw(st.sampled_from(objects)))
        note(f"{twice!r}")
        with pytest.raises(Fault) as fault:
            codec.decode(twice)
        assert {issue.code for issue in fault.value.issues} == {"duplicate"}


def objects_in(plain: Any) -> Iterator[dict[str, Any]]:
    """The objects that have members."""
    if isinstance(plain, dict) and plain:
        yield plain
    for part in plain.values() if isinstance(plain, dict) else plain if isinstance(plain, list) else ():
        yield from objects_in(part)


def spelt(data: st.DataObject, plain: Any, twice: Any) -> bytes:
    """The plain data as somebody may write it; the object `twice` has its first member two times."""
    colon, comma = data.draw(st.sampled_from([(b":", b","), (b" : ", b" ,\n"), (b": ", b", ")]))
    escapes = data.draw(st.booleans())

    def text(value: Any) -> bytes:
        return json.dumps(value).encode() if escapes and isinstance(value, str) else write(value)

    def spell(value: Any) -> bytes:
        if isinstance(value, dict):
            members = [text(name) + colon + spell(each) for name, each in value.items()]
            return b"{" + comma.join(members + members[:1] if value is twice else members) + b"}"
        return b"[" + comma.join(map(spell, value)) + b"]" if isinstance(value, list) else text(value)

    return spell(plain)


def refuses(reader: Any, data: Any) -> bool:
    try:
        reader(data)
    except Fault as fault:
        return bool(fault.issues)
    return False


@pytest.mark.parametrize("data", [b"", b"{", b"nul", b"\xff", b'"\xff"', b'{"a":1}x', b"[1,]", b"NaN", b"'a'"])
def test_what_is_not_json_is_malformed(data: bytes) -> None:
    with pytest.raises(Fault) as caught:
        Values({}).codec(s.Anything()).decode(data)
    assert caught.value.kind == "malformed"
    assert [issue.code for issue in caught.value.issues] in (["syntax"], ["encoding"])


@given(contracts(), st.data())
@law
def test_no_bytes_make_more_than_a_fault(contract: Contract, data: st.DataObject) -> None:
    written = write(data.draw(values_of(contract.shape, contract.types)))
    cut = data.draw(st.integers(0, len(written)))
    strange = data.draw(st.binary(max_size=8) | st.sampled_from([b'"', b"[", b"{", b":", b"\\u003a", b"1e999999999"]))
    codec = Values(contract.types).codec(contract.shape)
    for broken in (written[:cut] + strange + written[cut:], strange, written[:cut] + strange):
        refuses(codec.decode, broken)
        refuses(codec.decode_trusted, broken)
