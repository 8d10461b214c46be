"""Credentials for upstreams, fetched from where they are kept when a worker starts.

No message of here tells a secret, and none is written anywhere.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from entrepot.ir.worker import Called, UpstreamSource
from entrepot.kit.diagnostics import Diagnostic, Refused
from entrepot.kit.files import read_regular
from entrepot.model.security import Credential, Kept

UNAVAILABLE = "E856"
"""A credential for an upstream is not where it is said to be kept."""

_OCTETS_MAX = 16 * 1024


def fetch_credentials(source: UpstreamSource | Called, project: Path) -> Mapping[str, Credential]:
    """By security scheme: what is shown. Raises `Refused` with all that cannot be had."""
    found, diagnostics = {}, []
    for name, kept in source.credentials.items():
        try:
            user = None if kept.user is None else _fetch(kept.user, project)
            found[name] = Credential(secret=_fetch(kept.secret, project), user=user)
        except _Unavailable as unavailable:
            message = f"the credential `{name}` for `{source.upstream}` cannot be had: {unavailable}"
            diagnostics.append(Diagnostic(UNAVAILABLE, message, remedy=unavailable.remedy))
    if diagnostics:
        raise Refused(diagnostics)
    return found


class _Unavailable(Exception):
    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def _fetch(kept: Kept, project: Path) -> str:
    """The secret: text of one line, without blanks around it."""
    where = f"the environment variable {kept.env}" if kept.env else f"the file {kept.file}"
    secret = os.environ.get(kept.env) if kept.env else _of_file(project / kept.file)
    if secret is None:
        remedy = "Set it where Entrepôt is started." if kept.env else "Write it, readable for Entrepôt alone."
        raise _Unavailable(f"{where} cannot be read", remedy)
    if not secret or secret != secret.strip() or not (secret.isprintable() and secret.isascii()):
        raise _Unavailable(f"{where} holds no credential", "Let it hold the secret alone: one line of ASCII.")
    return secret


def _of_file(path: Path) -> str | None:
    """The content, without the newline at its end; None where it cannot be read."""
    try:
        return read_regular(path, _OCTETS_MAX)[:_OCTETS_MAX].decode().removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError):
        return None
