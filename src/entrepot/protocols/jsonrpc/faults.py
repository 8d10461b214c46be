"""Faults as JSON-RPC error objects, in both directions (§5.1).

The code is a formula of the kind's HTTP status, 4xx → −(32000 + status − 400) and
5xx → −(32050 + status − 500), except where the specification has a code of its own. A declared
fault has a positive code, from its binding or made from its name. What every protocol tells of a fault
(`ports/faults.py`) stands in `data`, and our client believes that first.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from msgspec import Raw

from entrepot.model.fault import KINDS, DeclaredFault, Fault, Kind
from entrepot.model.faults import UpstreamFailed
from entrepot.model.operation import Operation
from entrepot.ports.faults import FaultMembers, FaultReader, Members, encode_members, members_of, read_members
from entrepot.protocols.jsonrpc.binding import NAME
from entrepot.protocols.jsonrpc.codec import Error
from entrepot.shapes.values import Values

PARSE_ERROR = -32700
_STANDARD: dict[Kind, int] = {
    "malformed": -32600, "unknown_operation": -32601, "invalid": -32602, "internal": -32603,
}  # fmt: skip
_POSITIVE_CODES = 999_999


def code_of(kind: Kind) -> int:
    """The code of a kind."""
    status = KINDS[kind].status
    formula = -(32000 + status - 400) if status < 500 else -(32050 + status - 500)
    return _STANDARD.get(kind, formula)


_KINDS_BY_CODE: dict[int, Kind] = {code_of(kind): kind for kind in KINDS}


def is_standard(code: int) -> bool:
    """Whether the code is one of the specification's own, which mean the same everywhere."""
    return code == PARSE_ERROR or code in _STANDARD.values()


_NOT_THE_CALLERS = (PARSE_ERROR, -32600, -32601, -32603)
"""Codes that blame the message, which is ours, the contract or the upstream itself."""


def kind_of(code: int) -> Kind:
    """What an upstream's code means to whoever called, when no symbol tells: an application's own is a refusal."""
    if code in _NOT_THE_CALLERS:
        return "upstream_failed"
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


def plain_error(fault: Fault, trace_id: str, code: int | None = None) -> Error:
    """The error object of a fault that no operation declares, under its kind's code or another."""
    return _error(members_of(fault, trace_id), code or code_of(fault.kind))


def _error(about: FaultMembers, code: int) -> Error:
    return Error(code, about.text, Raw(encode_members(about.beside_text)))


class OperationFaults:
    """The faults of one operation: written by a server, read by a client of the upstream `host`."""

    def __init__(self, operation: Operation, values: Values, host: str = "") -> None:
        self._operation = operation
        self._values = values
        self._host = host
        self._codes = codes_of(operation.faults)
        self._by_code = {self._codes[fault.name]: fault for fault in operation.faults}
        self._reader = FaultReader(operation, values, host)

    def write(self, fault: Fault, trace_id: str) -> Error:
        """The error object. A name and data go along only where the operation declares them."""
        about = members_of(fault, trace_id, self._operation, self._values)
        return _error(about, self._codes[about.declared.name] if about.declared else code_of(about.kind))

    def read(self, error: Error) -> Fault:
        """The fault that an error object stands for; any error object gives one."""
        members = read_members(error.data) or {}
        return self._reader.read(members, error.message) or self._foreign(error, members)

    def _foreign(self, error: Error, members: Members) -> Fault:
        """An error without the symbol: what the contract says of its code, or the code itself."""
        declared = self._by_code.get(error.code)
        if declared is not None:
            return self._reader.of_kind(declared.kind, members, error.message, name=declared.name)
        kind = kind_of(error.code)
        if kind == "upstream_failed":
            # What a system that fails says of itself may be anything, its secrets included.
            return UpstreamFailed(f"{self._host} answered with the error {error.code}", upstream=self._host)
        return self._reader.of_kind(kind, members, error.message)
