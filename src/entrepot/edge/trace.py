"""One trace id for the problem that a caller sees, the access log and the worker.

It is the caller's own when it sent a well-formed `traceparent` (W3C Trace Context, §3.2), else made
from the request id. Envoy has no other means to make one, short of its tracing, which costs more.
"""

from __future__ import annotations

from entrepot.edge.metadata import METADATA, kept, rewritten
from entrepot.edge.xds import Json, coalesced, header

TRACE_ID = coalesced(("DYNAMIC_METADATA", f"{METADATA}:trace_id"), ("START_TIME", "0" * 13 + "%s%9f"))
"""What finds a request in the logs. One that is refused before any filter has seen it has no request id: the
time at which it began, as 32 digits, stands in, in the answer and in the log alike."""

# As strict as Envoy's bound on the size of a regex allows. What does not fit matches the second arm
# and becomes the empty text, which Envoy does not store.
_TRACEPARENT = "^(00-([0-9a-f]{32})-[0-9a-f]+-[0-9a-f]{2})$|^.*$"


def rules() -> list[Json]:
    """What of a request's headers becomes metadata. Later rules win. The request id is Envoy's own: a UUID."""
    return [
        rewritten("x-request-id", "trace_id", "-", ""),
        rewritten("traceparent", "trace_id", _TRACEPARENT, r"\2"),
        {**rewritten("traceparent", "traceparent", _TRACEPARENT, r"\1"), "remove": True},
    ]


def followed() -> Json:
    """What a target is told of the caller's `traceparent`; nothing where there is none."""
    return header("traceparent", kept("traceparent"))


def begun() -> Json:
    """What it is told where no trace was followed: of one that begins here and is not sampled.

    Envoy looks for what is absent before it adds anything of the same level, so this stands a level further in.
    """
    return header("traceparent", f"00-{kept('trace_id')}-{kept('trace_id', 16)}-00", "ADD_IF_ABSENT")
