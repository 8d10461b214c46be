"""Failures in HTTP's own words: problem details (RFC 9457), statuses, Retry-After.

Every protocol over HTTP needs them for what reaches none of its operations, and for answers that
are not in its form.
"""

from __future__ import annotations

import email.utils
import math
from datetime import UTC, datetime

from entrepot.model.call import Context
from entrepot.model.fault import Fault, Kind
from entrepot.model.faults import UnknownOperation
from entrepot.model.headers import Headers, header
from entrepot.ports.exchange import Response
from entrepot.ports.faults import FaultMembers, Members, encode_members, members_of

PROBLEM = "application/problem+json"
UNTYPED = "about:blank"
"""The `type` of a problem whose status says all (RFC 9457, §4.2.1)."""
_CONTENT_TYPE = (b"content-type", PROBLEM.encode())


def problem(about: FaultMembers, status: int, type: str = UNTYPED) -> Members:
    """The problem object: what is told of a fault, beside what the RFC asks for."""
    return {"type": type, "status": status, **about.members}


def response(about: FaultMembers, status: int, type: str = UNTYPED, headers: Headers | None = None) -> Response:
    """The response that tells a fault; `headers` are added to those that follow from its kind."""
    body = encode_members(problem(about, status, type))
    lines: Headers = [_CONTENT_TYPE, (b"content-length", b"%d" % len(body))]
    if about.kind == "unauthenticated":
        lines.append((b"www-authenticate", b"Bearer"))
    delay = about.members.get("retry_after")
    if isinstance(delay, float):
        lines.append((b"retry-after", b"%d" % math.ceil(delay)))
    return Response(status, lines + (headers or []), body)


def problem_response(fault: Fault, context: Context, headers: Headers | None = None) -> Response:
    """The response to a request that reached no operation."""
    return response(members_of(fault, context.trace_id), status_of(fault), headers=headers)


class HttpOnly:
    """Of a fault: HTTP has a status for it that its kind has not."""

    http_status: int


class MethodNotAllowed(HttpOnly, UnknownOperation):
    """The address has no operation of this method."""

    http_status = 405


def status_of(fault: Fault) -> int:
    """The HTTP status of a fault that no operation declares: its own, or that of its kind."""
    return fault.http_status if isinstance(fault, HttpOnly) else fault.row.status


_KIND_BY_STATUS: dict[int, Kind] = {
    401: "unauthenticated", 403: "forbidden", 404: "not_found", 405: "upstream_failed", 406: "unsupported",
    407: "upstream_failed", 408: "timeout", 409: "conflict", 410: "not_found", 412: "precondition_failed",
    413: "too_large", 414: "too_large", 415: "unsupported", 421: "upstream_failed", 422: "invalid", 423: "conflict",
    428: "precondition_failed", 429: "rate_limited", 431: "too_large", 503: "unavailable", 504: "timeout",
}  # fmt: skip


def kind_of(status: int) -> Kind:
    """What an upstream's status means to whoever called, when nothing else tells.

    An upstream that fails is never `internal`: that is a failure of ours. Nor is a method that it does
    not have (405) an operation that the caller should not have called: the contract has it.
    """
    known = _KIND_BY_STATUS.get(status)
    if known is not None:
        return known
    return "rejected" if 400 <= status <= 499 else "upstream_failed"


def retry_after(headers: Headers) -> float | None:
    """Seconds (RFC 9110, §10.2.3); a date is turned into seconds from now."""
    value = header(headers, b"retry-after")
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
