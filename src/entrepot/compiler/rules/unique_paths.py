"""No two protocols, routes or docs pages take the same path. Services of one protocol may share one."""

from __future__ import annotations

from collections.abc import Iterator

from entrepot.compiler.draft import Draft
from entrepot.compiler.routes import declared_routes
from entrepot.http.pages import docs_path
from entrepot.kit.diagnostics import Diagnostic, Place

CODE = "E313"


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Each path that something else has already taken."""
    first: dict[str, str] = {}
    for path, owner, place in _claims(draft):
        other = first.setdefault(path, owner)
        if other != owner:
            yield Diagnostic(CODE, f"{owner} and {other} both take the path {path}", place, "Move one of them.")


def _claims(draft: Draft) -> Iterator[tuple[str, str, Place]]:
    for unit in draft.units:
        if unit.served:
            yield docs_path(unit.service), f"the docs page of {unit.service.name}", unit.place
        for served in unit.served:
            for mount in served.mounts:
                yield mount.path, f"the protocol {served.protocol}", unit.place
    for number, route in enumerate(declared_routes(draft), 1):
        yield route.path, f"route {number} ({route.entry.path})", route.place
