"""Headers, as both ends of an exchange read them."""

from __future__ import annotations

from entrepot.model.call import Headers


def header(headers: Headers, name: bytes) -> bytes | None:
    """The first header of this lower-case name."""
    for key, value in headers:
        if key == name:
            return value
    return None
