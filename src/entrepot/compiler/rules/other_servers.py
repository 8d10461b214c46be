"""An operation that its document has on another server than the rest has an upstream there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.compiler.inherit import upstream_at
from entrepot.kit.diagnostics import Diagnostic

CODE = "E335"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Servers that no upstream stands for."""
    for unit in draft.units:
        for url, count in Counter(unit.elsewhere.values()).items():
            if not upstream_at(url, draft.declaration.upstreams):
                on = "1 operation is" if count == 1 else f"{count} operations are"
                message = f"{on} on another server than the rest of `{unit.service.name}`: {url}"
                remedy = f'Declare an upstream for it, `upstreams: {{NAME: {{url: "{url}"}}}}`.'
                yield Diagnostic(CODE, message, unit.place, remedy)
