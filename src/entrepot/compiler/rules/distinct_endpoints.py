"""An upstream's endpoint is listed once: twice, it would get twice its share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from entrepot.compiler.addresses import parse_endpoint
from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Diagnostic
from entrepot.model.upstream import Endpoint

CODE = "W331"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Endpoints that stand in the list already, however they are spelt."""
    for name, entry in draft.declaration.upstreams.items():
        seen: set[Endpoint] = set()
        for index, text in enumerate(entry.endpoints):
            with suppress(ValueError):  # its rule reports it
                endpoint = parse_endpoint(text)
                if endpoint in seen:
                    message = f"the upstream `{name}` lists {text} twice, which then gets twice as many calls"
                    place = draft.at("upstreams", name, "endpoints", index)
                    yield Diagnostic(CODE, message, place, "List it once.", "warning")
                seen.add(endpoint)
