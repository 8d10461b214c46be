"""Faults as problem details (RFC 9457), in both directions.

Beside the members of the RFC a problem carries `kind`, the symbol that survives statuses which
several kinds share; `name` and `data` of a declared fault; `errors` with JSON pointers.
"""

from __future__ import annotations

import email.utils
import math
from datetime import UTC, datetime
from typing import Any

import msgspec

from entrepot.kit.limits import DEFAULT_LIMITS, Limits
from entrepot.model.call import Headers
from entrepot.model.fault import KINDS, DeclaredFault, Fault, Issue, Kind
from entrepot.model.faults import UpstreamFailed
from entrepot.model.operation import Operation
from entrepot.ports.exchange import Response, header
from entrepot.protocols.rest.binding import NAME
from entrepot.shapes.values import Values

PROBLEM = "application/problem+json"
DECLARED_TYPE = "urn:entrepot:fault:"
ANY_STATUS = 0
"""In `bindings["rest"]` of a declared fault: it may come with any status that is not listed."""
_DELAY_MAX = 1e9
_CONTENT_TYPE = (b"content-type", PROBLEM.encode())

_KIND_BY_STATUS: dict[int, Kind] = {
    400: "rejected", 405: "unknown_operation", 406: "unsupported", 408: "timeout", 410: "not_found",
    414: "too_large", 423: "conflict", 428: "precondition_failed", 431: "too_large", 501: "upstream_failed",
}  # fmt: skip
"""What an answer without a symbol means, where the table of kinds has several rows or none."""

for _kind, _row in KINDS.items():
    if _kind != "unknown_operation":
        _KIND_BY_STATUS.setdefault(_row.status, _kind)


def status_of_declared(declared: DeclaredFault) -> int:
    """The HTTP status of a declared fault: its own (`ANY_STATUS` if it varies), or that of its kind."""
    own = declared.bindings.get(NAME, {}).get("status")
    return own if isinstance(own, int) else KINDS[declared.kind].status


def problem(
    fault: Fault, trace_id: str, operation: Operation | None = None, values: Values | None = None
) -> dict[str, Any]:
    """The problem object of a fault. Data goes along only where the operation declares it."""
    declared = operation.fault(fault.name) if operation and fault.name else None
    members: dict[str, Any] = {
        "type": f"{DECLARED_TYPE}{fault.name}" if declared else "about:blank",
        "title": fault.row.title,
        "status": (status_of_declared(declared) if declared else ANY_STATUS) or fault.row.status,
        "kind": fault.kind,
        "trace_id": trace_id,
    }
    if fault.detail and fault.kind != "internal":
        members["detail"] = fault.detail
    if fault.issues:
        members["errors"] = fault.issues
    if fault.retry_after is not None:
        members["retry_after"] = fault.retry_after
    if fault.upstream:
        members["upstream"] = fault.upstream
    if declared is not None:
        members["name"] = declared.name
        if declared.data is not None and fault.data is not None and values is not None:
            members["data"] = msgspec.Raw(values.codec(declared.data).encode(fault.data))
    return members


def response(
    fault: Fault,
    trace_id: str,
    operation: Operation | None = None,
    values: Values | None = None,
    *,
    status: int | None = None,
    headers: Headers | None = None,
) -> Response:
    """The response for a fault; `status` and `headers` are for what only HTTP knows (405 and `Allow`)."""
    members = problem(fault, trace_id, operation, values)
    if status is not None:
        members["status"] = status
    body = msgspec.json.encode(members)
    lines: Headers = [_CONTENT_TYPE, (b"content-length", b"%d" % len(body))]
    if fault.kind == "unauthenticated":
        lines.append((b"www-authenticate", b"Bearer"))
    if fault.retry_after is not None:
        lines.append((b"retry-after", b"%d" % math.ceil(fault.retry_after)))
    return Response(members["status"], lines + (headers or []), body)


