"""Envoy's log, as far as a person should see it."""

from __future__ import annotations

import re
from pathlib import Path

REASON_MAX = 2000
"""Most characters of Envoy's words that are passed on."""

_PREFIX = re.compile(r"^(?:\[[^\]]*\])+ (?:\[source/[^\]]*\] )?")
_TELLING = re.compile(r"\[(?:critical|error|warning)\]")
_SECRETS = (
    re.compile(r"-----BEGIN.*?(?:-----END[^-]*-----|$)", re.DOTALL),
    re.compile(r"""(?i)["']?inline_(?:string|bytes)["']?\s*:\s*(?:"(?:[^"\\]|\\.)*"?|\S+)"""),
)
# A file that cannot be parsed is printed whole; what stands before it says which and why.
_PRINTED_FILE = re.compile(r"(\{\s*\"(?:version_info|resources)\").*", re.DOTALL)


def reason(text: str) -> str:
    """What Envoy complained of in these lines of its log, without secrets; "" when it did not."""
    lines = [line for line in text.splitlines() if _TELLING.search(line[:200])]
    said = "\n".join(_PREFIX.sub("", line) for line in lines)
    for secret in _SECRETS:
        said = secret.sub("[left out]", said)
    return _PRINTED_FILE.sub("[the file]", said)[:REASON_MAX].strip()


def size(file: Path) -> int:
    """Octets in the log so far."""
    return file.stat().st_size if file.exists() else 0


def since(file: Path, offset: int) -> str:
    """What was logged after the first `offset` octets."""
    if not file.exists():
        return ""
    with file.open("rb") as log:
        log.seek(offset)
        return log.read(64 * 1024).decode(errors="replace")
