"""Every bound the platform sets on what it accepts, in one table.

They are data, so that tests probe both sides of each and `explain` can print them.
"""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on one call. A request that passes one is refused with `too_large` or `malformed`."""

    body_bytes_max: int = 1024 * 1024
    """Largest request body that is read into memory. Streamed files are not bound by it."""
    file_bytes_max: int = 64 * 1024 * 1024
    """Largest streamed upload, and most of a hosted WSGI application's answer that may lie unread."""
    reply_bytes_max: int = 16 * 1024 * 1024
    """Largest upstream reply that is read into memory, and most that links add to an answer.
    Once the replies of a batch have more together, no more calls of it are begun."""
    stream_item_bytes_max: int = 1024 * 1024
    """Largest single item of a stream (one NDJSON line, one server-sent event)."""
    depth_max: int = 64
    """Deepest nesting of arrays and objects."""
    number_digits_max: int = 1000
    """Most digits of one number, its exponent written out included."""
    issues_max: int = 20
    """Most errors listed in one fault."""
    batch_max: int = 100
    """Most calls in one batch, and most that follow the links of one answer."""
    batch_concurrency_max: int = 16
    """Most calls of one batch in progress at once."""


OPERATIONS_MAX = 5000
"""Most operations of an imported document: each costs a compile about a millisecond and a half."""

LINK_DEPTH_MAX = 3
"""Most links that are followed for a caller one behind the other."""

DEFAULT_LIMITS = Limits()
