"""One trace id for the problem that a caller sees, the access log and the worker.

It is the caller's own when it sent a well-formed `traceparent` (W3C Trace Context, §3.2), else made
from the request id. Envoy has no other means to make one, short of its tracing, which costs more.
"""

from __future__ import annotations

from entrepot.edge.xds import Json, coalesced, header

METADATA = "entrepot"
"""The namespace of the metadata that our filters and routes write, and our logs and answers read."""

TRACE_ID = coalesced(("DYNAMIC_METADATA", f"{METADATA}:trace_id"), ("START_TIME", "0" * 13 + "%s%9f"))
"""What finds a request in the logs. One that is refused before any filter has seen it has no request id: the
time at which it began, as 32 digits, stands in, in the answer and in the log alike."""

_UUID = "^([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$"
# As strict as Envoy's bound on the size of a regex allows. What does not fit matches the second arm
# and becomes the empty text, which Envoy does not store.
_TRACEPARENT = "^(00-([0-9a-f]{32})-[0-9a-f]+-[0-9a-f]{2})$|^.*$"


def rules() -> list[Json]:
    """What of a request's headers becomes metadata. Later rules win."""
    return [
        _rule("x-request-id", "trace_id", _UUID, r"\1\2\3\4\5"),
        _rule("x-request-id", "traceparent", _UUID, r"00-\1\2\3\4\5-\1\2\3-00"),
        _rule("traceparent", "trace_id", _TRACEPARENT, r"\2"),
        {**_rule("traceparent", "traceparent", _TRACEPARENT, r"\1"), "remove": True},
    ]


def headers() -> list[Json]:
    """What a target is told: the caller's `traceparent`, or one that begins here and is not sampled."""
    return [header("traceparent", f"%DYNAMIC_METADATA({METADATA}:traceparent)%")]


def _rule(name: str, key: str, pattern: str, substitution: str) -> Json:
    rewrite = {"pattern": {"regex": pattern}, "substitution": substitution}
    pair = {"metadata_namespace": METADATA, "key": key, "type": "STRING", "regex_value_rewrite": rewrite}
    return {"header": name, "on_header_present": pair}
