"""What every protocol tells of a fault, and how it reads what an upstream tells."""

from __future__ import annotations

import logging
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.kit.limits import Limits
from entrepot.model import shape as s
from entrepot.model.fault import KINDS, DeclaredFault, Fault, Issue
from entrepot.model.faults import Internal, Invalid, NotFound, RateLimited
from entrepot.model.operation import Operation
from entrepot.ports.faults import (
    POINTER_LENGTH_MAX,
    TEXT_LENGTH_MAX,
    FaultReader,
    encode_members,
    members_of,
    read_members,
)
from entrepot.shapes.values import Values

LEFT = s.Record(fields=(s.Field(name="left", shape=s.Decimal(wire="number")),))
BUY = Operation(
    name="buy", faults=(DeclaredFault(name="Sold", kind="conflict", data=LEFT), DeclaredFault(name="Closed"))
)
VALUES = Values({})
READER = FaultReader(BUY, VALUES, "bank")


def sold(left: object) -> Fault:
    data = VALUES.codec(LEFT).type(left=left)
    return Fault.of("conflict", "few", name="Sold", data=data)


def test_a_declared_fault_is_told_with_its_name_and_data_and_nothing_empty():
    about = members_of(sold(Decimal("1.10")), "t", BUY, VALUES)
    assert about.declared is BUY.faults[0]
    assert (about.text, about.beside_text) == (
        "few",
        {"kind": "conflict", "name": "Sold", "data": {"left": Decimal("1.10")}, "trace_id": "t"},
    )
    assert b'"data":{"left":1.10}' in encode_members(about.members)


def test_the_title_stands_in_for_a_detail():
    assert members_of(NotFound()).text == "There is no such thing"
    assert "detail" not in members_of(NotFound()).members


def test_what_is_not_declared_is_told_by_its_kind():
    assert members_of(sold(1), "", Operation(name="other"), VALUES).members.keys() == {"kind", "title", "detail"}


def test_what_went_wrong_inside_is_not_told():
    assert "1234" not in str(members_of(Internal("the password is 1234"), "t"))


def test_data_that_cannot_be_written_is_a_failure_of_ours(caplog):
    with caplog.at_level(logging.ERROR, "entrepot.faults"):
        about = members_of(sold(object()), "t", BUY, VALUES)
    assert (about.kind, about.declared) == ("internal", None)
    assert about.members == {"kind": "internal", "title": "The service failed", "trace_id": "t"}
    assert caplog.records[0].trace_id == "t"


def test_a_detail_that_is_no_text_is_told_as_text():
    assert members_of(NotFound(404)).text == "404"


def test_no_more_issues_are_told_than_the_limits_say():
    issues = tuple(Issue(f"/{index}", "type", "is wrong") for index in range(30))
    assert len(members_of(Invalid(issues=issues), "", BUY, VALUES).members["errors"]) == 20
    strict = Values({}, limits=Limits(issues_max=3))
    assert len(members_of(Invalid(issues=issues), "", BUY, strict).members["errors"]) == 3


def test_long_texts_are_cut_and_a_long_pointer_names_what_is_around_its_place():
    issue = Issue("/order/" + "x" * POINTER_LENGTH_MAX, "unknown", "m" * (TEXT_LENGTH_MAX + 1))
    exact = Issue("/" + "x" * (POINTER_LENGTH_MAX - 1), "type", "m" * TEXT_LENGTH_MAX)
    members = members_of(Invalid("d" * 10 * TEXT_LENGTH_MAX, issues=(issue, exact))).members
    long, whole = members["errors"]
    assert len(members["detail"]) == len(long["message"]) == TEXT_LENGTH_MAX
    assert long["pointer"] == "/order"
    assert whole == {"pointer": exact.pointer, "code": "type", "message": exact.message}


@pytest.mark.parametrize("delay", [float("inf"), float("nan"), -1, 1e9, True, "5"])
def test_a_delay_that_makes_no_sense_is_not_told(delay):
    assert "retry_after" not in members_of(RateLimited(retry_after=delay)).members
    assert FaultReader(BUY, VALUES, "bank").read({"kind": "rate_limited", "retry_after": delay}).retry_after is None


@pytest.mark.parametrize(("text", "expected"), [(b"[]", None), (b"{", None), (b"\xff", None), (b"{}", {})])
def test_members_are_read_from_an_object_alone(text, expected):
    assert read_members(text) == expected


def test_a_text_that_is_the_kinds_title_is_no_detail():
    assert READER.read({"kind": "not_found"}, "There is no such thing").detail == ""
    assert READER.read({"kind": "not_found"}, "no product 7").detail == "no product 7"
    assert READER.read({"kind": "not_found", "detail": "gone"}, "no product 7").detail == "gone"


def test_a_failure_that_no_caller_is_to_blame_for_names_the_upstream():
    assert READER.read({"kind": "timeout"}).upstream == "bank"
    assert READER.read({"kind": "timeout", "upstream": "vault"}).upstream == "vault"
    assert READER.read({"kind": "invalid"}).upstream == ""


def test_data_outside_its_contract_is_the_upstreams_failure():
    fault = READER.read({"kind": "conflict", "name": "Sold", "data": {"left": []}})
    assert (fault.kind, fault.upstream, fault.issues[0].pointer) == ("upstream_failed", "bank", "/left")
    assert READER.read({"kind": "conflict", "name": "Sold"}).kind == "upstream_failed"


def test_members_without_a_kind_of_ours_tell_nothing_by_themselves():
    assert READER.read({"kind": "odd"}) is None
    assert READER.read({"kind": []}) is None
    assert READER.of_kind("rejected", {"kind": "odd"}, "no").detail == "no"


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(
    kind=st.sampled_from(sorted(set(KINDS) - {"internal"})),
    detail=TEXTS,
    issues=st.lists(st.builds(Issue, TEXTS, TEXTS, TEXTS), max_size=3),
    delay=st.none() | st.floats(0, 1e8),
)
def test_what_is_told_is_what_is_read(kind, detail, issues, delay):
    fault = Fault.of(kind, detail, issues=tuple(issues), retry_after=delay, upstream="vault")
    read = READER.read(read_members(encode_members(members_of(fault).members)))
    assert [getattr(read, name) for name in ("kind", "detail", "issues", "retry_after", "upstream")] == [
        kind, detail, fault.issues, delay, "vault",
    ]  # fmt: skip


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(-9, 9, allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["kind", "name", "errors", "data", "retry_after", "upstream", "pointer"]), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["name", "errors", "data", "retry_after", "upstream", "detail"]), JUNK))
def test_any_members_give_a_fault(members):
    for fault in (READER.of_kind("rejected", members), READER.read(members | {"kind": "conflict", "name": "Sold"})):
        assert fault.kind in KINDS
        assert isinstance(fault.detail, str)
        assert msgspec.json.encode(fault.issues)