class _Members(msgspec.Struct):
    """What is looked for in an error body. Foreign ones may hold anything under these names."""

    kind: Any = None
    name: Any = None
    title: Any = None
    detail: Any = None
    message: Any = None
    errors: Any = None
    retry_after: Any = None
    upstream: Any = None
    data: msgspec.Raw = msgspec.Raw(b"null")


_decode = msgspec.json.Decoder(_Members).decode


class Reader:
    """Reads the failures of one operation of an upstream. Any byte sequence gives a fault."""

    def __init__(self, operation: Operation, values: Values, host: str, limits: Limits = DEFAULT_LIMITS) -> None:
        self._operation = operation
        self._values = values
        self._host = host
        self._issues_max = limits.issues_max
        self._by_status = {
            fault.bindings[NAME].get("status", ANY_STATUS): fault for fault in operation.faults if is_whole_body(fault)
        }

    def read(self, status: int, headers: Headers, body: bytes) -> Fault:
        """The fault that a response stands for."""
        if 300 <= status <= 399:
            return UpstreamFailed(f"{self._host} answered {status}; redirects are not followed", upstream=self._host)
        fault = self.read_problem(body, status)
        if fault.retry_after is None:
            fault.retry_after = _retry_after(header(headers, b"retry-after"))
        return fault

    def read_problem(self, body: bytes, status: int = 500) -> Fault:
        """The fault in a problem object; without a symbol, what the contract or the status says."""
        members = _members(body)
        if not (isinstance(members.kind, str) and members.kind in KINDS):
            return self._foreign(members, body, status)
        name = _text(members.name)
        declared = self._operation.fault(name) if name else None
        if declared is None:
            return self._fault(members.kind, members)
        return self._declared(declared, members.kind, members, bytes(members.data))

    def _foreign(self, members: _Members, body: bytes, status: int) -> Fault:
        declared = self._by_status.get(status) or self._by_status.get(ANY_STATUS)
        kind = kind_of(status)
        fault = self._declared(declared, kind, members, body) if declared and body else None
        if fault is None or not fault.name:
            # An error body outside its contract still tells, by its status, how the call failed.
            fault = self._fault(kind, members)
        fault.detail = fault.detail or _text(members.message) or _text(members.title)
        fault.detail = fault.detail or f"{self._host} answered {status}"
        return fault

    def _declared(self, declared: DeclaredFault, kind: Kind, members: _Members, data: bytes) -> Fault:
        if declared.data is None:
            return self._fault(kind, members, name=declared.name)
        try:
            value = self._values.codec(declared.data).decode(data)
        except Fault as broken:
            detail = f"{self._host} sent the fault {declared.name} with data that does not fit its contract"
            return UpstreamFailed(detail, issues=broken.issues, upstream=self._host)
        return self._fault(kind, members, name=declared.name, data=value)

    def _fault(self, kind: Kind, members: _Members, *, name: str = "", data: Any = None) -> Fault:
        blamed = "" if KINDS[kind].blame == "caller" else self._host
        return Fault.of(
            kind,
            _text(members.detail),
            name=name,
            data=data,
            issues=_issues(members.errors, self._issues_max),
            retry_after=float(members.retry_after) if _is_delay(members.retry_after) else None,
            upstream=_text(members.upstream) or blamed,
        )


def kind_of(status: int) -> Kind:
    """The kind that a status means when nothing else tells."""
    known = _KIND_BY_STATUS.get(status)
    if known is not None:
        return known
    return "rejected" if 400 <= status <= 499 else "upstream_failed"


def is_whole_body(fault: DeclaredFault) -> bool:
    """Whether an imported contract gives the fault's data as the whole error body."""
    return bool(fault.bindings.get(NAME, {}).get("whole"))


def _members(body: bytes) -> _Members:
    try:
        return _decode(body)
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


def _is_delay(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < _DELAY_MAX


def _retry_after(value: bytes | None) -> float | None:
    """Seconds (RFC 9110, §10.2.3); a date is turned into seconds from now."""
    text = value.decode("latin-1").strip() if value else ""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
