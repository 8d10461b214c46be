"""No two protocols, routes or docs pages take the same path. Services of one protocol may share one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from entrepot.compiler.draft import DeclaredRoute, Draft, Unit
from entrepot.http.pages import docs_path
from entrepot.kit.diagnostics import Diagnostic

CODE = "E313"


class _Part(NamedTuple):
    """What of a service takes paths; services of one protocol share them."""

    name: str
    unit: Unit


def check(draft: Draft) -> Iterator[Diagnostic]:
    """Each path that something else has already taken."""
    first: dict[str, _Part | DeclaredRoute] = {}
    for path, owner in _claims(draft):
        other = first.setdefault(path, owner)
        if other is not owner and _told(other) != _told(owner):
            message = f"{_told(owner)} and {_told(other)} both take the path {path}"
            place = owner.unit.place if isinstance(owner, _Part) else draft.at_route(owner)
            yield Diagnostic(CODE, message, place, "Move one of them.")


def _claims(draft: Draft) -> Iterator[tuple[str, _Part | DeclaredRoute]]:
    for unit in draft.units:
        if unit.served:
            yield docs_path(unit.service), _Part(f"the docs page of {unit.service.name}", unit)
        for served in unit.served:
            for mount in served.mounts:
                yield mount.path, _Part(f"the protocol {served.protocol}", unit)
    for route in draft.routes:
        yield route.path, route


def _told(owner: _Part | DeclaredRoute) -> str:
    return owner.name if isinstance(owner, _Part) else f"route {owner.index + 1} ({owner.entry.path})"
