"""A version has no `v` before its number: addresses put one there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic

CODE = "E336"

_WITH_V = re.compile(r"[vV][0-9]")


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Versions whose addresses would begin with `/vv`."""
    for key, entry in draft.declaration.services.items():
        if entry.version is not None and _WITH_V.match(entry.version):
            message = f"version {entry.version} would stand in addresses as `v{entry.version}`"
            remedy = f'Write `version: "{entry.version[1:]}"`; the `v` is put before it.'
            yield Diagnostic(CODE, message, draft.at("services", key, "version"), remedy)
