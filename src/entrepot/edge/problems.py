"""Answers that Envoy gives by itself: problem details (RFC 9457) to clients, marked ones to workers."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from entrepot.edge.metadata import METADATA
from entrepot.edge.trace import TRACE_ID
from entrepot.edge.xds import Json, extension, header
from entrepot.ir.egress import MARK
from entrepot.model.fault import KINDS, Kind

UPSTREAM_KEY = "upstream"
"""In the metadata of a cluster that reaches an upstream: the upstream's name."""

_EXPRESSION = "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
_EVERY_ANSWER = 100


_Failure = tuple[tuple[str, ...], Kind, str]
"""Envoy's response flags (its access log documentation), and what an answer with one of them means."""

_UPSTREAM_FAILURES: tuple[_Failure, ...] = (
    (("UT", "DT", "SI", "UMSDR"), "timeout", "it took too long to answer"),
    (("UF",), "upstream_failed", "no connection to it could be made"),
    (("UH",), "upstream_failed", "none of its endpoints is healthy"),
    (("UC",), "upstream_failed", "it closed the connection"),
    (("UR",), "upstream_failed", "it reset the connection"),
    (("UO",), "upstream_failed", "too many requests to it are in progress"),
    (("UPE",), "upstream_failed", "it broke the HTTP protocol"),
    (("LR",), "upstream_failed", "the exchange with it was reset"),
    (("LH",), "upstream_failed", "it failed its health check"),
    (("DF",), "upstream_failed", "its name could not be resolved"),
)
_EGRESS_FAILURES: tuple[_Failure, ...] = (
    (("NR", "NC"), "upstream_failed", "the egress has no route to it"),
    (("IH",), "upstream_failed", "the egress could not read a hint"),
)
_UNEXPLAINED = "the request could not be passed on"

_REASON = {"reason": "%RESPONSE_CODE_DETAILS%"}
"""Envoy's own word for a refusal: it says what a client did wrong, and nothing of what is behind."""


class _Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer of Envoy's own means. The first that holds is told."""

    when: Json
    kind: Kind
    detail: str
    members: Mapping[str, str] = {}
    """Further members of the problem."""
    status: int | None = None
    """In the place of Envoy's own."""


def ingress_replies() -> Json:
    """The local replies of the ingress."""
    causes = (_overloaded(), *_passing_through(), *_misread(), *_by_status())
    return {"mappers": [_problem(cause) for cause in causes]}


def egress_replies() -> Json:
    """The local replies of the egress: Envoy's text, and in a header what it means."""
    flagged = [
        _mark(_flagged(*flags), kind, detail) for flags, kind, detail in (*_UPSTREAM_FAILURES, *_EGRESS_FAILURES)
    ]
    return {"mappers": [*flagged, _mark(_status("GE", _EVERY_ANSWER), "upstream_failed", _UNEXPLAINED)]}


def _passing_through() -> list[_Cause]:
    """Where a route led to an upstream that then failed: the faults of an operation there, and its name."""
    led = f"response.code >= 500 && has(xds.cluster_metadata.filter_metadata.{METADATA}.{UPSTREAM_KEY})"
    named = {"upstream": f"%METADATA(CLUSTER:{METADATA}:{UPSTREAM_KEY})%"}
    told = [(_both(_expression(led), _flagged(*flags)), kind, detail) for flags, kind, detail in _UPSTREAM_FAILURES]
    told.append((_expression(led), "upstream_failed", _UNEXPLAINED))
    return [
        _Cause(when=when, kind=kind, detail=detail, members=named, status=KINDS[kind].status)
        for when, kind, detail in told
    ]


def _overloaded() -> _Cause:
    detail = "the edge is overloaded: it holds nearly all the memory that it may"
    return _Cause(when=_expression('response.code_details == "overload"'), kind="unavailable", detail=detail)


def _misread() -> list[_Cause]:
    """What Envoy refuses without a text of its own, or with one that says nothing."""
    causes = {
        "missing_host_header": "the request names no host: HTTP/1.1 requires a Host header",
        "query_missing_content_type": "a QUERY request must say of which type its content is: Content-Type",
        "http1.codec_error": "this cannot be read as HTTP/1.1: its syntax, its length or its method",
        "http1.content_length_and_chunked_not_allowed": "a body has one length: Content-Length or chunks, not both",
        "http1.invalid_characters": "a header holds a control character",
        "http1.invalid_url": "the request's target is no address",
        "http1.unexpected_underscore": "the name of a header holds an underscore; write it with a hyphen",
        "http.invalid_authority": "the Host header holds no host",
        "path_normalization_failed": "the path holds a fragment, which is never sent",
    }
    told = [(_expression(f'response.code_details == "{reason}"'), detail) for reason, detail in causes.items()]
    return [_Cause(when=when, kind="malformed", detail=detail, members=_REASON) for when, detail in told]


def _by_status() -> list[_Cause]:
    told: dict[int, tuple[Kind, str]] = {
        403: ("forbidden", "no change to another protocol, such as WebSocket, is carried to this address"),
        404: ("unknown_operation", "nothing is served at this address"),
        408: ("timeout", "the request did not arrive in time"),
        413: ("too_large", "the request body is longer than allowed"),
        426: ("unsupported", "use HTTP/1.1 or HTTP/2"),
        431: ("too_large", "the request headers are longer, or more, than allowed"),
        501: ("unsupported", "the request's transfer encoding is not supported"),
        502: ("upstream_failed", "what serves this address broke the protocol"),
        503: ("unavailable", "what serves this address cannot be reached now"),
        504: ("timeout", "what serves this address took too long"),
    }
    exact = [_Cause(when=_status("EQ", code), kind=kind, detail=detail) for code, (kind, detail) in told.items()]
    # Texts worth passing on: a refused path says why.
    refused = _Cause(when=_status("EQ", 400), kind="malformed", detail="%LOCAL_REPLY_BODY%", members=_REASON)
    failed = _Cause(when=_status("GE", 500), kind="internal", detail="the edge could not serve this request")
    other = _Cause(when=_status("GE", 400), kind="malformed", detail="%LOCAL_REPLY_BODY%")
    return [refused, *exact, failed, other]


def _problem(cause: _Cause) -> Json:
    problem = {
        "type": "about:blank",
        "title": KINDS[cause.kind].title,
        "status": "%RESPONSE_CODE%",
        "detail": cause.detail,
        "kind": cause.kind,
        "trace_id": TRACE_ID,
        **cause.members,
    }
    body = {"json_format": problem, "content_type": "application/problem+json", "omit_empty_values": True}
    status = {} if cause.status is None else {"status_code": cause.status}
    return {"filter": cause.when, "body_format_override": body, **status}


def _mark(when: Json, kind: Kind, detail: str) -> Json:
    return {"filter": when, "headers_to_add": [header(MARK, f"{kind} {detail}")]}


def _status(comparison: str, status: int) -> Json:
    value = {"default_value": status, "runtime_key": "entrepot.never_set"}
    return {"status_code_filter": {"comparison": {"op": comparison, "value": value}}}


def _flagged(*flags: str) -> Json:
    return {"response_flag_filter": {"flags": flags}}


def _expression(condition: str) -> Json:
    """A condition in the Common Expression Language."""
    return {"extension_filter": extension("condition", _EXPRESSION, {"expression": condition})}


def _both(one: Json, other: Json) -> Json:
    return {"and_filter": {"filters": [one, other]}}
