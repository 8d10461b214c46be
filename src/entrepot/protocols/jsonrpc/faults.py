"""Faults as JSON-RPC error objects, in both directions (§5.1).

The code is a formula of the kind's HTTP status, 4xx → −(32000 + status − 400) and
5xx → −(32050 + status − 500), except where the specification has a code of its own. A declared
fault has a positive code, from its binding or made from its name. Beside the code goes the kind as
a symbol, which is what our client believes first: `data.kind`, `data.name`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model.fault import KINDS, DeclaredFault, Fault, Issue, Kind
from entrepot.model.faults import UpstreamFailed
from entrepot.model.operation import Operation
from entrepot.protocols.jsonrpc.binding import NAME
from entrepot.protocols.jsonrpc.codec import Error
from entrepot.shapes.values import Values

PARSE_ERROR = -32700
_STANDARD: dict[Kind, int] = {
    "malformed": -32600, "unknown_operation": -32601, "invalid": -32602, "internal": -32603,
}  # fmt: skip
_POSITIVE_CODES = 999_999
_DELAY_MAX = 1e9


def code_of(kind: Kind) -> int:
    """The code of a kind."""
    status = KINDS[kind].status
    formula = -(32000 + status - 400) if status < 500 else -(32050 + status - 500)
    return _STANDARD.get(kind, formula)


_KINDS_BY_CODE: dict[int, Kind] = {code_of(kind): kind for kind in KINDS} | {PARSE_ERROR: "malformed"}


def is_standard(code: int) -> bool:
    """Whether the code is one of the specification's own, which mean the same everywhere."""
    return code == PARSE_ERROR or code in _STANDARD.values()


def kind_of(code: int) -> Kind:
    """The kind that a code means when no symbol tells: an application's own code is a refusal."""
    if code in _KINDS_BY_CODE:
        return _KINDS_BY_CODE[code]
    if -32768 <= code <= -32050:
        return "upstream_failed"
    return "rejected"


def codes_of(faults: Iterable[DeclaredFault]) -> dict[str, int]:
    """The code of each declared fault, by name; no two are equal.

    A code made from a name stays the same when other faults come and go, unless two names happen
    to give the same one.
    """
    codes: dict[str, int] = {}
    unbound = []
    for fault in faults:
        code = fault.bindings.get(NAME, {}).get("code")
        if isinstance(code, int):
            codes[fault.name] = code
        else:
            unbound.append(fault.name)
    for name in sorted(unbound):
        code = zlib.crc32(name.encode()) % _POSITIVE_CODES + 1
        while code in codes.values():
            code += 1
        codes[name] = code
    return codes


class _Data(msgspec.Struct, omit_defaults=True):
    """`error.data`, as it is written."""

    kind: str
    name: str = ""
    errors: tuple[Issue, ...] = ()
    data: Raw | UnsetType = UNSET
    retry_after: float | None = None
    upstream: str = ""
    trace_id: str = ""


class _Members(msgspec.Struct):
    """`error.data`, as it is read: a foreign one may hold anything under these names."""

    kind: Any = None
    name: Any = None
    errors: Any = None
    data: Raw = Raw(b"null")
    retry_after: Any = None
    upstream: Any = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Members).decode


def plain_error(fault: Fault, trace_id: str, code: int | None = None) -> Error:
    """The error object of a fault that no operation declares, under its kind's code or another."""
    return _error(fault, trace_id, code or code_of(fault.kind), _Data(fault.kind))


def _error(fault: Fault, trace_id: str, code: int, data: _Data) -> Error:
    data.errors = fault.issues
    data.retry_after = fault.retry_after
    data.upstream = fault.upstream
    data.trace_id = trace_id
    # What went wrong inside is found by the trace id, never told.
    message = fault.detail if fault.kind != "internal" else ""
    return Error(code, message or fault.row.title, Raw(_encode(data)))


class OperationFaults:
    """The faults of one operation: written by a server, read by a client of the upstream `host`."""

    def __init__(self, operation: Operation, values: Values, host: str = "", limits: Limits = DEFAULT_LIMITS) -> None:
        self._codes = codes_of(operation.faults)
        self._declared = {fault.name: fault for fault in operation.faults}
        self._by_code = {code: self._declared[name] for name, code in self._codes.items()}
        self._values = values
        self._host = host
        self._issues_max = limits.issues_max

    def write(self, fault: Fault, trace_id: str) -> Error:
        """The error object. A name and data go along only where the operation declares them."""
        declared = self._declared.get(fault.name)
        if declared is None:
            return plain_error(fault, trace_id)
        data = _Data(fault.kind, declared.name)
        if declared.data is not None and fault.data is not None:
            data.data = Raw(self._values.codec(declared.data).encode(fault.data))
        return _error(fault, trace_id, self._codes[declared.name], data)

    def read(self, error: Error) -> Fault:
        """The fault that an error object stands for; any error object gives one."""
        members = _members(error.data)
        if not (isinstance(members.kind, str) and members.kind in KINDS):
            declared = self._by_code.get(error.code)
            kind = declared.kind if declared else kind_of(error.code)
            return self._fault(kind, error, members, name=declared.name if declared else "")
        declared = self._declared.get(members.name) if isinstance(members.name, str) else None
        if declared is None:
            return self._fault(members.kind, error, members)
        try:
            value = self._data(declared, members.data)
        except Fault as broken:
            detail = f"the fault {declared.name} came with data that does not fit its contract"
            return UpstreamFailed(detail, issues=broken.issues, upstream=self._host)
        return self._fault(members.kind, error, members, name=declared.name, data=value)

    def _data(self, declared: DeclaredFault, text: Raw) -> Any:
        if declared.data is None:
            return None
        return self._values.codec(declared.data).decode(bytes(text))

    def _fault(self, kind: Kind, error: Error, members: _Members, *, name: str = "", data: Any = None) -> Fault:
        blamed = "" if KINDS[kind].blame == "caller" else self._host
        return Fault.of(
            kind,
            error.message if error.message != KINDS[kind].title else "",
            name=name,
            data=data,
            issues=_issues(members.errors, self._issues_max),
            retry_after=_delay(members.retry_after),
            upstream=_text(members.upstream) or blamed,
        )


def _members(data: Raw) -> _Members:
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Members()


def _issues(listed: Any, limit: int) -> tuple[Issue, ...]:
    if not isinstance(listed, list):
        return ()
    return tuple(
        Issue(_text(one.get("pointer")), _text(one.get("code")), _text(one.get("message")))
        for one in listed[:limit]
        if isinstance(one, dict)
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _delay(value: Any) -> float | None:
    """Seconds, if it is a sensible number of them."""
    sensible = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _DELAY_MAX
    return float(value) if sensible else None
