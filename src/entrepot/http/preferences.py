"""What a caller prefers (RFC 7240)."""

from __future__ import annotations

from entrepot.http.headers import all_of
from entrepot.model.headers import Headers

PREFERENCES_MAX = 100
"""Most preferences that are looked at."""


def preferences(headers: Headers) -> dict[str, str]:
    """The preferences of a request by name, in lower case; of equal names the first counts (§2)."""
    found: dict[str, str] = {}
    said = (all_of(headers, b"prefer") or b"").decode("latin-1").lower()
    for item in said.split(",", PREFERENCES_MAX)[:PREFERENCES_MAX]:
        name, _, value = item.partition(";")[0].partition("=")
        found.setdefault(name.strip(), value.strip().strip('"'))
    return found
