"""Faults as problem details (RFC 9457), in both directions.

A problem holds the members that every protocol tells (`ports/faults.py`). Its status is the
declared fault's own or that of the kind, which several kinds share.
"""

from __future__ import annotations

from entrepot.http import problems
from entrepot.model.call import Context
from entrepot.model.fault import KINDS, DeclaredFault, Fault
from entrepot.model.faults import UpstreamFailed
from entrepot.model.headers import Headers
from entrepot.model.operation import Operation
from entrepot.ports.exchange import Response
from entrepot.ports.faults import FaultMembers, FaultReader, Members, encode_members, read_members, unforeseen
from entrepot.protocols.rest.binding.bound import NAME
from entrepot.shapes.values import Values

DECLARED_TYPE = "urn:entrepot:fault:"
ANY_STATUS = 0
"""In `bindings["rest"]` of a declared fault: it may come with any status that is not listed."""
_FAILURES = 500
"""Statuses from here on say that the upstream failed, and not the caller."""


def status_of_declared(declared: DeclaredFault) -> int:
    """The HTTP status of a declared fault: its own (`ANY_STATUS` if it varies), or that of its kind."""
    own = declared.bindings.get(NAME, {}).get("status")
    return own if isinstance(own, int) else KINDS[declared.kind].status


def of_error(error: Exception, operation: Operation, context: Context) -> Fault:
    """The fault that an operation raised, or the one for an error that nobody foresaw."""
    return error if isinstance(error, Fault) else unforeseen(error, operation.name, context)


def written(about: FaultMembers) -> bytes:
    """The problem that tells a fault of an operation."""
    return encode_members(problems.problem(about, _status_of(about), _type_of(about)))


def response(about: FaultMembers, *, status: int | None = None, headers: Headers | None = None) -> Response:
    """The response for a fault of an operation; `status` is for what only HTTP has a word for."""
    return problems.response(about, status or _status_of(about), _type_of(about), headers)


def _status_of(about: FaultMembers) -> int:
    own = status_of_declared(about.declared) if about.declared else ANY_STATUS
    return own or KINDS[about.kind].status


def _type_of(about: FaultMembers) -> str:
    return f"{DECLARED_TYPE}{about.declared.name}" if about.declared else problems.UNTYPED


class ProblemReader:
    """Reads the failures of one operation of an upstream. Any byte sequence gives a fault."""

    def __init__(self, operation: Operation, values: Values, host: str) -> None:
        self._host = host
        self.faults = FaultReader(operation, values, host)
        """Reads what is told of a fault anywhere."""
        self._by_status = {
            fault.bindings[NAME].get("status", ANY_STATUS): fault for fault in operation.faults if is_whole_body(fault)
        }

    def read(self, status: int, headers: Headers, body: bytes) -> Fault:
        """The fault that a response stands for."""
        if 300 <= status <= 399:
            return UpstreamFailed(f"{self._host} answered {status}; redirects are not followed", upstream=self._host)
        fault = self._read(body, status, f"answered {status}")
        if fault.retry_after is None:
            fault.retry_after = problems.retry_after(headers)
        return fault

    def read_end(self, body: bytes) -> Fault:
        """The fault that ends a stream."""
        return self._read(body, _FAILURES, "ended the stream with an error")

    def _read(self, body: bytes, status: int, did: str) -> Fault:
        """The fault in a problem object; without a symbol, what the contract or the status says."""
        members = read_members(body)
        return self.faults.read(members or {}) or self._foreign(members, status, did)

    def _foreign(self, members: Members | None, status: int, did: str) -> Fault:
        kind = problems.kind_of(status)
        # What a system that fails says of itself may be anything, its secrets included.
        believed = members if members is not None and status < _FAILURES else {}
        declared = self._by_status.get(status) or self._by_status.get(ANY_STATUS)
        fault = None
        if declared is not None and members is not None:
            fault = self.faults.read_declared(declared, believed, members, kind=kind)
        if fault is None or not fault.name:
            # An error body outside its contract still tells, by its status, how the call failed.
            fault = self.faults.of_kind(kind, believed)
        if not fault.detail:
            texts = (believed.get(name) for name in ("message", "title"))
            fault.detail = next((each for each in texts if each and isinstance(each, str)), "")
        fault.detail = fault.detail or f"{self._host} {did}"
        return fault


def is_whole_body(fault: DeclaredFault) -> bool:
    """Whether an imported contract gives the fault's data as the whole error body."""
    return bool(fault.bindings.get(NAME, {}).get("whole"))
