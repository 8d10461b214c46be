"""Answers that Envoy gives by itself: problem details (RFC 9457) to clients, marked ones to workers."""

from __future__ import annotations

import msgspec

from entrepot.edge.xds import Json, header
from entrepot.model.fault import KINDS, Kind

EGRESS_HEADER = "x-entrepot-egress"
"""On every answer of the egress: "-" when it is the upstream's own, else Envoy's response flags
(UF, UH, UT, UO, UC …), or `local` where Envoy has no flag for its reason."""


class _Cause(msgspec.Struct, frozen=True):
    """What a status means when Envoy itself answers with it."""

    status: int
    kind: Kind
    detail: str
    tells_reason: bool = False
    """Whether Envoy's own word for it goes along: it says what a client did wrong, and nothing of what is behind."""


_CAUSES = (
    # The one status whose text is worth passing on: a refused path or Host says why.
    _Cause(400, "malformed", "%LOCAL_REPLY_BODY%", tells_reason=True),
    _Cause(403, "forbidden", "the edge does not let this request pass"),
    _Cause(404, "unknown_operation", "nothing is served at this address"),
    _Cause(408, "timeout", "the request did not arrive in time"),
    _Cause(413, "too_large", "the request body is longer than allowed"),
    _Cause(426, "unsupported", "use HTTP/1.1 or HTTP/2"),
    _Cause(431, "too_large", "the request headers are longer, or more, than allowed"),
    _Cause(501, "unsupported", "the request's transfer encoding is not supported"),
    _Cause(502, "upstream_failed", "what serves this address broke the protocol"),
    _Cause(503, "unavailable", "what serves this address cannot be reached now"),
    _Cause(504, "timeout", "what serves this address took too long"),
)
_ANY_OTHER = (
    _Cause(500, "internal", "the edge could not serve this request"),
    _Cause(400, "malformed", "%LOCAL_REPLY_BODY%"),
)


def ingress_replies(namespace: str) -> Json:
    """The local replies of the ingress; `namespace` holds the dynamic metadata `trace_id`."""
    exact = [_mapper(cause, "EQ", namespace) for cause in _CAUSES]
    return {"mappers": exact + [_mapper(cause, "GE", namespace) for cause in _ANY_OTHER]}


def egress_replies() -> Json:
    """The local replies of the egress: Envoy's text, and the flags that say what happened."""
    flagged = {"filter": {"response_flag_filter": {}}, "headers_to_add": [header(EGRESS_HEADER, "%RESPONSE_FLAGS%")]}
    other = {"filter": _status_is("GE", 100), "headers_to_add": [header(EGRESS_HEADER, "local")]}
    return {"mappers": [flagged, other]}


def _mapper(cause: _Cause, comparison: str, namespace: str) -> Json:
    problem = {
        "type": "about:blank",
        "title": KINDS[cause.kind].title,
        "status": "%RESPONSE_CODE%",
        "detail": cause.detail,
        "kind": cause.kind,
        **({"reason": "%RESPONSE_CODE_DETAILS%"} if cause.tells_reason else {}),
        "trace_id": f"%DYNAMIC_METADATA({namespace}:trace_id)%",
    }
    body = {"json_format": problem, "content_type": "application/problem+json", "omit_empty_values": True}
    return {"filter": _status_is(comparison, cause.status), "body_format_override": body}


def _status_is(comparison: str, status: int) -> Json:
    value = {"default_value": status, "runtime_key": "entrepot.never_set"}
    return {"status_code_filter": {"comparison": {"op": comparison, "value": value}}}
