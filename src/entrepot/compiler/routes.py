"""The declared routes whose paths can be read."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from entrepot.compiler.addresses import parse_route_path
from entrepot.compiler.draft import Draft
from entrepot.kit.diagnostics import Place
from entrepot.spec.declaration import RouteEntry


class DeclaredRoute(msgspec.Struct, frozen=True):
    """A route with its path taken apart."""

    entry: RouteEntry
    path: str
    """Without its star."""
    exact: bool
    place: Place
    """Where its path stands."""


def declared_routes(draft: Draft) -> Iterator[DeclaredRoute]:
    """In the order of the declaration; one whose path is wrong is left to its rule."""
    for index, entry in enumerate(draft.declaration.routes):
        try:
            path, exact = parse_route_path(entry.path)
        except ValueError:
            continue
        yield DeclaredRoute(entry, path, exact, draft.at("routes", index, "path"))
