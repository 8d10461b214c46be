"""Identifiers that other systems read: W3C trace context."""

from __future__ import annotations

import re
import secrets

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


def new_trace_id() -> str:
    """32 lower-case hexadecimal digits (W3C Trace Context, §3.2.2.3)."""
    return secrets.token_hex(16)


def trace_id_of(traceparent: str) -> str:
    """The trace id inside a `traceparent` header, or "" when it is not well-formed."""
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None or set(match[1]) == {"0"} or set(match[2]) == {"0"}:
        return ""
    return match[1]
