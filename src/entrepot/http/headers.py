"""Headers, as both ends of an exchange read them."""

from __future__ import annotations

from entrepot.model.headers import Headers

HeaderMap = dict[bytes, bytes]
"""A request's headers by name; of repeated ones the last."""


def all_of(headers: Headers, name: bytes) -> bytes | None:
    """All headers of a name as the list they stand for (RFC 9110, §5.3)."""
    values = [value for key, value in headers if key == name]
    return b", ".join(values) if values else None


def content_length(value: bytes) -> int | None:
    """The octets that a Content-Length announces; None when it is no number of at most 18 digits."""
    return int(value) if value.isdigit() and len(value) <= _LENGTH_DIGITS_MAX else None


_LENGTH_DIGITS_MAX = 18


class _Lengths(dict[int, bytes]):
    def __missing__(self, length: int) -> bytes:
        return b"%d" % length


LENGTHS = _Lengths({length: b"%d" % length for length in range(4096)})
"""Lengths as Content-Length has them. Those of small bodies are ready: writing one costs a tenth of a microsecond."""
