"""An environment holds what differs there, and no environments of its own."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic

CODE = "E327"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Environments inside environments, which nothing could choose."""
    for name, overrides in draft.declaration.environments.items():
        if "environments" in overrides:
            place = draft.at_key("environments", name, "environments")
            yield Diagnostic(CODE, f"the environment `{name}` holds environments", place, "Move them out of it.")
