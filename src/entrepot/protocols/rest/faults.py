"""Faults as problem details (RFC 9457), in both directions.

A problem holds the members that every protocol tells (`ports/faults.py`). Its status is the
declared fault's own or that of the kind, which several kinds share.
"""

from __future__ import annotations

import msgspec

from entrepot.http import problems
from entrepot.http.media_types import essence
from entrepot.model.call import Context
from entrepot.model.fault import KINDS, DeclaredFault, Fault, Kind
from entrepot.model.faults import UpstreamFailed
from entrepot.model.headers import Headers, header
from entrepot.model.operation import Operation
from entrepot.ports.exchange import Response
from entrepot.ports.faults import FaultMembers, FaultReader, Members, encode_members, read_json, unforeseen
from entrepot.protocols.rest.binding.bound import JSON, NAME
from entrepot.shapes.values import Values

DECLARED_TYPE = "urn:entrepot:fault:"
ANY_STATUS = 0
"""In `bindings["rest"]` of a declared fault: it may come with any status that is not listed."""
DEFAULT = "default"
"""What OpenAPI lists the failures of any other status under."""
_FAILURES = 500
"""Statuses from here on say that the upstream failed, and not the caller."""


def status_of_declared(declared: DeclaredFault) -> int:
    """The HTTP status of a declared fault: its own (`ANY_STATUS` if it varies), or that of its kind."""
    code = code_of_declared(declared)
    return int(code) if code.isdigit() else ANY_STATUS


def code_of_declared(declared: DeclaredFault) -> str:
    """What OpenAPI lists a declared fault under: its status, a range of them such as `4XX`, or `default`."""
    status = declared.bindings.get(NAME, {}).get("status", KINDS[declared.kind].status)
    return DEFAULT if status == ANY_STATUS else str(status)


_ANYWHERE: tuple[Kind, ...] = (
    "malformed", "invalid", "unauthenticated", "forbidden", "unsupported", "precondition_failed", "too_large",
    "rate_limited", "internal", "upstream_failed", "unavailable", "timeout",
)  # fmt: skip
_STATUSES_ANYWHERE = {str(KINDS[kind].status) for kind in _ANYWHERE}


def is_anyones(code: str) -> bool:
    """Whether OpenAPI lists under it what any operation may be answered without its own doing: a malformed request."""
    return code in _STATUSES_ANYWHERE or not code.isdigit()


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
        self._by_code = {code_of_declared(fault): fault for fault in operation.faults if whole_body(fault)}

    def read(self, status: int, headers: Headers, body: bytes) -> Fault:
        """The fault that a response stands for."""
        if 300 <= status <= 399:
            return UpstreamFailed(f"{self._host} answered {status}; redirects are not followed", upstream=self._host)
        fault = self._read(_Body(body, header(headers, b"content-type")), status, f"answered {status}")
        if fault.retry_after is None:
            fault.retry_after = problems.retry_after(headers)
        return fault

    def read_end(self, body: bytes) -> Fault:
        """The fault that ends a stream."""
        return self._read(_Body(body, None), _FAILURES, "ended the stream with an error")

    def _read(self, body: _Body, status: int, did: str) -> Fault:
        """The fault in a problem object; without a symbol, what the contract or the status says."""
        return self.faults.read(body.members) or self._foreign(body, status, did)

    def _foreign(self, body: _Body, status: int, did: str) -> Fault:
        # What a system that fails says of itself may be anything, its secrets included.
        believed = body.members if status < _FAILURES else {}
        # An error body outside its contract still tells, by its status, how the call failed.
        fault = self._declared(body, status, believed) or self.faults.of_kind(problems.kind_of(status), believed)
        if not fault.detail:
            texts = (believed.get(name) for name in ("message", "title"))
            fault.detail = next((each for each in texts if each and isinstance(each, str)), "")
        fault.detail = fault.detail or f"{self._host} {did}"
        return fault

    def _declared(self, body: _Body, status: int, believed: Members) -> Fault | None:
        """What the contract has for this status, for a range that it is in, or for any; None for another body."""
        codes = (str(status), f"{status // 100}XX", DEFAULT)
        declared = next((self._by_code[code] for code in codes if code in self._by_code), None)
        if declared is None:
            return None
        data = None if declared.data is None else body.data(whole_body(declared))
        if data is msgspec.UNSET:
            return None
        fault = self.faults.read_declared(declared, believed, data, kind=problems.kind_of(status))
        return fault if fault.name else None


class _Body:
    """The body of a failure: any octets, under any label."""

    def __init__(self, content: bytes, label: bytes | None) -> None:
        self._content = content
        self._label = None if label is None else essence(label)
        self._json = read_json(content) if content else None
        self.members: Members = self._json if isinstance(self._json, dict) else {}
        """Those of a JSON object."""

    def data(self, media_type: str) -> object:
        """All of it: in JSON, no body being null, or as text of this media type. `UNSET` when it is something else."""
        if media_type == JSON:
            return self._json
        try:
            return self._content.decode() if self._label in (None, media_type) else msgspec.UNSET
        except UnicodeDecodeError:
            return msgspec.UNSET


def whole_body(fault: DeclaredFault) -> str:
    """The media type of the error body that is all of the fault's data in an imported contract; "" where none is."""
    whole = fault.bindings.get(NAME, {}).get("whole", "")
    return JSON if whole is True else str(whole or "")
