"""The fault table as codes, in both directions."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from entrepot.model.fault import KINDS, DeclaredFault, Fault
from entrepot.model.faults import Internal, RateLimited
from entrepot.protocols.jsonrpc.codec import Error
from entrepot.protocols.jsonrpc.faults import OperationFaults, code_of, codes_of, kind_of
from support.calculator import OVERDRAWN, Calculator

CODES = {
    "malformed": -32600, "invalid": -32602, "rejected": -32000, "unknown_operation": -32601, "unauthenticated": -32001,
    "forbidden": -32003, "not_found": -32004, "conflict": -32009, "precondition_failed": -32012, "unsupported": -32015,
    "too_large": -32013, "rate_limited": -32029, "internal": -32603, "upstream_failed": -32052, "unavailable": -32053,
    "timeout": -32054, "cancelled": -32099,
}  # fmt: skip
"""Published: a foreign client may rely on them for ever."""


@pytest.fixture
def withdraw() -> OperationFaults:
    calculator = Calculator()
    return OperationFaults(calculator.operation("withdraw"), calculator.values, "bank")


def test_every_kind_has_its_code_and_every_code_its_kind():
    assert {kind: code_of(kind) for kind in KINDS} == CODES
    not_the_callers = dict.fromkeys(("malformed", "unknown_operation", "internal"), "upstream_failed")
    assert {kind: kind_of(code) for kind, code in CODES.items()} == {kind: kind for kind in KINDS} | not_the_callers
    assert len(set(CODES.values())) == len(KINDS)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(-32700, "upstream_failed"), (-32002, "rejected"), (-32040, "rejected"), (-32051, "upstream_failed"),
     (-32500, "upstream_failed"), (1, "rejected"), (0, "rejected"), (-1, "rejected"), (10**30, "rejected")],
)  # fmt: skip
def test_other_codes_mean_something_sensible(code, kind):
    assert kind_of(code) == kind


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"malformed", "unknown_operation", "internal"}))
def test_the_code_alone_tells_the_kind(kind, withdraw):
    assert withdraw.read(Error(CODES[kind], "why")).kind == kind


@pytest.mark.parametrize("code", [-32700, -32600, -32601, -32603, -32050, -32052, -32099 - 1])
def test_what_an_upstream_that_fails_says_of_itself_is_not_passed_on(code, withdraw):
    secret = Raw(b'{"detail":"SELECT secret","upstream":"other","errors":[{"message":"secret"}]}')
    fault = withdraw.read(Error(code, "the secret is", secret))
    assert (fault.kind, fault.upstream, fault.issues) == ("upstream_failed", "bank", ())
    assert fault.detail == f"bank answered with the error {code}"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_symbol_is_believed_before_the_code(kind, withdraw):
    fault = withdraw.read(Error(1, "why", Raw(msgspec.json.encode({"kind": kind}))))
    assert (fault.kind, fault.detail) == (kind, "why")


def test_a_declared_fault_has_a_positive_code_of_its_own():
    [code] = codes_of([OVERDRAWN]).values()
    assert code > 0
    assert codes_of([DeclaredFault(name="Other"), OVERDRAWN])["Overdrawn"] == code, "others come and go"
    assert codes_of([DeclaredFault(name="Busy", bindings={"jsonrpc": {"code": 100}})]) == {"Busy": 100}


@given(st.lists(st.text("ab", min_size=1, max_size=3), unique=True))
def test_no_two_declared_faults_of_an_operation_share_a_code(names):
    codes = codes_of(DeclaredFault(name=name) for name in names)
    assert len(set(codes.values())) == len(names)


def test_a_clash_of_codes_is_settled(monkeypatch):
    monkeypatch.setattr("entrepot.protocols.jsonrpc.faults.zlib.crc32", lambda data: 5)
    assert codes_of([DeclaredFault(name="B"), DeclaredFault(name="A")]) == {"A": 6, "B": 7}


def test_a_declared_fault_is_known_by_its_code_alone(withdraw):
    code = codes_of([OVERDRAWN])["Overdrawn"]
    fault = withdraw.read(Error(code, "no"))
    assert (fault.kind, fault.name, fault.data) == ("conflict", "Overdrawn", None)


def test_a_declared_fault_that_comes_as_several_kinds_keeps_the_one_it_has(withdraw):
    """An imported contract may declare one fault for every status that it does not list."""
    data = msgspec.json.encode({"kind": "rate_limited", "name": "Overdrawn", "data": {"missing": "10.50"}})
    fault = withdraw.read(Error(1, "later", Raw(data)))
    assert (fault.kind, fault.name) == ("rate_limited", "Overdrawn")


def test_data_that_does_not_fit_is_the_upstreams_failure(withdraw):
    data = msgspec.json.encode({"kind": "conflict", "name": "Overdrawn", "data": {"missing": [], "until": "soon"}})
    fault = withdraw.read(Error(1, "no", Raw(data)))
    assert (fault.kind, fault.upstream) == ("upstream_failed", "bank")
    assert {issue.pointer for issue in fault.issues} == {"/missing", "/until"}


def test_what_is_not_declared_travels_without_name_and_data(withdraw):
    written = withdraw.write(Fault.of("conflict", "no", name="Secret", data=object()), "t")
    assert msgspec.json.decode(written.data) == {"kind": "conflict", "trace_id": "t"}


def test_what_went_wrong_inside_is_not_told(withdraw):
    written = withdraw.write(Internal("the password is 1234"), "t")
    assert written.message == "The service failed"
    assert b"1234" not in bytes(written.data)


def test_when_to_come_back_is_told(withdraw):
    written = withdraw.write(RateLimited("slow down", retry_after=1.5), "t")
    assert withdraw.read(written).retry_after == 1.5


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["kind", "name", "errors", "data", "retry_after", "upstream", "pointer"]), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@given(code=st.integers(), message=st.text(), data=JUNK)
def test_any_error_object_gives_a_fault(code, message, data):
    calculator = Calculator()
    faults = OperationFaults(calculator.operation("withdraw"), calculator.values, "bank")
    fault = faults.read(Error(code, message, Raw(msgspec.json.encode(data))))
    assert fault.kind in KINDS
    assert fault.retry_after is None or fault.retry_after >= 0
